//! One layer: attention and MLP, each added to its input and normalised after that.

use super::config::BertConfig;
use crate::model::layers::{Activation, LayerNorm, Linear, Mode, attend, layer_norm, linear, linear_without_bias};
use candle_core::{D, Result, Tensor};
use candle_nn::{Module, VarBuilder};

/// First spread of weights, as BERT has it.
pub(super) const DEVIATION: f64 = 0.02;

/// `encoder.layer.N`.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attention_output: Linear,
    attention_norm: LayerNorm,
    widen: Linear,
    is_gated: bool,
    narrow: Linear,
    norm: LayerNorm,
    heads: usize,
    mode: Mode,
}

impl Layer {
    pub fn new(config: &BertConfig, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (width, inner) = (config.width, config.inner_width);
        let attention = vars.pp("attention");
        let part = |name: &str| linear(width, width, DEVIATION, &attention.pp(name));
        let widen = vars.pp("intermediate.dense");
        Ok(Self {
            query: part("self.query")?,
            key: part("self.key")?,
            value: part("self.value")?,
            attention_output: part("output.dense")?,
            attention_norm: layer_norm(width, config.epsilon, mode, &attention.pp("output.LayerNorm"))?,
            widen: if config.is_gated {
                linear_without_bias(width, 2 * inner, DEVIATION, &widen)?
            } else {
                linear(width, inner, DEVIATION, &widen)?
            },
            is_gated: config.is_gated,
            narrow: linear(inner, width, DEVIATION, &vars.pp("output.dense"))?,
            norm: layer_norm(width, config.epsilon, mode, &vars.pp("output.LayerNorm"))?,
            heads: config.heads,
            mode,
        })
    }

    /// `states` [B, T, width]; `mask` as in [`attend`].
    pub fn forward(&self, states: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let (batch, length, width) = states.dims3()?;
        let by_head = |part: &Linear| -> Result<Tensor> {
            part.forward(states)?.reshape((batch, length, self.heads, width / self.heads))?.transpose(1, 2)
        };
        let (queries, keys, values) = (by_head(&self.query)?, by_head(&self.key)?, by_head(&self.value)?);
        let attended = attend(&queries, &keys, &values, Some(mask), self.mode)?;
        let attended = self.attention_output.forward(&attended.transpose(1, 2)?.reshape((batch, length, width))?)?;
        let states = self.attention_norm.forward(&(attended + states)?)?;
        let inner = self.narrow.forward(&self.activate(&self.widen.forward(&states)?)?)?;
        self.norm.forward(&(inner + states)?)
    }

    fn activate(&self, widened: &Tensor) -> Result<Tensor> {
        if !self.is_gated {
            return Activation::Gelu.apply(widened);
        }
        let inner = widened.dim(D::Minus1)? / 2;
        let gate = widened.narrow(D::Minus1, 0, inner)?.contiguous()?;
        Activation::Gelu.apply(&gate)? * widened.narrow(D::Minus1, inner, inner)?
    }
}
