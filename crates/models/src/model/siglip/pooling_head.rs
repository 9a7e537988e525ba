//! Multi-head attention pooling (Zhai et al. 2022, "Scaling vision transformers", appendix): one learned query over all
//! patches.

use crate::model::layers::{Activation, EncoderShape, LayerNorm, Linear, Mode, attend, layer_norm, linear};
use candle_core::{Result, Tensor};
use candle_nn::{Init, Module, VarBuilder};

/// The pooling head (`SiglipMultiheadAttentionPoolingHead`); weights under `head.`, with query, key and value in one tensor
/// as in PyTorch's `MultiheadAttention`.
#[derive(Clone, Debug)]
pub(in crate::model) struct PoolingHead {
    /// The learned query [1, 1, width].
    probe: Tensor,
    /// `in_proj_weight` [3 · width, width] and `in_proj_bias` [3 · width].
    input: (Tensor, Tensor),
    output: Linear,
    norm: LayerNorm,
    fc1: Linear,
    activation: Activation,
    fc2: Linear,
    heads: usize,
    mode: Mode,
}

impl PoolingHead {
    pub fn new(shape: &EncoderShape, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (width, inner) = (shape.width, shape.inner_width);
        let deviation = (width as f64).powf(-0.5);
        let normal = Init::Randn { mean: 0.0, stdev: deviation };
        let attention = vars.pp("attention");
        Ok(Self {
            probe: vars.get_with_hints((1, 1, width), "probe", normal)?,
            input: (
                attention.get_with_hints((3 * width, width), "in_proj_weight", normal)?,
                attention.get_with_hints(3 * width, "in_proj_bias", Init::Const(0.0))?,
            ),
            output: linear(width, width, deviation, &attention.pp("out_proj"))?,
            norm: layer_norm(width, shape.epsilon, mode, &vars.pp("layernorm"))?,
            fc1: linear(width, inner, deviation, &vars.pp("mlp.fc1"))?,
            activation: shape.activation,
            fc2: linear(inner, width, (inner as f64).powf(-0.5), &vars.pp("mlp.fc2"))?,
            heads: shape.heads,
            mode,
        })
    }

    /// Pools patches `states` [B, T, width] to [B, width]; `mask` [B, 1, 1, T] is 0 for patches and -inf for padding.
    pub fn forward(&self, states: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let (batch, length, width) = states.dims3()?;
        let by_head = |values: &Tensor, length: usize| -> Result<Tensor> {
            values.reshape((batch, length, self.heads, width / self.heads))?.transpose(1, 2)
        };
        let rows = states.reshape((batch * length, width))?;
        let queries = self.part(0, &self.probe.reshape((1, width))?)?;
        let queries = by_head(&queries.expand((batch, width))?.contiguous()?, 1)?;
        let (keys, values) = (by_head(&self.part(1, &rows)?, length)?, by_head(&self.part(2, &rows)?, length)?);
        let attended = attend(&queries, &keys, &values, mask, self.mode)?;
        let attended = self.output.forward(&attended.transpose(1, 2)?.reshape((batch, width))?)?;
        let widened = self.activation.apply(&self.fc1.forward(&self.norm.forward(&attended)?)?)?;
        &attended + self.fc2.forward(&widened)?
    }

    /// Projects `rows` [N, width] to queries (0), keys (1) or values (2).
    fn part(&self, number: usize, rows: &Tensor) -> Result<Tensor> {
        let width = rows.dim(1)?;
        let weight = self.input.0.narrow(0, number * width, width)?;
        let bias = self.input.1.narrow(0, number * width, width)?;
        rows.matmul(&weight.t()?)?.broadcast_add(&bias)
    }
}
