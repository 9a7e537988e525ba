//! Rotary position embeddings of a text (RoFormer, Su et al. 2024), each element of a head's first half paired with one of
//! its second half.

use crate::model::layers::{Mode, apply_rope};
use candle_core::{Device, Result, Tensor};

/// Cosines and sines [T, head width / 2] in f32.
#[derive(Clone, Debug)]
pub(super) struct Rope {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    /// RoPE with base `theta` for a text of `length` tokens.
    pub fn new(length: usize, head_width: usize, theta: f64, device: &Device) -> Result<Self> {
        let pairs = head_width / 2;
        let frequency = |pair: usize| theta.powf(-2.0 * pair as f64 / head_width as f64) as f32;
        let frequencies: Vec<f32> = (0..pairs).map(frequency).collect();
        let mut angles = Vec::with_capacity(length * pairs);
        for place in 0..length {
            angles.extend(frequencies.iter().map(|frequency| place as f32 * frequency));
        }
        let angles = Tensor::from_vec(angles, (length, pairs), device)?;
        Ok(Self { cos: angles.cos()?, sin: angles.sin()? })
    }

    /// Applies RoPE to `heads` [B, heads, T, head width].
    pub fn apply(&self, heads: &Tensor, mode: Mode) -> Result<Tensor> {
        let heads = heads.contiguous()?;
        if mode == Mode::Infer {
            return apply_rope(&heads, &self.cos, &self.sin);
        }
        candle_nn::rotary_emb::rope_slow(&heads.to_dtype(self.cos.dtype())?, &self.cos, &self.sin)?
            .to_dtype(heads.dtype())
    }
}
