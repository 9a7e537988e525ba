//! Training images in memory, decoded once.

use anyhow::Result;
use dissent_core::data::{Dataset, Picture};
use image::RgbImage;
use rayon::prelude::*;
use std::path::Path;

/// Decodes the images in parallel; `scale` brings each to the size that the model sees. The first broken file is an
/// error: training on half the data would not be the requested run.
pub fn decode_all(
    dataset: &Dataset,
    images: &[&Path],
    scale: impl Fn(&RgbImage) -> RgbImage + Sync,
) -> Result<Vec<RgbImage>> {
    images.par_iter().map(|image| Ok(scale(&Picture::read(&dataset.image_path(image))?.to_rgb8()))).collect()
}
