//! One layer: attention and MLP, each with a norm before it and a learned scale per channel after it (LayerScale; Touvron
//! et al. 2021).

use super::config::Dinov2Config;
use crate::model::layers::{
    Activation, LayerNorm, Linear, Mode, attend, layer_norm, linear, linear_without_bias, multiply_per_channel,
};
use candle_core::{Result, Tensor};
use candle_nn::{Init, Module, VarBuilder};

/// Standard deviation of initial weights (`initializer_range`).
pub(super) const INIT_STD: f64 = 0.02;

/// A layer; weights under `encoder.layer.N.`.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    norm_before_attention: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    attention_output: Linear,
    attention_scale: Tensor,
    norm_before_mlp: LayerNorm,
    fc1: Linear,
    activation: Activation,
    fc2: Linear,
    mlp_scale: Tensor,
    heads: usize,
    mode: Mode,
}

impl Layer {
    pub fn new(config: &Dinov2Config, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let shape = &config.encoder;
        let (width, inner) = (shape.width, shape.inner_width);
        let attention = vars.pp("attention");
        let part = |name: &str| {
            let vars = attention.pp("attention").pp(name);
            if config.has_attention_bias {
                linear(width, width, INIT_STD, &vars)
            } else {
                linear_without_bias(width, width, INIT_STD, &vars)
            }
        };
        let scale = |name: &str| vars.pp(name).get_with_hints(width, "lambda1", Init::Const(1.0));
        Ok(Self {
            norm_before_attention: layer_norm(width, shape.epsilon, mode, &vars.pp("norm1"))?,
            query: part("query")?,
            key: part("key")?,
            value: part("value")?,
            attention_output: linear(width, width, INIT_STD, &attention.pp("output.dense"))?,
            attention_scale: scale("layer_scale1")?,
            norm_before_mlp: layer_norm(width, shape.epsilon, mode, &vars.pp("norm2"))?,
            fc1: linear(width, inner, INIT_STD, &vars.pp("mlp.fc1"))?,
            activation: shape.activation,
            fc2: linear(inner, width, INIT_STD, &vars.pp("mlp.fc2"))?,
            mlp_scale: scale("layer_scale2")?,
            heads: shape.heads,
            mode,
        })
    }

    /// Maps hidden states [B, T, width] to the same shape.
    pub fn forward(&self, states: &Tensor) -> Result<Tensor> {
        let attended = self.attend(&self.norm_before_attention.forward(states)?)?;
        let states = (states + multiply_per_channel(&attended, &self.attention_scale)?)?;
        let hidden = self.activation.apply(&self.fc1.forward(&self.norm_before_mlp.forward(&states)?)?)?;
        let narrowed = self.fc2.forward(&hidden)?;
        &states + multiply_per_channel(&narrowed, &self.mlp_scale)?
    }

    fn attend(&self, states: &Tensor) -> Result<Tensor> {
        let (batch, length, width) = states.dims3()?;
        let by_head = |part: &Linear| -> Result<Tensor> {
            part.forward(states)?.reshape((batch, length, self.heads, width / self.heads))?.transpose(1, 2)
        };
        let (queries, keys, values) = (by_head(&self.query)?, by_head(&self.key)?, by_head(&self.value)?);
        let attended = attend(&queries, &keys, &values, None, self.mode)?;
        self.attention_output.forward(&attended.transpose(1, 2)?.reshape((batch, length, width))?)
    }
}
