//! The pre-norm transformer encoder of CLIP and SigLIP, with the tensor names of transformers (`CLIPEncoder`).

use super::{Activation, LayerNorm, Linear, Mode, attend, layer_norm, linear};
use crate::model::limits::check_sizes;
use candle_core::Tensor;
use candle_nn::{Module, VarBuilder};

/// Hyperparameters of a tower's transformer.
#[derive(Clone, Copy, Debug)]
pub struct EncoderShape {
    pub width: usize,
    pub inner_width: usize,
    pub layers: usize,
    pub heads: usize,
    pub activation: Activation,
    pub epsilon: f64,
    /// Factor on the standard deviation of all initial weights (`initializer_factor`).
    pub factor: f64,
}

/// Upper bound that protects against broken configurations.
const MOST_LAYERS: usize = 1000;

impl EncoderShape {
    /// Checks that the sizes are consistent.
    ///
    /// # Errors
    /// Fails if they are not; the message names `place`, the section of the configuration.
    pub fn check(&self, place: &str) -> Result<(), String> {
        let sizes = [("hidden_size", self.width), ("intermediate_size", self.inner_width)];
        check_sizes(place, &sizes)?;
        if !self.width.is_multiple_of(self.heads) {
            let (width, heads) = (self.width, self.heads);
            return Err(format!("{place}: hidden_size {width} is not a multiple of num_attention_heads {heads}"));
        }
        if self.layers > MOST_LAYERS {
            return Err(format!("{place}: expected at most {MOST_LAYERS} num_hidden_layers, found {}", self.layers));
        }
        Ok(())
    }
}

/// `layers.N`, each with `layer_norm1`, `self_attn`, `layer_norm2` and `mlp`.
#[derive(Clone, Debug)]
pub struct Encoder {
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
struct Layer {
    norm_before_attention: LayerNorm,
    attention: Attention,
    norm_before_mlp: LayerNorm,
    fc1: Linear,
    activation: Activation,
    fc2: Linear,
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
    /// Builds the layers over `vars`.
    ///
    /// # Errors
    /// Fails if a tensor is missing or has the wrong shape.
    pub fn new(shape: &EncoderShape, mode: Mode, vars: &VarBuilder) -> candle_core::Result<Self> {
        let mut layers = Vec::new();
        for number in 0..shape.layers {
            layers.push(Layer::new(shape, mode, &vars.pp("layers").pp(number))?);
        }
        Ok(Self { layers })
    }

    /// Maps hidden states [B, T, width] to the last layer's hidden states; `mask` as in `attend`.
    pub fn forward(&self, states: &Tensor, mask: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let mut states = states.clone();
        for layer in &self.layers {
            states = layer.forward(&states, mask)?;
        }
        Ok(states)
    }

    /// `states` and what each of the first `count` layers makes of them.
    pub fn first_states(&self, states: &Tensor, count: usize) -> candle_core::Result<Vec<Tensor>> {
        let mut all = vec![states.clone()];
        for layer in self.layers.iter().take(count) {
            all.push(layer.forward(&all[all.len() - 1], None)?);
        }
        Ok(all)
    }
}

impl Layer {
    fn new(shape: &EncoderShape, mode: Mode, vars: &VarBuilder) -> candle_core::Result<Self> {
        // Standard deviations of `CLIPPreTrainedModel._init_weights`.
        let width = shape.width as f64;
        let fc2_std = shape.factor * (2.0 * width * shape.layers as f64).powf(-0.5);
        let fc1_std = shape.factor * (2.0 * width).powf(-0.5);
        Ok(Self {
            norm_before_attention: layer_norm(shape.width, shape.epsilon, mode, &vars.pp("layer_norm1"))?,
            attention: Attention::new(shape, mode, &vars.pp("self_attn"))?,
            norm_before_mlp: layer_norm(shape.width, shape.epsilon, mode, &vars.pp("layer_norm2"))?,
            fc1: linear(shape.width, shape.inner_width, fc1_std, &vars.pp("mlp.fc1"))?,
            activation: shape.activation,
            fc2: linear(shape.inner_width, shape.width, fc2_std, &vars.pp("mlp.fc2"))?,
        })
    }

    fn forward(&self, states: &Tensor, mask: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let attended = self.attention.forward(&self.norm_before_attention.forward(states)?, mask)?;
        let states = (states + attended)?;
        let hidden = self.fc1.forward(&self.norm_before_mlp.forward(&states)?)?;
        let narrowed = self.fc2.forward(&self.activation.apply(&hidden)?)?;
        states + narrowed
    }
}

impl Attention {
    fn new(shape: &EncoderShape, mode: Mode, vars: &VarBuilder) -> candle_core::Result<Self> {
        let width = shape.width as f64;
        let input_std = shape.factor * (2.0 * width * shape.layers as f64).powf(-0.5);
        let output_std = shape.factor * width.powf(-0.5);
        let part = |name: &str, init_std: f64| linear(shape.width, shape.width, init_std, &vars.pp(name));
        Ok(Self {
            query: part("q_proj", input_std)?,
            key: part("k_proj", input_std)?,
            value: part("v_proj", input_std)?,
            output: part("out_proj", output_std)?,
            heads: shape.heads,
            mode,
        })
    }

    fn forward(&self, states: &Tensor, mask: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let (batch, length, width) = states.dims3()?;
        let by_head = |part: &Linear| -> candle_core::Result<Tensor> {
            part.forward(states)?.reshape((batch, length, self.heads, width / self.heads))?.transpose(1, 2)
        };
        let (queries, keys, values) = (by_head(&self.query)?, by_head(&self.key)?, by_head(&self.value)?);
        let attended = attend(&queries, &keys, &values, mask, self.mode)?;
        self.output.forward(&attended.transpose(1, 2)?.reshape((batch, length, width))?)
    }
}
