//! The vision tower of Qwen3-VL: patch embedding, interpolated learned positions, transformer blocks with 2-D RoPE, and one
//! merger for the input of the decoder and for each of its first layers (DeepStack). Each image is processed on its own.

use super::config::VisionConfig;
use super::positions::LearnedPositions;
use crate::model::decoder::rotary::Rope;
use crate::model::layers::{Activation, LayerNorm, Linear, Matrix, Mode, layer_norm, linear};
use crate::model::qwen2_vl::{INIT_STD, PatchAttention, patch_positions};
use crate::model::vlm::ImageGrid;
use candle_core::{D, DType, Module, Result, Tensor};
use candle_nn::VarBuilder;

/// Fixed by the architecture; not in `config.json`.
const NORM_EPSILON: f64 = 1e-6;

/// One transformer block.
#[derive(Clone, Debug)]
struct Block {
    norm_before_attention: LayerNorm,
    attention: PatchAttention,
    norm_before_mlp: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    activation: Activation,
}

impl Block {
    fn new(config: &VisionConfig, weights: &VarBuilder) -> Result<Self> {
        let (width, inner) = (config.width, config.inner_width);
        let norm = |name: &str| layer_norm(width, NORM_EPSILON, Mode::Infer, &weights.pp(name));
        Ok(Self {
            norm_before_attention: norm("norm1")?,
            attention: PatchAttention::new(width, config.heads, &weights.pp("attn"))?,
            norm_before_mlp: norm("norm2")?,
            fc1: linear(width, inner, INIT_STD, &weights.pp("mlp.linear_fc1"))?,
            fc2: linear(inner, width, INIT_STD, &weights.pp("mlp.linear_fc2"))?,
            activation: config.activation,
        })
    }

    /// Maps `input` `[B, patches, width]` to the same shape.
    fn forward(&self, input: &Tensor, rope: &Rope) -> Result<Tensor> {
        let windows = [(1, input.dim(1)?)];
        let attended = self.attention.forward(&self.norm_before_attention.forward(input)?, rope, &windows)?;
        let input = (input + attended)?;
        let inner = self.activation.apply(&self.fc1.forward(&self.norm_before_mlp.forward(&input)?)?)?;
        input + self.fc2.forward(&inner)?
    }
}

/// Maps merge × merge patches to one token of the decoder.
#[derive(Clone, Debug)]
struct Merger {
    norm: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    /// True if the patches of a group are normalised together, as in the mergers of deepstack features.
    norm_of_groups: bool,
}

impl Merger {
    fn new(config: &VisionConfig, norm_of_groups: bool, weights: &VarBuilder) -> Result<Self> {
        let merged = config.width * config.merge * config.merge;
        let normed = if norm_of_groups { merged } else { config.width };
        Ok(Self {
            norm: layer_norm(normed, NORM_EPSILON, Mode::Infer, &weights.pp("norm"))?,
            fc1: linear(merged, merged, INIT_STD, &weights.pp("linear_fc1"))?,
            fc2: linear(merged, config.output, INIT_STD, &weights.pp("linear_fc2"))?,
            norm_of_groups,
        })
    }

    /// Maps `states` `[B, patches, width]` to `[B, tokens, output]`.
    fn forward(&self, states: &Tensor, merge: usize) -> Result<Tensor> {
        let (batch, patches, width) = states.dims3()?;
        let group = merge * merge;
        let in_groups = |states: &Tensor| states.reshape((batch, patches / group, group * width));
        let merged = if self.norm_of_groups {
            self.norm.forward(&in_groups(states)?)?
        } else {
            in_groups(&self.norm.forward(states)?)?
        };
        self.fc2.forward(&Activation::Gelu.apply(&self.fc1.forward(&merged)?)?)
    }
}

/// The vision tower; weights under `model.visual.`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    /// The patch embedding: a convolution whose stride is its kernel size is a linear layer over patches.
    patches: Linear,
    positions: LearnedPositions,
    blocks: Vec<Block>,
    merger: Merger,
    /// One per entry of `deepstack_blocks`.
    deepstack_mergers: Vec<Merger>,
    config: VisionConfig,
}

impl VisionTower {
    pub fn new(config: &VisionConfig, weights: &VarBuilder) -> Result<Self> {
        let (width, side) = (config.width, config.patch_side);
        let patches = weights.pp("patch_embed.proj");
        let kernel = patches.get((width, 3, config.frames, side, side), "weight")?;
        let kernel = Matrix::Plain(kernel.reshape((width, config.patch_values()))?);
        let mut blocks = Vec::with_capacity(config.layers);
        for layer in 0..config.layers {
            blocks.push(Block::new(config, &weights.pp(format!("blocks.{layer}")))?);
        }
        let mut deepstack_mergers = Vec::with_capacity(config.deepstack_blocks.len());
        for number in 0..config.deepstack_blocks.len() {
            let weights = weights.pp(format!("deepstack_merger_list.{number}"));
            deepstack_mergers.push(Merger::new(config, true, &weights)?);
        }
        Ok(Self {
            patches: Linear::new(kernel, Some(patches.get(width, "bias")?)),
            positions: LearnedPositions::new(config.positions_per_side, width, &weights.pp("pos_embed"))?,
            blocks,
            merger: Merger::new(config, false, &weights.pp("merger"))?,
            deepstack_mergers,
            config: config.clone(),
        })
    }

    /// Maps patches `[B, patches, values]` of images with the same grid, in the processor's order, to features
    /// `[B, tokens, (1 + deepstack) × output]`: those of the decoder's input, then those for each of its first layers.
    pub fn forward(&self, pixels: &Tensor, grid: ImageGrid) -> Result<Tensor> {
        let (_, length, values) = pixels.dims3()?;
        let VisionConfig { merge, heads, width, rope_theta, .. } = self.config;
        let is_whole = grid.rows.is_multiple_of(merge) && grid.columns.is_multiple_of(merge);
        let expected = self.config.patch_values();
        if length != grid.patches() || values != expected || !is_whole {
            let found = pixels.dims();
            candle_core::bail!("expected patches of {expected} values in merge groups of side {merge}, found {found:?}")
        }
        let positions = self.positions.of_grid(grid, merge, pixels.dtype())?;
        let mut states = self.patches.forward(pixels)?.broadcast_add(&positions)?;
        // RoPE is computed in f32 for all dtypes, as in transformers.
        let places = patch_positions(grid, merge);
        let rope = Rope::of_patches(&places, width / heads, rope_theta, DType::F32, pixels.device())?;
        let mut deepstack = Vec::with_capacity(self.deepstack_mergers.len());
        for (number, block) in self.blocks.iter().enumerate() {
            states = block.forward(&states, &rope)?;
            if let Some(place) = self.config.deepstack_blocks.iter().position(|block| *block == number) {
                deepstack.push(self.deepstack_mergers[place].forward(&states, merge)?);
            }
        }
        let mut features = vec![self.merger.forward(&states, merge)?];
        features.extend(deepstack);
        Tensor::cat(&features, D::Minus1)
    }
}
