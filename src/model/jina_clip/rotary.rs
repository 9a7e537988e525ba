//! Two-dimensional rotary positions of EVA-02: the first half of a head turns by the row, the second by the column;
//! neighbouring values are turned against each other.

use crate::model::layers::Mode;
use candle_core::{DType, Device, Result, Tensor};

/// Base of the frequencies.
const THETA: f64 = 10_000.0;

/// Cosines and sines [1 + grid², head width / 2]; the class token, which comes first, is not turned.
#[derive(Clone, Debug)]
pub(super) struct Rope {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    /// Angles of a square grid, whose positions are counted as if it had `counted_as` patches along one side.
    pub fn of_grid(grid: usize, counted_as: usize, head_width: usize, dtype: DType, device: &Device) -> Result<Self> {
        // A frequency turns one pair of values, and half of the pairs belong to the row.
        let count = head_width / 4;
        let frequencies: Vec<f32> = (0..count).map(|pair| THETA.powf(-(pair as f64) / count as f64) as f32).collect();
        let positions: Vec<f32> = (0..grid).map(|place| place as f32 / grid as f32 * counted_as as f32).collect();
        let mut angles = vec![0.0_f32; 2 * count];
        for row in &positions {
            for column in &positions {
                angles.extend(frequencies.iter().map(|frequency| row * frequency));
                angles.extend(frequencies.iter().map(|frequency| column * frequency));
            }
        }
        let angles = Tensor::from_vec(angles, (1 + grid * grid, 2 * count), device)?;
        Ok(Self { cos: angles.cos()?.to_dtype(dtype)?, sin: angles.sin()?.to_dtype(dtype)? })
    }

    /// Turns `heads` [B, heads, 1 + grid², head width].
    pub fn apply(&self, heads: &Tensor, mode: Mode) -> Result<Tensor> {
        if mode == Mode::Infer {
            return candle_nn::rotary_emb::rope_i(&heads.contiguous()?, &self.cos, &self.sin);
        }
        let (batch, count, length, width) = heads.dims4()?;
        let pairs = heads.reshape((batch, count, length, width / 2, 2))?;
        let (first, second) = (pairs.narrow(4, 0, 1)?, pairs.narrow(4, 1, 1)?);
        let (cos, sin) = (self.cos.unsqueeze(2)?, self.sin.unsqueeze(2)?);
        let turned_first = (first.broadcast_mul(&cos)? - second.broadcast_mul(&sin)?)?;
        let turned_second = (second.broadcast_mul(&cos)? + first.broadcast_mul(&sin)?)?;
        Tensor::cat(&[turned_first, turned_second], 4)?.reshape(heads.shape())
    }
}
