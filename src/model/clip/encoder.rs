//! The pre-norm transformer that both towers share, and the image tower of SmolVLM.

use crate::model::layers::{Activation, LayerNorm, Linear, Mode, attend, layer_norm, linear};
use candle_core::{Result, Tensor};
use candle_nn::{Module, VarBuilder};

/// Sizes of a tower's transformer.
pub(in crate::model) struct EncoderShape {
    pub width: usize,
    pub inner_width: usize,
    pub layers: usize,
    pub heads: usize,
    pub activation: Activation,
    pub epsilon: f64,
    /// Factor on every initial deviation.
    pub factor: f64,
}

/// `encoder.layers.N`.
#[derive(Clone, Debug)]
pub(in crate::model) struct Encoder {
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
struct Layer {
    norm_before_attention: LayerNorm,
    attention: Attention,
    norm_before_mlp: LayerNorm,
    widen: Linear,
    activation: Activation,
    narrow: Linear,
}

#[derive(Clone, Debug)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
    mode: Mode,
}

impl Encoder {
    pub fn new(shape: &EncoderShape, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let mut layers = Vec::with_capacity(shape.layers);
        for number in 0..shape.layers {
            layers.push(Layer::new(shape, mode, &vars.pp("layers").pp(number))?);
        }
        Ok(Self { layers })
    }

    /// `states` [B, T, width], `mask` as in [`attend`]; gives the last layer's states.
    pub fn forward(&self, states: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let mut states = states.clone();
        for layer in &self.layers {
            states = layer.forward(&states, mask)?;
        }
        Ok(states)
    }
}

impl Layer {
    fn new(shape: &EncoderShape, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        // Initial deviations of `CLIPPreTrainedModel._init_weights`.
        let width = shape.width as f64;
        let narrow_deviation = shape.factor * (2.0 * width * shape.layers as f64).powf(-0.5);
        let widen_deviation = shape.factor * (2.0 * width).powf(-0.5);
        Ok(Self {
            norm_before_attention: layer_norm(shape.width, shape.epsilon, mode, &vars.pp("layer_norm1"))?,
            attention: Attention::new(shape, mode, &vars.pp("self_attn"))?,
            norm_before_mlp: layer_norm(shape.width, shape.epsilon, mode, &vars.pp("layer_norm2"))?,
            widen: linear(shape.width, shape.inner_width, widen_deviation, &vars.pp("mlp.fc1"))?,
            activation: shape.activation,
            narrow: linear(shape.inner_width, shape.width, narrow_deviation, &vars.pp("mlp.fc2"))?,
        })
    }

    fn forward(&self, states: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let attended = self.attention.forward(&self.norm_before_attention.forward(states)?, mask)?;
        let states = (states + attended)?;
        let widened = self.widen.forward(&self.norm_before_mlp.forward(&states)?)?;
        let narrowed = self.narrow.forward(&self.activation.apply(&widened)?)?;
        states + narrowed
    }
}

impl Attention {
    fn new(shape: &EncoderShape, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let width = shape.width as f64;
        let input_deviation = shape.factor * (2.0 * width * shape.layers as f64).powf(-0.5);
        let output_deviation = shape.factor * width.powf(-0.5);
        let part = |name: &str, deviation: f64| linear(shape.width, shape.width, deviation, &vars.pp(name));
        Ok(Self {
            query: part("q_proj", input_deviation)?,
            key: part("k_proj", input_deviation)?,
            value: part("v_proj", input_deviation)?,
            output: part("out_proj", output_deviation)?,
            heads: shape.heads,
            mode,
        })
    }

    fn forward(&self, states: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let (batch, length, width) = states.dims3()?;
        let by_head = |part: &Linear| -> Result<Tensor> {
            part.forward(states)?.reshape((batch, length, self.heads, width / self.heads))?.transpose(1, 2)
        };
        let (queries, keys, values) = (by_head(&self.query)?, by_head(&self.key)?, by_head(&self.value)?);
        let attended = attend(&queries, &keys, &values, mask, self.mode)?;
        self.output.forward(&attended.transpose(1, 2)?.reshape((batch, length, width))?)
    }
}
