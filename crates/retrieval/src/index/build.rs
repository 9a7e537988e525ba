//! Embeds the corpus. Vectors of an earlier index of the same encoder are reused, equal images and equal captions
//! are embedded once, and a broken image is skipped.

use super::images::{DecodedBatch, for_each_batch};
use super::vectors::unit;
use super::{Embedder, LeftOut};
use anyhow::{Context, Result, ensure};
use dissent_core::data::Dataset;
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

/// Vectors by the fingerprint of their content.
pub(crate) type KnownVectors = HashMap<Fingerprint, Vec<f32>>;

/// The corpus as vectors.
pub(crate) struct EmbeddedCorpus {
    /// The row of the first document.
    pub first: usize,
    /// [documents, dimension]; zero if the image is left out. Empty if the encoder embeds no pictures.
    pub images: Vec<f32>,
    /// [documents, dimension]. Empty if the encoder embeds no texts.
    pub captions: Vec<f32>,
    /// Fingerprint of each image; `None` if it is left out.
    pub image_contents: Vec<Option<Fingerprint>>,
    pub caption_contents: Vec<Fingerprint>,
    pub left_out: Vec<LeftOut>,
    /// Number of images and captions that had to be encoded.
    pub encoded: usize,
}

/// Embeds every image and every caption of the corpus.
pub(super) fn embed_corpus(
    dataset: &Dataset,
    encoder: &dyn Embedder,
    images: KnownVectors,
    captions: KnownVectors,
    progress: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<EmbeddedCorpus> {
    let mut known = KnownContents { decoded: images.keys().cloned().collect(), images, captions };
    embed_rows(dataset, 0..dataset.corpus.len(), encoder, &mut known, progress)
}

/// Vectors that need not be computed.
#[derive(Default)]
pub(crate) struct KnownContents {
    pub images: KnownVectors,
    pub captions: KnownVectors,
    /// Contents of images that need not be decoded: those of `images`, when the rows begin.
    pub decoded: HashSet<Fingerprint>,
}

/// Embeds the images and captions of some documents; the matrices have a row for each of them. New vectors become known.
pub(crate) fn embed_rows(
    dataset: &Dataset,
    rows: Range<usize>,
    encoder: &dyn Embedder,
    known: &mut KnownContents,
    progress: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<EmbeddedCorpus> {
    let (count, dimension) = (rows.len(), encoder.dimension());
    let mut corpus = EmbeddedCorpus {
        first: rows.start,
        images: vec![0.0; if encoder.embeds_pictures() { count * dimension } else { 0 }],
        captions: vec![0.0; if encoder.embeds_texts() { count * dimension } else { 0 }],
        image_contents: vec![None; count],
        caption_contents: Vec::with_capacity(count),
        left_out: Vec::new(),
        encoded: 0,
    };
    corpus.embed_images(dataset, rows.clone(), encoder, (&mut known.images, &known.decoded), progress)?;
    corpus.embed_captions(dataset, rows, encoder, &mut known.captions, progress)?;
    known.decoded.extend(corpus.image_contents.iter().flatten().cloned());
    Ok(corpus)
}

impl EmbeddedCorpus {
    fn embed_images(
        &mut self,
        dataset: &Dataset,
        rows: Range<usize>,
        encoder: &dyn Embedder,
        (vectors, decoded): (&mut KnownVectors, &HashSet<Fingerprint>),
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<()> {
        let total = rows.len();
        let mut done = 0;
        progress(Progress { stage: Stage::Images, done, total })?;
        for_each_batch(dataset, rows, decoded, |batch| {
            done += batch.len();
            self.embed_image_batch(dataset, encoder, vectors, batch)?;
            progress(Progress { stage: Stage::Images, done, total })
        })
    }

    fn embed_image_batch(
        &mut self,
        dataset: &Dataset,
        encoder: &dyn Embedder,
        vectors: &mut KnownVectors,
        batch: DecodedBatch,
    ) -> Result<()> {
        let mut contents: Vec<(usize, Fingerprint)> = Vec::with_capacity(batch.len());
        let mut new: Vec<(Fingerprint, String, RgbImage)> = Vec::new();
        for (row, decoded) in batch {
            let id = &dataset.corpus[row].id;
            let decoded = match decoded {
                Ok(decoded) => decoded,
                Err(error) => {
                    self.left_out.push(LeftOut { row, document: id.clone(), reason: message_of(&error) });
                    continue;
                }
            };
            contents.push((row, decoded.fingerprint.clone()));
            let Some(pixels) = decoded.pixels else { continue };
            let seen = vectors.contains_key(&decoded.fingerprint)
                || new.iter().any(|(fingerprint, ..)| *fingerprint == decoded.fingerprint);
            if !seen {
                new.push((decoded.fingerprint, format!("the image of document {id}"), pixels));
            }
        }
        if !new.is_empty() && encoder.embeds_pictures() {
            let pictures: Vec<&RgbImage> = new.iter().map(|(_, _, pixels)| pixels).collect();
            let embedded = encoder.embed_pictures(&pictures).context("cannot embed the corpus images")?;
            let named = new.iter().map(|(fingerprint, what, _)| (fingerprint, what.as_str()));
            self.encoded += remember(vectors, encoder, named, embedded)?;
        }
        for (row, fingerprint) in contents {
            let place = row - self.first;
            copy_row(&mut self.images, vectors.get(&fingerprint), place);
            self.image_contents[place] = Some(fingerprint);
        }
        Ok(())
    }

    fn embed_captions(
        &mut self,
        dataset: &Dataset,
        rows: Range<usize>,
        encoder: &dyn Embedder,
        vectors: &mut KnownVectors,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<()> {
        let total = rows.len();
        progress(Progress { stage: Stage::Captions, done: 0, total })?;
        for (start, documents) in (0..).step_by(CAPTION_BATCH).zip(dataset.corpus[rows].chunks(CAPTION_BATCH)) {
            let contents: Vec<Fingerprint> =
                documents.iter().map(|document| Fingerprint::of_bytes(document.caption.as_bytes())).collect();
            let mut new: Vec<usize> = Vec::new();
            let mut seen: HashSet<&Fingerprint> = HashSet::new();
            for (position, content) in contents.iter().enumerate() {
                if !vectors.contains_key(content) && seen.insert(content) {
                    new.push(position);
                }
            }
            if !new.is_empty() && encoder.embeds_texts() {
                let texts: Vec<&str> = new.iter().map(|position| documents[*position].caption.as_str()).collect();
                let embedded = encoder.embed_texts(&texts).context("cannot embed the captions")?;
                let names: Vec<String> =
                    new.iter().map(|position| format!("the caption of document {}", documents[*position].id)).collect();
                let named = new.iter().zip(&names).map(|(position, name)| (&contents[*position], name.as_str()));
                self.encoded += remember(vectors, encoder, named, embedded)?;
            }
            for (position, content) in contents.into_iter().enumerate() {
                copy_row(&mut self.captions, vectors.get(&content), start + position);
                self.caption_contents.push(content);
            }
            progress(Progress { stage: Stage::Captions, done: start + documents.len(), total })?;
        }
        Ok(())
    }
}

/// Checks the encoder's vectors and stores them by content; returns their number.
fn remember<'a>(
    vectors: &mut KnownVectors,
    encoder: &dyn Embedder,
    contents: impl ExactSizeIterator<Item = (&'a Fingerprint, &'a str)>,
    embedded: Vec<Vec<f32>>,
) -> Result<usize> {
    let count = contents.len();
    let name = encoder.name();
    ensure!(embedded.len() == count, "encoder {name}: expected {count} vectors, found {}", embedded.len());
    for ((content, what), vector) in contents.zip(embedded) {
        ensure!(
            vector.len() == encoder.dimension(),
            "encoder {name}, {what}: expected a vector of {}, found {}",
            encoder.dimension(),
            vector.len()
        );
        let vector = unit(&vector).with_context(|| format!("encoder {name}, {what}"))?;
        vectors.insert(content.clone(), vector);
    }
    Ok(count)
}

fn copy_row(matrix: &mut [f32], vector: Option<&Vec<f32>>, row: usize) {
    let Some(vector) = vector else { return };
    let start = row * vector.len();
    if let Some(target) = matrix.get_mut(start..start + vector.len()) {
        target.copy_from_slice(vector);
    }
}
