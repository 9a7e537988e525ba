//! The image tower: a vision transformer with 2-D RoPE, gated MLPs, and additional norms inside attention and MLP (sub-LN of
//! EVA-02).

use super::config::VisionJson;
use super::rotary::Rope;
use crate::model::dual_encoder::{ImageTower, Pixels};
use crate::model::layers::{
    Activation, LayerNorm, Linear, Mode, PatchEmbedding, add_per_channel, attend, layer_norm, linear,
    linear_without_bias,
};
use candle_core::{Result, Tensor};
use candle_nn::{Init, Module, VarBuilder};

/// Standard deviation of initial weights.
const INIT_STD: f64 = 0.02;
const EPSILON: f64 = 1e-6;

/// The image tower; weights under `vision_model.`.
#[derive(Clone, Debug)]
pub(super) struct EvaTower {
    class_token: Tensor,
    patch_embedding: PatchEmbedding,
    positions: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
    rope: Rope,
}

#[derive(Clone, Debug)]
struct Block {
    norm_before_attention: LayerNorm,
    attention: Attention,
    norm_before_mlp: LayerNorm,
    gate: Linear,
    up: Linear,
    norm_in_mlp: LayerNorm,
    down: Linear,
}

#[derive(Clone, Debug)]
struct Attention {
    query: Linear,
    query_bias: Tensor,
    key: Linear,
    value: Linear,
    value_bias: Tensor,
    norm: LayerNorm,
    output: Linear,
    heads: usize,
    mode: Mode,
}

impl EvaTower {
    pub fn new(config: &VisionJson, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (patches, width) = (config.patches(), config.width);
        let grid = patches.grid();
        let normal = Init::Randn { mean: 0.0, stdev: INIT_STD };
        let mut blocks = Vec::new();
        for number in 0..config.layers {
            blocks.push(Block::new(config, mode, &vars.pp("blocks").pp(number))?);
        }
        let counted_as = if config.intp_freq { config.pt_hw_seq_len } else { grid };
        Ok(Self {
            class_token: vars.get_with_hints((1, 1, width), "cls_token", normal)?,
            patch_embedding: PatchEmbedding::with_bias(patches, INIT_STD, &vars.pp("patch_embed.proj"))?,
            positions: vars.get_with_hints((1, 1 + grid * grid, width), "pos_embed", normal)?,
            blocks,
            norm: layer_norm(width, EPSILON, mode, &vars.pp("norm"))?,
            rope: Rope::of_grid(grid, counted_as, config.head_width, vars.dtype(), vars.device())?,
        })
    }
}

impl ImageTower for EvaTower {
    /// The class token after the final norm.
    fn pooled(&self, pixels: &Pixels) -> Result<Tensor> {
        let patches = self.patch_embedding.forward(pixels.as_whole()?)?;
        let (batch, _, width) = patches.dims3()?;
        let class = self.class_token.expand((batch, 1, width))?;
        let mut states = Tensor::cat(&[&class, &patches], 1)?.broadcast_add(&self.positions)?;
        for block in &self.blocks {
            states = block.forward(&states, &self.rope)?;
        }
        self.norm.forward(&states.narrow(1, 0, 1)?.squeeze(1)?)
    }
}

impl Block {
    fn new(config: &VisionJson, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (width, inner) = (config.width, config.inner_width());
        let norm = |width: usize, name: &str| layer_norm(width, EPSILON, mode, &vars.pp(name));
        Ok(Self {
            norm_before_attention: norm(width, "norm1")?,
            attention: Attention::new(config, mode, &vars.pp("attn"))?,
            norm_before_mlp: norm(width, "norm2")?,
            gate: linear(width, inner, INIT_STD, &vars.pp("mlp.w1"))?,
            up: linear(width, inner, INIT_STD, &vars.pp("mlp.w2"))?,
            norm_in_mlp: norm(inner, "mlp.ffn_ln")?,
            down: linear(inner, width, INIT_STD, &vars.pp("mlp.w3"))?,
        })
    }

    fn forward(&self, states: &Tensor, rope: &Rope) -> Result<Tensor> {
        let attended = self.attention.forward(&self.norm_before_attention.forward(states)?, rope)?;
        let states = (states + attended)?;
        let normalised = self.norm_before_mlp.forward(&states)?;
        let gate = Activation::Silu.apply(&self.gate.forward(&normalised)?)?;
        let inner = (gate * self.up.forward(&normalised)?)?;
        &states + self.down.forward(&self.norm_in_mlp.forward(&inner)?)?
    }
}

impl Attention {
    fn new(config: &VisionJson, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let width = config.width;
        let part = |name: &str| linear_without_bias(width, width, INIT_STD, &vars.pp(name));
        Ok(Self {
            query: part("q_proj")?,
            query_bias: vars.get_with_hints(width, "q_bias", Init::Const(0.0))?,
            key: part("k_proj")?,
            value: part("v_proj")?,
            value_bias: vars.get_with_hints(width, "v_bias", Init::Const(0.0))?,
            norm: layer_norm(width, EPSILON, mode, &vars.pp("inner_attn_ln"))?,
            output: linear(width, width, INIT_STD, &vars.pp("proj"))?,
            heads: width / config.head_width,
            mode,
        })
    }

    fn forward(&self, states: &Tensor, rope: &Rope) -> Result<Tensor> {
        let (batch, length, width) = states.dims3()?;
        let by_head = |part: &Tensor| -> Result<Tensor> {
            part.reshape((batch, length, self.heads, width / self.heads))?.transpose(1, 2)
        };
        let queries = by_head(&add_per_channel(&self.query.forward(states)?, &self.query_bias)?)?;
        let keys = by_head(&self.key.forward(states)?)?;
        let values = by_head(&add_per_channel(&self.value.forward(states)?, &self.value_bias)?)?;
        let (queries, keys) = (rope.apply(&queries, self.mode)?, rope.apply(&keys, self.mode)?);
        let attended = attend(&queries, &keys, &values, None, self.mode)?;
        let attended = attended.transpose(1, 2)?.reshape((batch, length, width))?;
        self.output.forward(&self.norm.forward(&attended)?)
    }
}
