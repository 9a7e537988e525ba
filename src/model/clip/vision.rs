//! The image tower (`vision_model`): patches, class token, transformer.

use super::config::VisionConfig;
use super::encoder::{Encoder, EncoderShape};
use crate::model::layers::{LayerNorm, Mode, embedding, layer_norm};
use candle_core::{Result, Tensor};
use candle_nn::{Embedding, Init, VarBuilder};

/// `vision_model`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    class_embedding: Tensor,
    /// [width, 3, patch, patch], the kernel of a convolution whose stride is its size.
    patch_embedding: Tensor,
    position_embedding: Embedding,
    norm_before: LayerNorm,
    encoder: Encoder,
    norm_after: LayerNorm,
    image_size: usize,
    patch_size: usize,
}

impl VisionTower {
    pub fn new(config: &VisionConfig, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (width, patch, factor) = (config.hidden_size, config.patch_size, config.initializer_factor);
        let normal = |deviation: f64| Init::Randn { mean: 0.0, stdev: deviation * factor };
        let embeddings = vars.pp("embeddings");
        let class_embedding = embeddings.get_with_hints(width, "class_embedding", normal((width as f64).powf(-0.5)))?;
        let patch_embedding = embeddings.get_with_hints(
            (width, config.num_channels, patch, patch),
            "patch_embedding.weight",
            normal(config.initializer_range),
        )?;
        let positions = config.grid() * config.grid() + 1;
        let deviation = config.initializer_range * factor;
        let position_embedding = embedding(positions, width, deviation, &embeddings.pp("position_embedding"))?;
        let shape = EncoderShape {
            width,
            inner_width: config.intermediate_size,
            layers: config.num_hidden_layers,
            heads: config.num_attention_heads,
            activation: config.hidden_act,
            epsilon: config.layer_norm_eps,
            factor,
        };
        Ok(Self {
            class_embedding,
            patch_embedding,
            position_embedding,
            // The misspelling is that of the published weights.
            norm_before: layer_norm(width, config.layer_norm_eps, mode, &vars.pp("pre_layrnorm"))?,
            encoder: Encoder::new(&shape, mode, &vars.pp("encoder"))?,
            norm_after: layer_norm(width, config.layer_norm_eps, mode, &vars.pp("post_layernorm"))?,
            image_size: config.image_size,
            patch_size: patch,
        })
    }

    /// The last layer's states [B, 1 + patches, width] of `pixels` [B, 3, side, side], class token first.
    pub fn hidden(&self, pixels: &Tensor) -> Result<Tensor> {
        let patches = self.embed_patches(pixels)?;
        let (batch, _, width) = patches.dims3()?;
        let class = self.class_embedding.reshape((1, 1, width))?.expand((batch, 1, width))?;
        let states = Tensor::cat(&[&class, &patches], 1)?.broadcast_add(self.position_embedding.embeddings())?;
        self.encoder.forward(&self.norm_before.forward(&states)?, None)
    }

    /// The picture's vector [B, width] from the states of [`Self::hidden`]: the class token, normalised.
    pub fn pool(&self, hidden: &Tensor) -> Result<Tensor> {
        let class = hidden.narrow(1, 0, 1)?.squeeze(1)?;
        self.norm_after.forward(&class)
    }

    /// The convolution as one matrix product over cut-out patches: [B, patches, width].
    fn embed_patches(&self, pixels: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = pixels.dims4()?;
        if height != self.image_size || width != self.image_size {
            let side = self.image_size;
            candle_core::bail!("pixels are {width}×{height}, the image tower takes {side}×{side}");
        }
        let patch = self.patch_size;
        let grid = self.image_size / patch;
        let used = grid * patch;
        let pixels = pixels.to_dtype(self.patch_embedding.dtype())?.narrow(2, 0, used)?.narrow(3, 0, used)?;
        let patches = pixels
            .contiguous()?
            .reshape(vec![batch, channels, grid, patch, grid, patch])?
            .permute(vec![0, 2, 4, 1, 3, 5])?
            .reshape((batch * grid * grid, channels * patch * patch))?;
        let kernel = self.patch_embedding.flatten_from(1)?;
        patches.matmul(&kernel.t()?)?.reshape((batch, grid * grid, ()))
    }
}
