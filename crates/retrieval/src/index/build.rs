//! Embeds the corpus. Vectors of an earlier index of the same encoder are reused, equal images and equal captions
//! are embedded once, and a broken image is skipped.

use super::images::{DecodedBatch, for_each_batch};
use super::vector_file::{VectorFile, VectorFileWriter};
use super::vectors::unit;
use super::{Embedder, LeftOut, VectorSide};
use anyhow::{Context, Result, ensure};
use dissent_core::data::{Dataset, DocumentView};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::text::printable::message_of;
use image::RgbImage;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Captions per batch.
const CAPTION_BATCH: usize = 64;

/// The stage of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Another process builds the index of this workspace; its vectors are reused.
    Waiting,
    Images,
    Captions,
    /// FAISS clusters the vectors: minutes for millions of them.
    Clusters,
    /// FAISS gets the vectors.
    Vectors,
    /// Recall is measured.
    Recall,
    /// Documents of a store.
    Documents,
    Writing,
}

/// The progress of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub stage: Stage,
    pub done: usize,
    pub total: usize,
}

/// Where the vector of a content already is.
#[derive(Default)]
pub(super) struct KnownVectors {
    /// Rows of an index that is being replaced.
    pub earlier: Option<(VectorFile, HashMap<Fingerprint, usize>)>,
    /// Vectors in memory.
    pub kept: HashMap<Fingerprint, Vec<f32>>,
    /// Contents of images that need not be decoded.
    pub decoded: HashSet<Fingerprint>,
    /// Rows of this build.
    pub written: HashMap<Fingerprint, usize>,
}

impl KnownVectors {
    /// The rows of an earlier index, by content.
    pub fn of_earlier(vectors: VectorFile, rows: HashMap<Fingerprint, usize>) -> Self {
        let decoded = rows.keys().cloned().collect();
        Self { earlier: Some((vectors, rows)), decoded, ..Self::default() }
    }

    fn has(&self, content: &Fingerprint) -> bool {
        self.written.contains_key(content)
            || self.kept.contains_key(content)
            || self.earlier.as_ref().is_some_and(|(_, rows)| rows.contains_key(content))
    }

    /// Writes the known vector of a content to a row; nothing if there is none.
    fn write(&self, content: &Fingerprint, side: VectorSide, row: usize, writer: &mut VectorFileWriter) -> Result<()> {
        if let Some(there) = self.written.get(content) {
            if *there == row {
                return Ok(());
            }
            let vector = writer.read_row(side as usize, *there)?;
            return writer.write_row(side as usize, row, &vector);
        }
        if let Some(vector) = self.kept.get(content) {
            return writer.write_row(side as usize, row, vector);
        }
        let Some((vectors, rows)) = &self.earlier else { return Ok(()) };
        match rows.get(content).and_then(|there| vectors.row(side as usize, *there)) {
            Some(vector) => writer.write_row(side as usize, row, vector),
            None => Ok(()),
        }
    }
}

/// The corpus, or some rows of it, as vectors.
pub(super) struct EmbeddedCorpus {
    /// Its rows.
    rows: Range<usize>,
    /// A row for each document; zero if its image is left out. No rows for a side that the encoder does not embed.
    pub vectors: VectorFileWriter,
    /// Fingerprint of each image; `None` if it is left out.
    pub image_contents: Vec<Option<Fingerprint>>,
    pub caption_contents: Vec<Fingerprint>,
    pub left_out: Vec<LeftOut>,
    /// Number of images and captions that had to be encoded.
    pub encoded: usize,
}

/// Embeds the images and captions of these rows of the corpus into `vectors`.
pub(super) fn embed_corpus(
    dataset: &Dataset,
    rows: Range<usize>,
    encoder: &dyn Embedder,
    vectors: VectorFileWriter,
    (images, captions): (&mut KnownVectors, &mut KnownVectors),
    progress: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<EmbeddedCorpus> {
    let mut corpus = EmbeddedCorpus::empty(vectors, rows);
    corpus.embed_images(dataset, encoder, images, progress)?;
    corpus.embed_captions(dataset, encoder, captions, progress)?;
    Ok(corpus)
}

impl EmbeddedCorpus {
    /// Room for these rows.
    pub fn empty(vectors: VectorFileWriter, rows: Range<usize>) -> Self {
        Self {
            vectors,
            image_contents: vec![None; rows.len()],
            caption_contents: Vec::with_capacity(rows.len()),
            left_out: Vec::new(),
            encoded: 0,
            rows,
        }
    }

    fn embed_images(
        &mut self,
        dataset: &Dataset,
        encoder: &dyn Embedder,
        vectors: &mut KnownVectors,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<()> {
        let decoded = std::mem::take(&mut vectors.decoded);
        let total = self.rows.len();
        let mut done = 0;
        progress(Progress { stage: Stage::Images, done, total })?;
        for_each_batch(dataset, self.rows.clone(), &decoded, |batch| {
            done += batch.len();
            self.embed_image_batch(dataset, encoder, vectors, batch)?;
            progress(Progress { stage: Stage::Images, done, total })
        })?;
        vectors.decoded = decoded;
        Ok(())
    }

    fn embed_image_batch(
        &mut self,
        dataset: &Dataset,
        encoder: &dyn Embedder,
        vectors: &mut KnownVectors,
        batch: DecodedBatch,
    ) -> Result<()> {
        let mut contents: Vec<(usize, Fingerprint)> = Vec::with_capacity(batch.len());
        let mut new: Vec<(usize, Fingerprint, RgbImage)> = Vec::new();
        for (row, decoded) in batch {
            let decoded = match decoded {
                Ok(decoded) => decoded,
                Err(error) => {
                    let document = dataset.corpus.document(row).id.to_owned();
                    self.left_out.push(LeftOut { row, document, reason: message_of(&error) });
                    continue;
                }
            };
            contents.push((row, decoded.fingerprint.clone()));
            let Some(pixels) = decoded.pixels else { continue };
            let seen = vectors.has(&decoded.fingerprint)
                || new.iter().any(|(_, fingerprint, _)| *fingerprint == decoded.fingerprint);
            if !seen {
                new.push((row, decoded.fingerprint, pixels));
            }
        }
        if !new.is_empty() && encoder.embeds_pictures() {
            let pictures: Vec<&RgbImage> = new.iter().map(|(_, _, pixels)| pixels).collect();
            let embedded = encoder.embed_pictures(&pictures).context("cannot embed the corpus images")?;
            let first = self.rows.start;
            let new = new.iter().map(|(row, fingerprint, _)| (row - first, fingerprint));
            self.write_new(vectors, dataset, encoder, (VectorSide::Image, new), embedded)?;
        }
        for (row, fingerprint) in contents {
            if encoder.embeds_pictures() {
                vectors.write(&fingerprint, VectorSide::Image, row - self.rows.start, &mut self.vectors)?;
            }
            self.image_contents[row - self.rows.start] = Some(fingerprint);
        }
        Ok(())
    }

    fn embed_captions(
        &mut self,
        dataset: &Dataset,
        encoder: &dyn Embedder,
        vectors: &mut KnownVectors,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<()> {
        let total = self.rows.len();
        progress(Progress { stage: Stage::Captions, done: 0, total })?;
        let rows = self.rows.clone();
        for start in (0..total).step_by(CAPTION_BATCH) {
            let batch = rows.start + start..rows.end.min(rows.start + start + CAPTION_BATCH);
            let documents: Vec<DocumentView> = batch.map(|row| dataset.corpus.document(row)).collect();
            let contents: Vec<Fingerprint> =
                documents.iter().map(|document| Fingerprint::of_bytes(document.caption.as_bytes())).collect();
            let mut new: Vec<usize> = Vec::new();
            let mut seen: HashSet<&Fingerprint> = HashSet::new();
            for (position, content) in contents.iter().enumerate() {
                if !vectors.has(content) && seen.insert(content) {
                    new.push(position);
                }
            }
            if !new.is_empty() && encoder.embeds_texts() {
                let texts: Vec<&str> = new.iter().map(|position| documents[*position].caption).collect();
                let embedded = encoder.embed_texts(&texts).context("cannot embed the captions")?;
                let new = new.iter().map(|position| (start + position, &contents[*position]));
                self.write_new(vectors, dataset, encoder, (VectorSide::Caption, new), embedded)?;
            }
            for (position, content) in contents.into_iter().enumerate() {
                if encoder.embeds_texts() {
                    vectors.write(&content, VectorSide::Caption, start + position, &mut self.vectors)?;
                }
                self.caption_contents.push(content);
            }
            progress(Progress { stage: Stage::Captions, done: start + documents.len(), total })?;
        }
        Ok(())
    }

    /// Checks the encoder's vectors and writes them to the rows that were encoded.
    fn write_new<'a>(
        &mut self,
        known: &mut KnownVectors,
        dataset: &Dataset,
        encoder: &dyn Embedder,
        (side, new): (VectorSide, impl ExactSizeIterator<Item = (usize, &'a Fingerprint)>),
        embedded: Vec<Vec<f32>>,
    ) -> Result<()> {
        let (name, count, first) = (encoder.name(), new.len(), self.rows.start);
        ensure!(embedded.len() == count, "encoder {name}: expected {count} vectors, found {}", embedded.len());
        for ((row, content), vector) in new.zip(embedded) {
            let what = || {
                let part = if side == VectorSide::Image { "image" } else { "caption" };
                format!("encoder {name}, the {part} of document {}", dataset.corpus.document(first + row).id)
            };
            ensure!(
                vector.len() == encoder.dimension(),
                "{}: expected a vector of {}, found {}",
                what(),
                encoder.dimension(),
                vector.len()
            );
            self.vectors.write_row(side as usize, row, &unit(&vector).with_context(what)?)?;
            known.written.insert(content.clone(), row);
        }
        self.encoded += count;
        Ok(())
    }
}
