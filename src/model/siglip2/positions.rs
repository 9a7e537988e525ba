//! Learned positions of a square, resized to the grids of pictures.

use crate::model::dual_encoder::PatchGrid;
use candle_core::{DType, Device, Result, Tensor};

/// The weights [B, N, side²] by which the positions of a square of `side` · `side` patches make those of each grid, row by
/// row; 0 behind its last patch.
///
/// As PyTorch's `interpolate(mode="bilinear", align_corners=False, antialias=True)`: rows and columns one after the other,
/// with a triangle that grows where the grid is smaller than the square.
pub(super) fn position_weights(
    grids: &[PatchGrid],
    patches: usize,
    side: usize,
    dtype: DType,
    device: &Device,
) -> Result<Tensor> {
    let learned = side * side;
    let mut weights = vec![0.0_f32; grids.len() * patches * learned];
    for (grid, weights) in grids.iter().zip(weights.chunks_mut(patches * learned)) {
        let (rows, columns) = (along(side, grid.rows), along(side, grid.columns));
        for (patch, weights) in weights.chunks_mut(learned).take(grid.count()).enumerate() {
            let (row, column) = (&rows[patch / grid.columns], &columns[patch % grid.columns]);
            for (place, weight) in weights.iter_mut().enumerate() {
                *weight = (row[place / side] * column[place % side]) as f32;
            }
        }
    }
    Tensor::from_vec(weights, (grids.len(), patches, learned), device)?.to_dtype(dtype)
}

/// What each of `count` places along one side takes of the `side` learned ones.
fn along(side: usize, count: usize) -> Vec<Vec<f64>> {
    let scale = side as f64 / count as f64;
    let support = scale.max(1.0);
    let weights_of = |place: usize| {
        let centre = (place as f64 + 0.5) * scale - 0.5;
        let weight = |learned: usize| (1.0 - (learned as f64 - centre).abs() / support).max(0.0);
        let weights: Vec<f64> = (0..side).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum).collect()
    };
    (0..count).map(weights_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(side: usize, count: usize) -> Vec<Vec<f64>> {
        let round = |weight: &f64| (weight * 1e6).round() / 1e6;
        along(side, count).iter().map(|row| row.iter().map(round).collect()).collect()
    }

    /// Columns of `torch.nn.functional.interpolate(torch.eye(4)[None, None], (4, count), mode="bilinear", antialias=True)`.
    #[test]
    fn weights_are_those_of_pytorch() {
        assert_eq!(
            rounded(4, 4),
            [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
        );
        assert_eq!(rounded(4, 1), [[0.208333, 0.291667, 0.291667, 0.208333]]);
        assert_eq!(rounded(4, 3), [[0.7, 0.3, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.3, 0.7]]);
        assert_eq!(
            rounded(4, 6),
            [
                [1.0, 0.0, 0.0, 0.0],
                [0.5, 0.5, 0.0, 0.0],
                [0.0, 0.833333, 0.166667, 0.0],
                [0.0, 0.166667, 0.833333, 0.0],
                [0.0, 0.0, 0.5, 0.5],
                [0.0, 0.0, 0.0, 1.0]
            ]
        );
    }
}
