//! Self-attention of patches with 2-D RoPE, as in the vision towers of Qwen2-VL, Qwen2.5-VL and Qwen3-VL.

use crate::model::decoder::rotary::Rope;
use crate::model::layers::{Linear, Mode, attend, linear};
use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

/// Standard deviation of initial weights, which loaded weights replace.
pub(in crate::model) const INIT_STD: f64 = 0.02;

/// Attention whose queries, keys and values come from one matrix.
#[derive(Clone, Debug)]
pub(in crate::model) struct PatchAttention {
    query_key_value: Linear,
    output: Linear,
    heads: usize,
}

impl PatchAttention {
    pub fn new(width: usize, heads: usize, weights: &VarBuilder) -> Result<Self> {
        Ok(Self {
            query_key_value: linear(width, 3 * width, INIT_STD, &weights.pp("qkv"))?,
            output: linear(width, width, INIT_STD, &weights.pp("proj"))?,
            heads,
        })
    }

    /// Maps `input` `[B, patches, width]` to the same shape. `groups` lists (number of windows, patches per window) for the
    /// consecutive windows of each size; a patch attends to its window.
    pub fn forward(&self, input: &Tensor, rope: &Rope, groups: &[(usize, usize)]) -> Result<Tensor> {
        let (batch, length, width) = input.dims3()?;
        let size = width / self.heads;
        let together = self.query_key_value.forward(input)?.reshape((batch, length, 3, self.heads, size))?;
        let part = |index: usize| together.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
        let rotated = |index: usize| rope.apply(&part(index)?, Mode::Infer);
        let (query, key, value) = (rotated(0)?, rotated(1)?, part(2)?);
        let mut start = 0;
        let mut parts = Vec::with_capacity(groups.len());
        for (count, tokens) in groups {
            // The windows of a group become rows of a batch.
            let rows = |all: &Tensor| -> Result<Tensor> {
                all.narrow(2, start, count * tokens)?
                    .reshape((batch, self.heads, *count, *tokens, size))?
                    .transpose(1, 2)?
                    .reshape((batch * count, self.heads, *tokens, size))
            };
            let attended = attend(&rows(&query)?, &rows(&key)?, &rows(&value)?, None, Mode::Infer)?;
            let back = attended.reshape((batch, *count, self.heads, *tokens, size))?.transpose(2, 3)?;
            parts.push(back.reshape((batch, count * tokens, width))?);
            start += count * tokens;
        }
        self.output.forward(&Tensor::cat(&parts, 1)?)
    }
}
