//! Decodes the corpus images ahead of the encoder, on all cores, with bounded memory.

use anyhow::Result;
use dissent_core::data::{Dataset, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use image::RgbImage;
use rayon::prelude::*;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};

/// Images per batch.
const BATCH: usize = 16;
/// Batches that wait for the encoder. With the ones being encoded and decoded, at most four are in memory.
const WAITING_BATCHES: usize = 2;

/// One corpus image.
pub(super) struct DecodedImage {
    /// Hash of the file's content.
    pub fingerprint: Fingerprint,
    /// `None` if the vector of this content is already known.
    pub pixels: Option<RgbImage>,
}

/// A batch in corpus order; a broken image is an error at its position.
pub(super) type DecodedBatch = Vec<(usize, Result<DecodedImage>)>;

/// Calls `consume` with every batch of these rows of the corpus, in order, while the next ones are being decoded.
pub(super) fn for_each_batch(
    dataset: &Dataset,
    rows: Range<usize>,
    known: &HashSet<Fingerprint>,
    mut consume: impl FnMut(DecodedBatch) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<DecodedBatch>(WAITING_BATCHES);
        scope.spawn(move || {
            let rows: Vec<usize> = rows.collect();
            for batch in rows.chunks(BATCH) {
                let decoded = batch.par_iter().map(|row| (*row, decode(dataset, *row, known))).collect();
                // The consumer has stopped.
                if sender.send(decoded).is_err() {
                    return;
                }
            }
        });
        consume_all(receiver, &mut consume)
    })
}

/// Takes the receiver by value, so that it is dropped on an error and the decoding thread ends.
fn consume_all(receiver: Receiver<DecodedBatch>, consume: &mut impl FnMut(DecodedBatch) -> Result<()>) -> Result<()> {
    for batch in receiver {
        consume(batch)?;
    }
    Ok(())
}

/// Contents of the images of these documents as they are now; `None` for one that cannot be read.
#[cfg(feature = "milvus")]
pub(crate) fn contents_of_images(dataset: &Dataset, rows: Range<usize>) -> Vec<Option<Fingerprint>> {
    let content = |row: usize| {
        let bytes = Picture::read_bytes(&dataset.image_path(dataset.corpus.document(row).image)).ok()?;
        Some(Picture::fingerprint_of(&bytes))
    };
    rows.into_par_iter().map(content).collect()
}

/// Whether this document's image can be indexed now.
pub(super) fn is_readable(dataset: &Dataset, row: usize) -> bool {
    decode(dataset, row, &HashSet::new()).is_ok()
}

fn decode(dataset: &Dataset, row: usize, known: &HashSet<Fingerprint>) -> Result<DecodedImage> {
    let path = dataset.image_path(dataset.corpus.document(row).image);
    let bytes = Picture::read_bytes(&path)?;
    let fingerprint = Picture::fingerprint_of(&bytes);
    if known.contains(&fingerprint) {
        return Ok(DecodedImage { fingerprint, pixels: None });
    }
    let picture = Picture::decode(&path, &bytes)?;
    Ok(DecodedImage { fingerprint, pixels: Some(picture.to_rgb8()) })
}
