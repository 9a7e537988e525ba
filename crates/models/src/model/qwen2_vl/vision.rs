//! The vision tower of Qwen2-VL and Qwen2.5-VL: patch embedding, transformer blocks with 2-D RoPE, and the patch merger.
//! Each image is processed on its own.

use super::attention::{INIT_STD, PatchAttention};
use super::config::VisionConfig;
use super::image_processor::patch_positions;
use super::windows::WindowPlan;
use crate::model::decoder::LayerWeights;
use crate::model::decoder::layers::{FeedForward, FeedForwardShape, RmsNorm};
use crate::model::decoder::rotary::Rope;
use crate::model::layers::{Activation, LayerNorm, Linear, Matrix, Mode, layer_norm, linear};
use crate::model::vlm::ImageGrid;
use candle_core::{DType, Module, Result, Tensor};
use candle_nn::VarBuilder;

/// Fixed by the architecture; not in `config.json`.
const NORM_EPSILON: f64 = 1e-6;

/// LayerNorm in Qwen2-VL, RMSNorm in Qwen2.5-VL.
#[derive(Clone, Debug)]
enum Norm {
    Layer(LayerNorm),
    Rms(RmsNorm),
}

impl Norm {
    fn new(config: &VisionConfig, weights: &VarBuilder) -> Result<Self> {
        Ok(match config.windows {
            None => Self::Layer(layer_norm(config.width, NORM_EPSILON, Mode::Infer, weights)?),
            Some(_) => Self::Rms(RmsNorm::new(config.width, NORM_EPSILON, weights, Mode::Infer)?),
        })
    }

    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        match self {
            Self::Layer(norm) => norm.forward(input),
            Self::Rms(norm) => norm.forward(input),
        }
    }
}

/// The MLP: two layers in Qwen2-VL, gated in Qwen2.5-VL.
#[derive(Clone, Debug)]
enum Mlp {
    Plain { fc1: Linear, activation: Activation, fc2: Linear },
    Gated(FeedForward),
}

impl Mlp {
    fn new(config: &VisionConfig, weights: &VarBuilder) -> Result<Self> {
        let (width, inner) = (config.width, config.inner_width);
        if config.windows.is_none() {
            return Ok(Self::Plain {
                fc1: linear(width, inner, INIT_STD, &weights.pp("fc1"))?,
                activation: config.activation,
                fc2: linear(inner, width, INIT_STD, &weights.pp("fc2"))?,
            });
        }
        let shape = FeedForwardShape {
            hidden: width,
            intermediate: inner,
            activation: config.activation,
            bias: true,
            blocks: config.layers,
        };
        Ok(Self::Gated(FeedForward::new(shape, &LayerWeights::new(weights, None))?))
    }

    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        match self {
            Self::Plain { fc1, activation, fc2 } => fc2.forward(&activation.apply(&fc1.forward(input)?)?),
            Self::Gated(block) => block.forward(input),
        }
    }
}

/// One transformer block.
#[derive(Clone, Debug)]
struct Block {
    norm_before_attention: Norm,
    attention: PatchAttention,
    norm_before_mlp: Norm,
    mlp: Mlp,
}

impl Block {
    fn new(config: &VisionConfig, weights: &VarBuilder) -> Result<Self> {
        Ok(Self {
            norm_before_attention: Norm::new(config, &weights.pp("norm1"))?,
            attention: PatchAttention::new(config.width, config.heads, &weights.pp("attn"))?,
            norm_before_mlp: Norm::new(config, &weights.pp("norm2"))?,
            mlp: Mlp::new(config, &weights.pp("mlp"))?,
        })
    }

    /// Maps `input` `[B, patches, width]` to the same shape. `groups` lists (number of windows, patches per window) for the
    /// consecutive windows of each size.
    fn forward(&self, input: &Tensor, rope: &Rope, groups: &[(usize, usize)]) -> Result<Tensor> {
        let attended = self.attention.forward(&self.norm_before_attention.forward(input)?, rope, groups)?;
        let input = (input + attended)?;
        let mlp_output = self.mlp.forward(&self.norm_before_mlp.forward(&input)?)?;
        input + mlp_output
    }
}

/// The vision tower; weights under `visual.`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    /// The patch embedding: a convolution whose stride is its kernel size is a linear layer over patches.
    patches: Linear,
    blocks: Vec<Block>,
    merger_norm: Norm,
    merger_fc1: Linear,
    merger_fc2: Linear,
    config: VisionConfig,
}

impl VisionTower {
    /// `patch` is the kernel size of the patch embedding: (channels, frames, rows, columns).
    pub fn new(config: &VisionConfig, patch: (usize, usize, usize, usize), weights: &VarBuilder) -> Result<Self> {
        let (channels, frames, rows, columns) = patch;
        let kernel = weights.get((config.width, channels, frames, rows, columns), "patch_embed.proj.weight")?;
        let mut blocks = Vec::with_capacity(config.layers);
        for layer in 0..config.layers {
            blocks.push(Block::new(config, &weights.pp(format!("blocks.{layer}")))?);
        }
        let merger = weights.pp("merger");
        let merged = config.width * config.merge * config.merge;
        Ok(Self {
            patches: Linear::new(Matrix::Plain(kernel.reshape((config.width, config.patch_values))?), None),
            blocks,
            merger_norm: Norm::new(config, &merger.pp("ln_q"))?,
            merger_fc1: linear(merged, merged, INIT_STD, &merger.pp("mlp.0"))?,
            merger_fc2: linear(merged, config.output, INIT_STD, &merger.pp("mlp.2"))?,
            config: config.clone(),
        })
    }

    /// Maps patches `[B, patches, values]` of images with the same grid, in the processor's order, to features
    /// `[B, tokens, output]`.
    pub fn forward(&self, pixels: &Tensor, grid: ImageGrid) -> Result<Tensor> {
        let (batch, length, values) = pixels.dims3()?;
        let VisionConfig { merge, patch_values, heads, width, rope_theta, .. } = self.config;
        let is_whole = grid.rows.is_multiple_of(merge) && grid.columns.is_multiple_of(merge);
        if length != grid.patches() || values != patch_values || !is_whole {
            let found = pixels.dims();
            candle_core::bail!(
                "expected patches of {patch_values} values in merge groups of side {merge}, found {found:?}"
            )
        }
        let group = merge * merge;
        let plan = self.config.windows.as_ref().map(|windows| WindowPlan::new(grid, merge, windows.side));
        let mut positions = patch_positions(grid, merge);
        let mut states = self.patches.forward(pixels)?;
        if let Some(plan) = &plan {
            let order = Tensor::new(plan.order.as_slice(), pixels.device())?;
            states = states.reshape((batch, length / group, group * width))?.index_select(&order, 1)?;
            states = states.reshape((batch, length, width))?;
            positions =
                plan.order.iter().flat_map(|token| &positions[*token as usize * group..][..group]).copied().collect();
        }
        // RoPE is computed in f32 for all dtypes, as in transformers.
        let rope = Rope::of_patches(&positions, width / heads, rope_theta, DType::F32, pixels.device())?;
        let full = [(1, length)];
        let windows: Vec<(usize, usize)> = plan
            .as_ref()
            .map_or(full.to_vec(), |plan| plan.groups.iter().map(|(count, tokens)| (*count, tokens * group)).collect());
        for (number, block) in self.blocks.iter().enumerate() {
            let uses_windows =
                self.config.windows.as_ref().is_some_and(|config| !config.full_attention_blocks.contains(&number));
            states = block.forward(&states, &rope, if uses_windows { &windows } else { &full })?;
        }
        let merged = self.merger_norm.forward(&states)?.reshape((batch, length / group, group * width))?;
        let merged = self.merger_fc2.forward(&Activation::Gelu.apply(&self.merger_fc1.forward(&merged)?)?)?;
        match plan {
            None => Ok(merged),
            Some(plan) => merged.index_select(&Tensor::new(plan.inverse_order().as_slice(), pixels.device())?, 1),
        }
    }
}
