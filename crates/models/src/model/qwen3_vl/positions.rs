//! Learned positions of patches, interpolated from a square table to the grid of an image: bilinear, with the corners of
//! table and image aligned (`get_vision_interpolation_indices_and_weights` in transformers).

use crate::model::qwen2_vl::patch_positions;
use crate::model::vlm::ImageGrid;
use candle_core::{DType, Result, Tensor};
use candle_nn::VarBuilder;

/// A table of `side` × `side` learned positions.
#[derive(Clone, Debug)]
pub(super) struct LearnedPositions {
    /// `[side², width]` in f32, in which positions are interpolated for all dtypes.
    table: Tensor,
    side: usize,
}

impl LearnedPositions {
    pub fn new(side: usize, width: usize, weights: &VarBuilder) -> Result<Self> {
        Ok(Self { table: weights.get((side * side, width), "weight")?.to_dtype(DType::F32)?, side })
    }

    /// Positions `[patches, width]` of an image's patches in the processor's order.
    pub fn of_grid(&self, grid: ImageGrid, merge: usize, dtype: DType) -> Result<Tensor> {
        let patches = patch_positions(grid, merge);
        let mut sum: Option<Tensor> = None;
        for corner in 0..4 {
            let (mut indices, mut weights) = (Vec::with_capacity(patches.len()), Vec::with_capacity(patches.len()));
            for (row, column) in &patches {
                let (upper, lower_weight) = place_on_side(*row, grid.rows, self.side);
                let (left, right_weight) = place_on_side(*column, grid.columns, self.side);
                let (is_lower, is_right) = (corner / 2 == 1, corner % 2 == 1);
                let next = |first: usize, is_next: bool| (first + usize::from(is_next)).min(self.side - 1);
                indices.push((next(upper, is_lower) * self.side + next(left, is_right)) as u32);
                let part = |weight: f32, is_next: bool| if is_next { weight } else { 1.0 - weight };
                weights.push(part(lower_weight, is_lower) * part(right_weight, is_right));
            }
            let indices = Tensor::new(indices.as_slice(), self.table.device())?;
            let weights = Tensor::from_vec(weights, (patches.len(), 1), self.table.device())?;
            let share = self.table.index_select(&indices, 0)?.broadcast_mul(&weights)?;
            sum = Some(match sum {
                None => share,
                Some(sum) => (sum + share)?,
            });
        }
        let Some(sum) = sum else { candle_core::bail!("an image has no patches") };
        sum.to_dtype(dtype)
    }
}

/// The learned position at or before patch `index` of `count` along one side, and the weight of the next one.
fn place_on_side(index: usize, count: usize, side: usize) -> (usize, f32) {
    let place = index as f32 * (side - 1) as f32 / (count - 1).max(1) as f32;
    (place as usize, place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_are_aligned() {
        assert_eq!([0, 1, 2, 3].map(|index| place_on_side(index, 4, 7)), [(0, 0.0), (2, 0.0), (4, 0.0), (6, 0.0)]);
        assert_eq!([0, 1, 2].map(|index| place_on_side(index, 3, 4)), [(0, 0.0), (1, 0.5), (3, 0.0)]);
        assert_eq!(place_on_side(0, 1, 48), (0, 0.0));
    }
}
