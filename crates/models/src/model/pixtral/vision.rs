//! The Pixtral vision tower: patch embedding, norm, transformer blocks with 2-D RoPE. Each image is processed on its own,
//! which is equivalent to transformers' block-diagonal mask over several images.

use super::config::VisionConfig;
use crate::model::decoder::LayerWeights;
use crate::model::decoder::layers::{Attention, AttentionShape, FeedForward, FeedForwardShape, RmsNorm, init_std};
use crate::model::decoder::rotary::Rope;
use crate::model::layers::Mode;
use candle_core::{Result, Tensor};
use candle_nn::{Init, VarBuilder};

/// Fixed by the architecture; not in `config.json`.
const NORM_EPSILON: f64 = 1e-5;

/// One transformer block.
#[derive(Clone, Debug)]
struct Block {
    attention_norm: RmsNorm,
    attention: Attention,
    feed_forward_norm: RmsNorm,
    feed_forward: FeedForward,
}

impl Block {
    fn new(config: &VisionConfig, weights: &VarBuilder, mode: Mode) -> Result<Self> {
        let shape = AttentionShape {
            hidden: config.hidden,
            heads: config.heads,
            key_value_heads: config.heads,
            head_size: config.head_size(),
            bias: false,
            blocks: config.layers,
        };
        let feed_forward = FeedForwardShape {
            hidden: config.hidden,
            intermediate: config.intermediate,
            activation: config.activation,
            bias: false,
            blocks: config.layers,
        };
        let hidden = config.hidden;
        Ok(Self {
            attention_norm: RmsNorm::new(hidden, NORM_EPSILON, &weights.pp("attention_norm"), mode)?,
            attention: Attention::new(shape, &LayerWeights::new(&weights.pp("attention"), None), mode)?,
            feed_forward_norm: RmsNorm::new(hidden, NORM_EPSILON, &weights.pp("ffn_norm"), mode)?,
            feed_forward: FeedForward::new(feed_forward, &LayerWeights::new(&weights.pp("feed_forward"), None))?,
        })
    }

    fn forward(&self, input: &Tensor, rope: &Rope) -> Result<Tensor> {
        let attended = self.attention.forward(&self.attention_norm.forward(input)?, rope, None, None)?;
        let input = (input + attended)?;
        let fed = self.feed_forward.forward(&self.feed_forward_norm.forward(&input)?)?;
        input + fed
    }
}

/// The vision tower; weights under `vision_tower.`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    /// The patch embedding `[hidden, channels · patch · patch]`: a convolution whose stride is its kernel size is a linear
    /// layer over patches.
    patch_weight: Tensor,
    norm: RmsNorm,
    blocks: Vec<Block>,
    config: VisionConfig,
}

impl VisionTower {
    pub fn new(config: &VisionConfig, weights: &VarBuilder, mode: Mode) -> Result<Self> {
        let (channels, patch) = (config.channels, config.patch_size);
        let start = Init::Randn { mean: 0.0, stdev: init_std(channels * patch * patch) };
        let kernel = weights.get_with_hints((config.hidden, channels, patch, patch), "patch_conv.weight", start)?;
        let mut blocks = Vec::with_capacity(config.layers);
        for layer in 0..config.layers {
            blocks.push(Block::new(config, &weights.pp(format!("transformer.layers.{layer}")), mode)?);
        }
        Ok(Self {
            patch_weight: kernel.reshape((config.hidden, channels * patch * patch))?,
            norm: RmsNorm::new(config.hidden, NORM_EPSILON, &weights.pp("ln_pre"), mode)?,
            blocks,
            config: config.clone(),
        })
    }

    /// Maps normalised pixels `[B, channels, H, W]`, with sides that are multiples of the patch size, to features
    /// `[B, patches, hidden]`.
    pub fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = pixels.dims4()?;
        let patch = self.config.patch_size;
        if channels != self.config.channels || height % patch != 0 || width % patch != 0 {
            let expected = self.config.channels;
            candle_core::bail!(
                "expected {expected} channels and sides divisible by {patch}, found {channels} × {height} × {width}"
            )
        }
        let (rows, columns) = (height / patch, width / patch);
        let patches = pixels
            .reshape(vec![batch, channels, rows, patch, columns, patch])?
            .permute(vec![0, 2, 4, 1, 3, 5])?
            .reshape((batch * rows * columns, channels * patch * patch))?;
        let embedded = patches.matmul(&self.patch_weight.t()?)?.reshape((batch, rows * columns, self.config.hidden))?;
        let (head_size, theta) = (self.config.head_size(), self.config.rope_theta);
        let rope = Rope::of_grid(rows, columns, head_size, theta, pixels.dtype(), pixels.device())?;
        let mut hidden = self.norm.forward(&embedded)?;
        for block in &self.blocks {
            hidden = block.forward(&hidden, &rope)?;
        }
        Ok(hidden)
    }
}
