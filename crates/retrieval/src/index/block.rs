//! Embeds one block of documents for a store, which keeps the vectors itself.

use super::build::{KnownVectors, embed_corpus};
use super::store::rows_of_sides;
use super::vector_file::VectorFileWriter;
use super::{Embedder, LeftOut, Progress};
use anyhow::{Context, Result};
use dissent_core::data::Dataset;
use dissent_core::files::fingerprint::Fingerprint;
use std::collections::{HashMap, HashSet};
use std::mem::take;
use std::ops::Range;

/// Vectors that need not be computed.
#[derive(Default)]
pub(crate) struct KnownContents {
    pub images: HashMap<Fingerprint, Vec<f32>>,
    pub captions: HashMap<Fingerprint, Vec<f32>>,
    /// Contents of images that need not be decoded: those of `images`, when a block begins.
    pub decoded: HashSet<Fingerprint>,
}

/// A block of documents as vectors.
pub(crate) struct EmbeddedBlock {
    /// [documents, dimension]; zero if the image is left out. Empty if the encoder embeds no pictures.
    pub images: Vec<f32>,
    /// [documents, dimension]. Empty if the encoder embeds no texts.
    pub captions: Vec<f32>,
    /// Fingerprint of each image; `None` if it is left out.
    pub image_contents: Vec<Option<Fingerprint>>,
    pub caption_contents: Vec<Fingerprint>,
    pub left_out: Vec<LeftOut>,
}

/// Embeds the images and captions of some documents. New vectors become known.
pub(crate) fn embed_rows(
    dataset: &Dataset,
    rows: Range<usize>,
    encoder: &dyn Embedder,
    known: &mut KnownContents,
    progress: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<EmbeddedBlock> {
    let folder = tempfile::tempdir().context("cannot write in the folder for temporary files")?;
    let [image_rows, caption_rows] = rows_of_sides(encoder, rows.len());
    let shapes = [("image", image_rows), ("caption", caption_rows)];
    let writer = VectorFileWriter::create(&folder.path().join("vectors.safetensors"), &shapes, encoder.dimension())?;
    let mut images =
        KnownVectors { kept: take(&mut known.images), decoded: take(&mut known.decoded), ..KnownVectors::default() };
    let mut captions = KnownVectors { kept: take(&mut known.captions), ..KnownVectors::default() };
    let corpus = embed_corpus(dataset, rows, encoder, writer, (&mut images, &mut captions), progress)?;
    let vectors = corpus.vectors.finish()?;
    for (tensor, side) in [&mut images, &mut captions].into_iter().enumerate() {
        for (content, row) in take(&mut side.written) {
            let vector = vectors.row(tensor, row).context("a vector was not written")?;
            side.kept.insert(content, vector.to_vec());
        }
    }
    known.decoded = images.decoded;
    known.decoded.extend(corpus.image_contents.iter().flatten().cloned());
    (known.images, known.captions) = (images.kept, captions.kept);
    Ok(EmbeddedBlock {
        images: vectors.all(0).to_vec(),
        captions: vectors.all(1).to_vec(),
        image_contents: corpus.image_contents,
        caption_contents: corpus.caption_contents,
        left_out: corpus.left_out,
    })
}
