//! The documents of one block on their way to a collection: embedded together, written in batches, and skipped as a whole if the
//! collection has them. Blocks do not depend on where an earlier build stopped, so that its vectors are the same to the last
//! digit: how an encoder rounds can depend on what is in a batch.

use super::columns::{Batch, CONTENT, ROW, StoreRow, vector_field};
use super::connection::Connection;
use super::expression::between;
use super::stamp::Inputs;
use crate::index::{KnownContents, VectorSide, contents_of_images};
use anyhow::Result;
use dissent_core::data::Dataset;
use dissent_core::files::fingerprint::Fingerprint;
use std::ops::Range;

/// Documents of a block.
pub(super) const BLOCK: usize = 1024;
/// A batch is sent when its content is as large as this.
const BATCH_BYTES: usize = 4 << 20;
/// Rows of one question for what is there.
const ROWS_AT_ONCE: usize = 512;

/// A block with everything that is stored of it.
pub(super) struct Block {
    pub rows: Range<usize>,
    /// Contents of image and caption of each document.
    pub contents: Vec<String>,
    /// Why an image could not be read; empty if it could.
    pub problems: Vec<String>,
    /// [documents, dimension]; empty if the encoder does not embed this side.
    pub images: Vec<f32>,
    pub captions: Vec<f32>,
}

/// What is recorded of a document's image and caption.
pub(super) fn content(image: Option<&Fingerprint>, caption: &Fingerprint) -> String {
    format!("{} {caption}", image.map_or("-", Fingerprint::as_str))
}

pub(super) fn caption_content(dataset: &Dataset, row: usize) -> Fingerprint {
    Fingerprint::of_bytes(dataset.corpus.document(row).caption.as_bytes())
}

impl Block {
    /// The vectors of a side; one for each document, or none.
    pub fn vectors(&self, side: VectorSide) -> &[f32] {
        match side {
            VectorSide::Image => &self.images,
            VectorSide::Caption => &self.captions,
        }
    }

    /// Reads a block from a collection that has all of it, as the dataset has it now; `None` if it lacks a document, or one has
    /// changed. An image that could not be read is tried again.
    pub fn read(
        connection: &Connection,
        collection: &str,
        dataset: &Dataset,
        rows: Range<usize>,
        inputs: &Inputs,
    ) -> Result<Option<Self>> {
        let there = connection.count(collection, &between(rows.start, rows.end))?;
        if there != rows.len() as u64 {
            return Ok(None);
        }
        let images = contents_of_images(dataset, rows.clone());
        let captions = rows.clone().map(|row| caption_content(dataset, row));
        let contents: Vec<String> =
            images.iter().zip(captions).map(|(image, caption)| content(image.as_ref(), &caption)).collect();
        let dimension = inputs.encoder.dimension;
        let size = |side| if inputs.has_side(side) { rows.len() * dimension } else { 0 };
        let mut block = Self {
            contents,
            problems: vec![String::new(); rows.len()],
            images: vec![0.0; size(VectorSide::Image)],
            captions: vec![0.0; size(VectorSide::Caption)],
            rows: rows.clone(),
        };
        for start in rows.clone().step_by(ROWS_AT_ONCE) {
            let end = (start + ROWS_AT_ONCE).min(rows.end);
            let sides = [VectorSide::Image, VectorSide::Caption].into_iter().filter(|side| inputs.has_side(*side));
            let mut output = vec![ROW, CONTENT, super::columns::PROBLEM];
            output.extend(sides.clone().map(vector_field));
            let mut columns = connection.query(collection, &between(start, end), &output)?;
            let numbers = columns.longs(ROW)?;
            let (found, problems) = (columns.texts(CONTENT)?, columns.texts(super::columns::PROBLEM)?);
            for ((row, found), problem) in numbers.iter().zip(found).zip(problems) {
                let place = *row as usize - rows.start;
                if found != block.contents[place] || !problem.is_empty() {
                    return Ok(None);
                }
            }
            for side in sides {
                let values = columns.vectors(vector_field(side), dimension)?;
                let target = if side == VectorSide::Image { &mut block.images } else { &mut block.captions };
                for (row, vector) in numbers.iter().zip(values.chunks_exact(dimension)) {
                    let place = (*row as usize - rows.start) * dimension;
                    target[place..place + dimension].copy_from_slice(vector);
                }
            }
        }
        Ok(Some(block))
    }

    /// Makes the vectors of a block that was read known, as if they had been computed.
    pub fn remember(&self, dimension: usize, known: &mut KnownContents) {
        for (place, content) in self.contents.iter().enumerate() {
            let Some((image, caption)) = content.split_once(' ') else { continue };
            let range = place * dimension..(place + 1) * dimension;
            if let (Some(image), Some(vector)) = (Fingerprint::parse(image), self.images.get(range.clone())) {
                known.decoded.insert(image.clone());
                known.images.entry(image).or_insert_with(|| vector.to_vec());
            }
            if let (Some(caption), Some(vector)) = (Fingerprint::parse(caption), self.captions.get(range)) {
                known.captions.entry(caption).or_insert_with(|| vector.to_vec());
            }
        }
    }

    /// Writes the block; documents that are there are replaced.
    pub fn write(&self, connection: &Connection, collection: &str, dataset: &Dataset, inputs: &Inputs) -> Result<()> {
        let dimension = inputs.encoder.dimension;
        let mut batch = Batch::default();
        for (place, row) in self.rows.clone().enumerate() {
            let document = dataset.corpus.document(row);
            let vector = |side| self.vectors(side).get(place * dimension..(place + 1) * dimension).unwrap_or_default();
            batch.push(&StoreRow {
                row,
                id: document.id,
                group: document.group.unwrap_or_default(),
                source: document.source.unwrap_or_default(),
                image: &document.image.to_string_lossy(),
                caption: document.caption,
                content: self.contents[place].clone(),
                problem: self.problems[place].clone(),
                image_vector: vector(VectorSide::Image),
                caption_vector: vector(VectorSide::Caption),
            })?;
            if batch.bytes >= BATCH_BYTES || row + 1 == self.rows.end {
                let sent = std::mem::take(&mut batch);
                connection.upsert(collection, sent.rows.len(), sent.into_columns(dimension, inputs.words))?;
            }
        }
        Ok(())
    }
}
