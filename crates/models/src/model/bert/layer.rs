//! One post-norm transformer layer.

use super::config::BertConfig;
use super::rope::Rope;
use crate::model::layers::{Activation, LayerNorm, Linear, Mode, attend, layer_norm, linear, linear_without_bias};
use candle_core::{D, Result, Tensor};
use candle_nn::{Module, VarBuilder};

/// Standard deviation of initial weights (`initializer_range` of BERT).
pub(super) const INIT_STD: f64 = 0.02;

/// A layer; weights under `encoder.layer.N.`.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attention_output: Linear,
    attention_norm: LayerNorm,
    intermediate: Linear,
    is_gated: bool,
    output: Linear,
    norm: LayerNorm,
    heads: usize,
    mode: Mode,
}

impl Layer {
    pub fn new(config: &BertConfig, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (width, inner) = (config.width, config.inner_width);
        let attention = vars.pp("attention");
        let part = |name: &str| linear(width, width, INIT_STD, &attention.pp(name));
        let intermediate = vars.pp("intermediate.dense");
        Ok(Self {
            query: part("self.query")?,
            key: part("self.key")?,
            value: part("self.value")?,
            attention_output: part("output.dense")?,
            attention_norm: layer_norm(width, config.epsilon, mode, &attention.pp("output.LayerNorm"))?,
            intermediate: if config.is_gated {
                linear_without_bias(width, 2 * inner, INIT_STD, &intermediate)?
            } else {
                linear(width, inner, INIT_STD, &intermediate)?
            },
            is_gated: config.is_gated,
            output: linear(inner, width, INIT_STD, &vars.pp("output.dense"))?,
            norm: layer_norm(width, config.epsilon, mode, &vars.pp("output.LayerNorm"))?,
            heads: config.heads,
            mode,
        })
    }

    /// Maps hidden states [B, T, width] to the same shape; `mask` as in [`attend`].
    pub fn forward(&self, states: &Tensor, mask: &Tensor, rope: Option<&Rope>) -> Result<Tensor> {
        let (batch, length, width) = states.dims3()?;
        let by_head = |part: &Linear| -> Result<Tensor> {
            part.forward(states)?.reshape((batch, length, self.heads, width / self.heads))?.transpose(1, 2)
        };
        let (mut queries, mut keys, values) = (by_head(&self.query)?, by_head(&self.key)?, by_head(&self.value)?);
        if let Some(rope) = rope {
            (queries, keys) = (rope.apply(&queries, self.mode)?, rope.apply(&keys, self.mode)?);
        }
        let attended = attend(&queries, &keys, &values, Some(mask), self.mode)?;
        let attended = self.attention_output.forward(&attended.transpose(1, 2)?.reshape((batch, length, width))?)?;
        let states = self.attention_norm.forward(&(attended + states)?)?;
        let inner = self.output.forward(&self.activate(&self.intermediate.forward(&states)?)?)?;
        self.norm.forward(&(inner + states)?)
    }

    fn activate(&self, hidden: &Tensor) -> Result<Tensor> {
        if !self.is_gated {
            return Activation::Gelu.apply(hidden);
        }
        let inner = hidden.dim(D::Minus1)? / 2;
        let gate = hidden.narrow(D::Minus1, 0, inner)?.contiguous()?;
        Activation::Gelu.apply(&gate)? * hidden.narrow(D::Minus1, inner, inner)?
    }
}
