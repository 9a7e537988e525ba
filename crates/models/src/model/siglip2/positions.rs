//! Resizing learned positions of a square to the grids of images.

use crate::model::dual_encoder::PatchGrid;
use candle_core::{DType, Device, Result, Tensor};

/// Interpolation weights [B, N, side²] from `side` × `side` learned positions to those of each grid in row-major order; 0
/// after a grid's last patch.
///
/// Equals PyTorch's `interpolate(mode="bilinear", align_corners=False, antialias=True)`: separable, with a triangular
/// kernel that is widened for grids smaller than the square.
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

/// Interpolation weights along one axis: for each of `count` positions, the weights of the `side` learned ones.
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
    fn weights_match_pytorch() {
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
