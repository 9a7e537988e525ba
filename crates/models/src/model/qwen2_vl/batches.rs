//! Batches of images for vision towers that take patches of one grid.

use super::processor::Qwen2VlProcessor;
use crate::model::vlm::{ImageGrid, PreparedImage};
use anyhow::Result;
use candle_core::Tensor;

/// Bounds the memory of the vision tower; at least one image is processed at a time.
const PATCHES_PER_BATCH: usize = 8192;

/// Features `[rows, columns, values]` of each image. `tower` maps patches `[B, patches, values per patch]` of images with one
/// grid to `[B, tokens, values]`.
pub(in crate::model) fn encode_by_grid(
    images: &[PreparedImage],
    processor: &Qwen2VlProcessor,
    tower: impl Fn(&Tensor, ImageGrid) -> candle_core::Result<Tensor>,
) -> Result<Vec<Tensor>> {
    let mut features: Vec<Option<Tensor>> = vec![None; images.len()];
    for first in 0..images.len() {
        if features[first].is_some() {
            continue;
        }
        let grid = images[first].grid;
        let most = (PATCHES_PER_BATCH / grid.patches().max(1)).max(1);
        let alike = (first..images.len()).filter(|other| images[*other].grid == grid && features[*other].is_none());
        let alike: Vec<usize> = alike.take(most).collect();
        let batch: Vec<&Tensor> = alike.iter().map(|index| &images[*index].pixels).collect();
        let encoded = tower(&Tensor::stack(&batch, 0)?, grid)?;
        let (rows, columns) = processor.tokens_of(grid);
        let values = encoded.dim(2)?;
        for (place, index) in alike.into_iter().enumerate() {
            features[index] = Some(encoded.get(place)?.reshape((rows, columns, values))?);
        }
    }
    Ok(features.into_iter().flatten().collect())
}
