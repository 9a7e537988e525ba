//! Layers of decoders and vision towers, fused in inference and differentiable in training.

use super::rotary::Rope;
use super::weights::LayerWeights;
use crate::model::layers::{Activation, Linear, Mode, attend_scaled, multiply_per_channel, rms_norm};
use candle_core::{D, DType, Module, Result, Tensor};
use candle_nn::{Init, VarBuilder};

/// Standard deviation of initial weights that preserves the variance of `inputs` features.
pub(in crate::model) fn init_std(inputs: usize) -> f64 {
    (inputs as f64).powf(-0.5)
}

/// [`init_std`] of layers that write to the residual stream. Each of `blocks` has two such layers, whose sum should have
/// the variance of one layer (as in GPT-2).
fn residual_init_std(inputs: usize, blocks: usize) -> f64 {
    init_std(inputs * 2 * blocks)
}

/// RMSNorm (Zhang, Sennrich 2019).
#[derive(Clone, Debug)]
pub(in crate::model) struct RmsNorm {
    weight: Tensor,
    epsilon: f32,
    mode: Mode,
}

impl RmsNorm {
    pub fn new(size: usize, epsilon: f64, weights: &VarBuilder, mode: Mode) -> Result<Self> {
        let weight = weights.get_with_hints(size, "weight", Init::Const(1.0))?;
        Ok(Self { weight, epsilon: epsilon as f32, mode })
    }

    /// Gemma's norm, which multiplies by 1 + weight; in f32 whatever the type of the model, as in transformers. A GGUF file
    /// stores the sum, if `is_stored_as_sum`.
    pub fn around_one(
        size: usize,
        epsilon: f64,
        weights: &VarBuilder,
        is_stored_as_sum: bool,
        mode: Mode,
    ) -> Result<Self> {
        let weight = weights.get_with_hints(size, "weight", Init::Const(0.0))?.to_dtype(DType::F32)?;
        let weight = if is_stored_as_sum { weight } else { (weight + 1.0)? };
        Ok(Self { weight, epsilon: epsilon as f32, mode })
    }

    /// The same norm, computed in f32 whatever the type of its input. In half types candle rounds the root of the mean, which
    /// moves all values of a row the same way.
    pub fn in_f32(self) -> Result<Self> {
        Ok(Self { weight: self.weight.to_dtype(DType::F32)?, ..self })
    }

    /// The same weights in another mode.
    pub fn in_mode(&self, mode: Mode) -> Self {
        Self { mode, ..self.clone() }
    }

    /// Normalises the last dimension.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        match self.mode {
            Mode::Train => self.differentiable(input),
            Mode::Infer => rms_norm(input, &self.weight, self.epsilon),
        }
    }

    /// In half precision, normalisation is computed in f32, as in transformers (`LlamaRMSNorm`).
    fn differentiable(&self, input: &Tensor) -> Result<Tensor> {
        let dtype = input.dtype();
        let input = match dtype {
            DType::F16 | DType::BF16 => input.to_dtype(DType::F32)?,
            _ => input.clone(),
        };
        let mean_square = input.sqr()?.mean_keepdim(D::Minus1)?;
        let normalised = input.broadcast_div(&(mean_square + f64::from(self.epsilon))?.sqrt()?)?;
        multiply_per_channel(&normalised.to_dtype(self.weight.dtype())?, &self.weight)?.to_dtype(dtype)
    }
}

/// Sizes of a gated MLP.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct FeedForwardShape {
    pub hidden: usize,
    pub intermediate: usize,
    pub activation: Activation,
    pub bias: bool,
    /// Number of blocks in the whole stack, for the initial weights.
    pub blocks: usize,
}

/// Gated MLP (SwiGLU, Shazeer 2020): `down(activation(gate(x)) · up(x))`.
#[derive(Clone, Debug)]
pub(in crate::model) struct FeedForward {
    gate: Linear,
    up: Linear,
    down: Linear,
    activation: Activation,
}

impl FeedForward {
    pub fn new(shape: FeedForwardShape, weights: &LayerWeights) -> Result<Self> {
        let FeedForwardShape { hidden, intermediate, activation, bias, blocks } = shape;
        let down = residual_init_std(intermediate, blocks);
        Ok(Self {
            gate: weights.pp("gate_proj").linear(bias, hidden, intermediate, init_std(hidden))?,
            up: weights.pp("up_proj").linear(bias, hidden, intermediate, init_std(hidden))?,
            down: weights.pp("down_proj").linear(bias, intermediate, hidden, down)?,
            activation,
        })
    }

    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let gated = self.activation.gate(&self.gate.forward(input)?, &self.up.forward(input)?)?;
        self.down.forward(&gated)
    }
}

/// Sizes of an attention layer.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct AttentionShape {
    pub hidden: usize,
    pub heads: usize,
    pub key_value_heads: usize,
    pub head_size: usize,
    /// True if the query, key and value projections have a bias.
    pub bias: bool,
    /// Number of blocks in the whole stack, for the initial weights.
    pub blocks: usize,
}

/// Attention with RoPE and, if there are fewer key and value heads than query heads, grouped-query attention.
#[derive(Clone, Debug)]
pub(in crate::model) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    /// Norms of each head's queries and keys before RoPE (Gemma 3, Qwen3).
    head_norms: Option<(RmsNorm, RmsNorm)>,
    /// Factor on the scores.
    scale: f64,
    shape: AttentionShape,
    mode: Mode,
}

/// Keys and values of one layer, each `[B, key_value_heads, S, head_size]`.
pub(in crate::model) type KeysAndValues = (Tensor, Tensor);

impl Attention {
    pub fn new(shape: AttentionShape, weights: &LayerWeights, mode: Mode) -> Result<Self> {
        let hidden = shape.hidden;
        let (query_size, key_size) = (shape.heads * shape.head_size, shape.key_value_heads * shape.head_size);
        let output = residual_init_std(query_size, shape.blocks);
        Ok(Self {
            query: weights.pp("q_proj").linear(shape.bias, hidden, query_size, init_std(hidden))?,
            key: weights.pp("k_proj").linear(shape.bias, hidden, key_size, init_std(hidden))?,
            value: weights.pp("v_proj").linear(shape.bias, hidden, key_size, init_std(hidden))?,
            output: weights.pp("o_proj").linear(false, query_size, hidden, output)?,
            head_norms: None,
            scale: (shape.head_size as f64).powf(-0.5),
            shape,
            mode,
        })
    }

    /// Norms of queries and keys before RoPE.
    pub fn with_head_norms(self, queries: RmsNorm, keys: RmsNorm) -> Self {
        Self { head_norms: Some((queries, keys)), ..self }
    }

    /// Another factor on the scores than the inverse root of the head size.
    pub fn with_scale(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The same weights in another mode.
    pub fn in_mode(&self, mode: Mode) -> Self {
        let head_norms = self.head_norms.as_ref().map(|(queries, keys)| (queries.in_mode(mode), keys.in_mode(mode)));
        Self { head_norms, mode, ..self.clone() }
    }

    /// Maps `input` `[B, T, hidden]` to the same shape. `mask` is added to the scores and broadcasts to `[B, heads, T, S]`.
    /// The keys and values of `input` are appended to `cache`, which holds those of earlier tokens.
    pub fn forward(
        &self,
        input: &Tensor,
        rope: &Rope,
        mask: Option<&Tensor>,
        cache: Option<&mut Option<KeysAndValues>>,
    ) -> Result<Tensor> {
        let (batch, length, _) = input.dims3()?;
        let AttentionShape { heads, key_value_heads, head_size, .. } = self.shape;
        let split = |projected: Tensor, heads: usize| {
            projected.reshape((batch, length, heads, head_size))?.transpose(1, 2)?.contiguous()
        };
        let mut query = split(self.query.forward(input)?, heads)?;
        let mut key = split(self.key.forward(input)?, key_value_heads)?;
        if let Some((queries, keys)) = &self.head_norms {
            (query, key) = (queries.forward(&query)?, keys.forward(&key)?);
        }
        let (query, key) = (rope.apply(&query, self.mode)?, rope.apply(&key, self.mode)?);
        let value = split(self.value.forward(input)?, key_value_heads)?;
        let (key, value) = match cache {
            None => (key, value),
            Some(cache) => append(cache, key, value)?,
        };
        let attended = attend_scaled(&query, &key, &value, mask, self.scale, self.mode)?;
        self.output.forward(&attended.transpose(1, 2)?.reshape((batch, length, heads * head_size))?)
    }
}

/// Appends to the cache and returns all keys and values.
fn append(cache: &mut Option<KeysAndValues>, key: Tensor, value: Tensor) -> Result<KeysAndValues> {
    let all = match cache.take() {
        None => (key, value),
        Some((keys, values)) => (Tensor::cat(&[&keys, &key], 2)?, Tensor::cat(&[&values, &value], 2)?),
    };
    *cache = Some(all.clone());
    Ok(all)
}
