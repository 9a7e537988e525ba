//! Resizing learned positions to the grid of other image sizes.

use candle_core::{Device, Result, Tensor};

/// The constant of PyTorch's cubic convolution (Keys 1981).
const A: f64 = -0.75;

/// Interpolation weights [grid, learned] in f32 along one axis of a square grid.
///
/// Equals PyTorch's `interpolate(mode="bicubic", align_corners=False)`: separable, without a wider kernel for smaller grids,
/// and with the border's positions repeated.
pub(super) fn axis_weights(learned: usize, grid: usize, device: &Device) -> Result<Tensor> {
    let weights: Vec<f32> = along(learned, grid).into_iter().flatten().map(|weight| weight as f32).collect();
    Tensor::from_vec(weights, (grid, learned), device)
}

/// Resizes `positions` [learned², width] to [grid², width], both in row-major order; `weights` are those of both axes.
pub(super) fn resized(positions: &Tensor, weights: &Tensor) -> Result<Tensor> {
    let (grid, learned) = weights.dims2()?;
    let width = positions.dim(1)?;
    let rows = weights.matmul(&positions.reshape((learned, learned * width))?)?;
    let columns_first = rows.reshape((grid, learned, width))?.transpose(0, 1)?.reshape((learned, grid * width))?;
    weights.matmul(&columns_first)?.reshape((grid, grid, width))?.transpose(0, 1)?.reshape((grid * grid, width))
}

/// Weights along one axis: for each of `grid` positions, those of the `learned` ones.
fn along(learned: usize, grid: usize) -> Vec<Vec<f64>> {
    let scale = learned as f64 / grid as f64;
    let last = learned as i64 - 1;
    let mut rows = Vec::with_capacity(grid);
    for place in 0..grid {
        let centre = (place as f64 + 0.5) * scale - 0.5;
        let mut row = vec![0.0; learned];
        for offset in -1..=2_i64 {
            let neighbour = centre.floor() as i64 + offset;
            row[neighbour.clamp(0, last) as usize] += cubic((neighbour as f64 - centre).abs());
        }
        rows.push(row);
    }
    rows
}

/// The kernel at this distance, which is at most 2.
fn cubic(distance: f64) -> f64 {
    if distance <= 1.0 {
        ((A + 2.0) * distance - (A + 3.0)) * distance * distance + 1.0
    } else {
        ((A * distance - 5.0 * A) * distance + 8.0 * A) * distance - 4.0 * A
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns of `torch.nn.functional.interpolate(torch.eye(4)[None, None], (4, count), mode="bicubic")`.
    #[test]
    fn weights_match_pytorch() {
        let rounded = |count: usize| -> Vec<Vec<f64>> {
            let round = |weight: &f64| (weight * 1e6).round() / 1e6;
            along(4, count).iter().map(|row| row.iter().map(round).collect()).collect()
        };
        assert_eq!(rounded(4)[2], [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(rounded(2), [[0.5, 0.59375, -0.09375, 0.0], [0.0, -0.09375, 0.59375, 0.5]]);
        let six = rounded(6);
        assert_eq!(six[0], [1.086806, -0.086806, 0.0, 0.0]);
        assert_eq!(six[2], [-0.086806, 0.943287, 0.16088, -0.017361]);
    }
}
