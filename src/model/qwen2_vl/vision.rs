//! The image tower of Qwen2-VL and Qwen2.5-VL: patches, blocks with two-dimensional rotation, squares of patches merged
//! into tokens. Each image is read alone.

use super::config::VisionConfig;
use super::image_processor::places;
use super::windows::WindowPlan;
use crate::model::decoder::LayerWeights;
use crate::model::decoder::layers::{FeedForward, FeedForwardShape, RmsNorm};
use crate::model::decoder::rotary::Rope;
use crate::model::layers::{Activation, LayerNorm, Linear, Matrix, Mode, attend, layer_norm, linear};
use crate::model::vlm::ImageGrid;
use candle_core::{DType, Module, Result, Tensor};
use candle_nn::VarBuilder;

/// Fixed in the architecture, not in `config.json`.
const NORM_EPSILON: f64 = 1e-6;
/// First spread of weights; checkpoints bring their own.
const SPREAD: f64 = 0.02;

/// Layer norm in Qwen2-VL, root-mean-square norm in Qwen2.5-VL.
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

/// Two layers in Qwen2-VL, a gated block in Qwen2.5-VL.
#[derive(Clone, Debug)]
enum Widening {
    Plain { widen: Linear, activation: Activation, narrow: Linear },
    Gated(FeedForward),
}

impl Widening {
    fn new(config: &VisionConfig, weights: &VarBuilder) -> Result<Self> {
        let (width, inner) = (config.width, config.inner_width);
        if config.windows.is_none() {
            return Ok(Self::Plain {
                widen: linear(width, inner, SPREAD, &weights.pp("fc1"))?,
                activation: config.activation,
                narrow: linear(inner, width, SPREAD, &weights.pp("fc2"))?,
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
            Self::Plain { widen, activation, narrow } => narrow.forward(&activation.apply(&widen.forward(input)?)?),
            Self::Gated(block) => block.forward(input),
        }
    }
}

/// One block of the tower.
#[derive(Clone, Debug)]
struct Block {
    norm_before_attention: Norm,
    query_key_value: Linear,
    output: Linear,
    norm_before_widening: Norm,
    widening: Widening,
    heads: usize,
}

impl Block {
    fn new(config: &VisionConfig, weights: &VarBuilder) -> Result<Self> {
        let width = config.width;
        Ok(Self {
            norm_before_attention: Norm::new(config, &weights.pp("norm1"))?,
            query_key_value: linear(width, 3 * width, SPREAD, &weights.pp("attn.qkv"))?,
            output: linear(width, width, SPREAD, &weights.pp("attn.proj"))?,
            norm_before_widening: Norm::new(config, &weights.pp("norm2"))?,
            widening: Widening::new(config, &weights.pp("mlp"))?,
            heads: config.heads,
        })
    }

    /// `input` is `[B, patches, width]`; `groups` are windows one size after another, with the patches of each.
    fn forward(&self, input: &Tensor, rotation: &Rope, groups: &[(usize, usize)]) -> Result<Tensor> {
        let attended = self.attend(&self.norm_before_attention.forward(input)?, rotation, groups)?;
        let input = (input + attended)?;
        let widened = self.widening.forward(&self.norm_before_widening.forward(&input)?)?;
        input + widened
    }

    fn attend(&self, input: &Tensor, rotation: &Rope, groups: &[(usize, usize)]) -> Result<Tensor> {
        let (batch, length, width) = input.dims3()?;
        let size = width / self.heads;
        let together = self.query_key_value.forward(input)?.reshape((batch, length, 3, self.heads, size))?;
        let part = |index: usize| together.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
        let turned = |index: usize| rotation.apply(&part(index)?, Mode::Infer);
        let (query, key, value) = (turned(0)?, turned(1)?, part(2)?);
        let mut start = 0;
        let mut parts = Vec::with_capacity(groups.len());
        for (count, tokens) in groups {
            // Each window of the group is a row of a batch.
            let rows = |all: &Tensor| -> Result<Tensor> {
                all.narrow(2, start, count * tokens)?
                    .reshape((batch, self.heads, *count, *tokens, size))?
                    .transpose(1, 2)?
                    .reshape((batch * count, self.heads, *tokens, size))
            };
            let attended = attend(&rows(&query)?, &rows(&key)?, &rows(&value)?, None, Mode::Infer)?;
            let back = attended.reshape((batch, *count, self.heads, *tokens, size))?.transpose(2, 3)?;
            parts.push(back.reshape((batch, count * tokens, width))?);
            start += count * tokens;
        }
        self.output.forward(&Tensor::cat(&parts, 1)?)
    }
}

/// The tower, weights under `visual.`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    /// From the values of a patch: a convolution whose stride is its kernel is a matrix product over patches.
    patches: Linear,
    blocks: Vec<Block>,
    merged_norm: Norm,
    merge_widen: Linear,
    merge_narrow: Linear,
    config: VisionConfig,
}

impl VisionTower {
    /// `patch` is the kernel of the first convolution: channels, frames, rows, columns.
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
            merged_norm: Norm::new(config, &merger.pp("ln_q"))?,
            merge_widen: linear(merged, merged, SPREAD, &merger.pp("mlp.0"))?,
            merge_narrow: linear(merged, config.output, SPREAD, &merger.pp("mlp.2"))?,
            config: config.clone(),
        })
    }

    /// `[B, patches, values]` of images of one grid, in the processor's order, to `[B, tokens, output]`.
    pub fn forward(&self, pixels: &Tensor, grid: ImageGrid) -> Result<Tensor> {
        let (batch, length, values) = pixels.dims3()?;
        let VisionConfig { merge, patch_values, heads, width, rope_theta, .. } = self.config;
        let is_whole = grid.rows.is_multiple_of(merge) && grid.columns.is_multiple_of(merge);
        if length != grid.patches() || values != patch_values || !is_whole {
            let found = pixels.dims();
            candle_core::bail!("expected patches of {patch_values} values in squares of {merge}, found {found:?}")
        }
        let square = merge * merge;
        let plan = self.config.windows.as_ref().map(|windows| WindowPlan::new(grid, merge, windows.side));
        let mut places = places(grid, merge);
        let mut states = self.patches.forward(pixels)?;
        if let Some(plan) = &plan {
            let order = Tensor::new(plan.order.as_slice(), pixels.device())?;
            states = states.reshape((batch, length / square, square * width))?.index_select(&order, 1)?;
            states = states.reshape((batch, length, width))?;
            places =
                plan.order.iter().flat_map(|token| &places[*token as usize * square..][..square]).copied().collect();
        }
        // Half types are turned in f32, as in the reference.
        let rotation = Rope::of_patches(&places, width / heads, rope_theta, DType::F32, pixels.device())?;
        let whole = [(1, length)];
        let windows: Vec<(usize, usize)> = plan.as_ref().map_or(whole.to_vec(), |plan| {
            plan.groups.iter().map(|(count, tokens)| (*count, tokens * square)).collect()
        });
        for (number, block) in self.blocks.iter().enumerate() {
            let looks_at_windows =
                self.config.windows.as_ref().is_some_and(|config| !config.whole_blocks.contains(&number));
            states = block.forward(&states, &rotation, if looks_at_windows { &windows } else { &whole })?;
        }
        let merged = self.merged_norm.forward(&states)?.reshape((batch, length / square, square * width))?;
        let merged = self.merge_narrow.forward(&Activation::Gelu.apply(&self.merge_widen.forward(&merged)?)?)?;
        match plan {
            None => Ok(merged),
            Some(plan) => merged.index_select(&Tensor::new(plan.places().as_slice(), pixels.device())?, 1),
        }
    }
}
