//! The image tower (`vision_model`): patches, class token, transformer.

use super::config::VisionConfig;
use crate::model::dual_encoder::{ImageTower, Pixels};
use crate::model::layers::{Encoder, LayerNorm, Mode, PatchEmbedding, embedding, layer_norm};
use candle_core::{Result, Tensor};
use candle_nn::{Embedding, Init, VarBuilder};

/// The image tower; weights under `vision_model.`.
#[derive(Clone, Debug)]
pub(in crate::model) struct VisionTower {
    class_embedding: Tensor,
    patch_embedding: PatchEmbedding,
    position_embedding: Embedding,
    norm_before: LayerNorm,
    encoder: Encoder,
    norm_after: LayerNorm,
}

impl VisionTower {
    pub fn new(config: &VisionConfig, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (width, factor) = (config.hidden_size, config.initializer_factor);
        let embeddings = vars.pp("embeddings");
        let class_deviation = (width as f64).powf(-0.5) * factor;
        let class_init = Init::Randn { mean: 0.0, stdev: class_deviation };
        let class_embedding = embeddings.get_with_hints(width, "class_embedding", class_init)?;
        let patches = config.patches();
        let deviation = config.initializer_range * factor;
        let positions = patches.grid() * patches.grid() + 1;
        Ok(Self {
            class_embedding,
            patch_embedding: PatchEmbedding::without_bias(patches, deviation, &embeddings.pp("patch_embedding"))?,
            position_embedding: embedding(positions, width, deviation, &embeddings.pp("position_embedding"))?,
            // Misspelt in the published weights.
            norm_before: layer_norm(width, config.layer_norm_eps, mode, &vars.pp("pre_layrnorm"))?,
            encoder: Encoder::new(&config.encoder(), mode, &vars.pp("encoder"))?,
            norm_after: layer_norm(width, config.layer_norm_eps, mode, &vars.pp("post_layernorm"))?,
        })
    }

    /// The last hidden states [B, 1 + patches, width] of `pixels` [B, 3, side, side], class token first, before the final
    /// norm.
    fn states(&self, pixels: &Tensor) -> Result<Tensor> {
        self.encoder.forward(&self.embedded(pixels)?, None)
    }

    /// The states [B, 1 + patches, width] before the encoder and after each of its first `layers`, class token first.
    pub fn first_states(&self, pixels: &Tensor, layers: usize) -> Result<Vec<Tensor>> {
        self.encoder.first_states(&self.embedded(pixels)?, layers)
    }

    fn embedded(&self, pixels: &Tensor) -> Result<Tensor> {
        let patches = self.patch_embedding.forward(pixels)?;
        let (batch, _, width) = patches.dims3()?;
        let class = self.class_embedding.reshape((1, 1, width))?.expand((batch, 1, width))?;
        let states = Tensor::cat(&[&class, &patches], 1)?.broadcast_add(self.position_embedding.embeddings())?;
        self.norm_before.forward(&states)
    }
}

impl ImageTower for VisionTower {
    /// The class token after the final norm.
    fn pooled(&self, pixels: &Pixels) -> Result<Tensor> {
        let class = self.states(pixels.as_whole()?)?.narrow(1, 0, 1)?.squeeze(1)?;
        self.norm_after.forward(&class)
    }
}
