//! The InternViT vision tower (`InternVLVisionModel`): a class token, pre-norm blocks whose outputs are scaled per channel
//! (LayerScale, Touvron et al. 2021), and no norm at the end.

use super::config::VisionConfig;
use crate::model::layers::{
    Activation, LayerNorm, Linear, Mode, PatchEmbedding, PatchShape, attend, layer_norm, linear, linear_without_bias,
    multiply_per_channel,
};
use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

/// The standard deviation of new weights, which are never drawn: the tower is only loaded.
const INIT_STD: f64 = 0.02;

/// The vision tower; weights under `vision_tower.`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    patches: PatchEmbedding,
    /// `[1, 1, width]`.
    class_token: Tensor,
    /// `[1, 1 + patches, width]`, the first for the class token.
    positions: Tensor,
    blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
struct Block {
    norm_before_attention: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    attention_scale: Tensor,
    norm_before_mlp: LayerNorm,
    fc1: Linear,
    activation: Activation,
    fc2: Linear,
    mlp_scale: Tensor,
    heads: usize,
}

impl VisionTower {
    pub fn new(config: &VisionConfig, vars: &VarBuilder) -> Result<Self> {
        let (width, side) = (config.width, config.side());
        let embeddings = vars.pp("embeddings");
        let shape = PatchShape { width, channels: 3, image_size: config.image, patch_size: config.patch };
        let mut blocks = Vec::with_capacity(config.layers);
        for layer in 0..config.layers {
            blocks.push(Block::new(config, &vars.pp("encoder.layer").pp(layer))?);
        }
        Ok(Self {
            patches: PatchEmbedding::with_bias(shape, INIT_STD, &embeddings.pp("patch_embeddings.projection"))?,
            class_token: embeddings.get((1, 1, width), "cls_token")?,
            positions: embeddings.get((1, 1 + side * side, width), "position_embeddings")?,
            blocks,
        })
    }

    /// Maps tiles `[B, 3, side, side]` to features `[B, patches, width]` in row-major order, without the class token's.
    pub fn forward(&self, tiles: &Tensor) -> Result<Tensor> {
        let patches = self.patches.forward(tiles)?;
        let (batch, count, width) = patches.dims3()?;
        let class_token = self.class_token.expand((batch, 1, width))?;
        let mut states = Tensor::cat(&[&class_token, &patches], 1)?.broadcast_add(&self.positions)?;
        for block in &self.blocks {
            states = block.forward(&states)?;
        }
        states.narrow(1, 1, count)
    }
}

impl Block {
    fn new(config: &VisionConfig, vars: &VarBuilder) -> Result<Self> {
        let (width, inner) = (config.width, config.inner_width);
        let attention = vars.pp("attention");
        let projection = if config.attention_bias { linear } else { linear_without_bias };
        let part = |name: &str| projection(width, width, INIT_STD, &attention.pp(name));
        let norm = |name: &str| layer_norm(width, config.norm_epsilon, Mode::Infer, &vars.pp(name));
        Ok(Self {
            norm_before_attention: norm("layernorm_before")?,
            query: part("q_proj")?,
            key: part("k_proj")?,
            value: part("v_proj")?,
            output: linear(width, width, INIT_STD, &attention.pp("projection_layer"))?,
            attention_scale: vars.get(width, "lambda_1")?,
            norm_before_mlp: norm("layernorm_after")?,
            fc1: linear(width, inner, INIT_STD, &vars.pp("mlp.fc1"))?,
            activation: config.activation,
            fc2: linear(inner, width, INIT_STD, &vars.pp("mlp.fc2"))?,
            mlp_scale: vars.get(width, "lambda_2")?,
            heads: config.heads,
        })
    }

    fn forward(&self, states: &Tensor) -> Result<Tensor> {
        let attended = self.attend(&self.norm_before_attention.forward(states)?)?;
        let states = (multiply_per_channel(&attended, &self.attention_scale)? + states)?;
        let hidden = self.fc1.forward(&self.norm_before_mlp.forward(&states)?)?;
        let narrowed = self.fc2.forward(&self.activation.apply(&hidden)?)?;
        multiply_per_channel(&narrowed, &self.mlp_scale)? + states
    }

    fn attend(&self, states: &Tensor) -> Result<Tensor> {
        let (batch, length, width) = states.dims3()?;
        let by_head = |part: &Linear| {
            part.forward(states)?.reshape((batch, length, self.heads, width / self.heads))?.transpose(1, 2)
        };
        let (queries, keys, values) = (by_head(&self.query)?, by_head(&self.key)?, by_head(&self.value)?);
        let attended = attend(&queries, &keys, &values, None, Mode::Infer)?;
        self.output.forward(&attended.transpose(1, 2)?.reshape((batch, length, width))?)
    }
}
