//! 2-D RoPE of EVA-02: the first half of a head encodes the row, the second the column; pairs are adjacent elements.

use crate::model::layers::Mode;
use candle_core::{DType, Device, Result, Tensor};

/// The RoPE base.
const THETA: f64 = 10_000.0;

/// Cosines and sines [1 + grid², head width / 2]; the first row is the class token, which is not rotated.
#[derive(Clone, Debug)]
pub(super) struct Rope {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    /// RoPE of a square grid, with positions scaled as if it had `counted_as` patches along one side.
    pub fn of_grid(grid: usize, counted_as: usize, head_width: usize, dtype: DType, device: &Device) -> Result<Self> {
        // One frequency per pair of elements; half of the pairs encode the row.
        let count = head_width / 4;
        let frequencies: Vec<f32> = (0..count).map(|pair| THETA.powf(-(pair as f64) / count as f64) as f32).collect();
        let positions: Vec<f32> = (0..grid).map(|position| position as f32 / grid as f32 * counted_as as f32).collect();
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

    /// Applies RoPE to `heads` [B, heads, 1 + grid², head width].
    pub fn apply(&self, heads: &Tensor, mode: Mode) -> Result<Tensor> {
        if mode == Mode::Infer {
            return candle_nn::rotary_emb::rope_i(&heads.contiguous()?, &self.cos, &self.sin);
        }
        let (batch, count, length, width) = heads.dims4()?;
        let pairs = heads.reshape((batch, count, length, width / 2, 2))?;
        let (first, second) = (pairs.narrow(4, 0, 1)?, pairs.narrow(4, 1, 1)?);
        let (cos, sin) = (self.cos.unsqueeze(2)?, self.sin.unsqueeze(2)?);
        let rotated_first = (first.broadcast_mul(&cos)? - second.broadcast_mul(&sin)?)?;
        let rotated_second = (second.broadcast_mul(&cos)? + first.broadcast_mul(&sin)?)?;
        Tensor::cat(&[rotated_first, rotated_second], 4)?.reshape(heads.shape())
    }
}
