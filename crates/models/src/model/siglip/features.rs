//! The image tower without its pooling head, as vision-language models use it: one feature per patch.

use super::config::VisionConfig;
use crate::model::layers::{Encoder, LayerNorm, Mode, PatchEmbedding, embedding, layer_norm};
use candle_core::{Result, Tensor};
use candle_nn::{Embedding, VarBuilder};

/// The image tower up to its last norm, for inference; weights are those of the full tower.
#[derive(Clone, Debug)]
pub(in crate::model) struct PatchFeatures {
    patch_embedding: PatchEmbedding,
    position_embedding: Embedding,
    encoder: Encoder,
    norm_after: LayerNorm,
}

impl PatchFeatures {
    pub fn new(config: &VisionConfig, vars: &VarBuilder) -> Result<Self> {
        let (patches, shape) = (config.patches(), config.encoder());
        let embeddings = vars.pp("embeddings");
        let positions = patches.grid() * patches.grid();
        // The weights are loaded; the deviation of new ones does not matter.
        let deviation = (patches.width as f64).powf(-0.5);
        Ok(Self {
            patch_embedding: PatchEmbedding::with_bias(patches, deviation, &embeddings.pp("patch_embedding"))?,
            position_embedding: embedding(positions, patches.width, deviation, &embeddings.pp("position_embedding"))?,
            encoder: Encoder::new(&shape, Mode::Infer, &vars.pp("encoder"))?,
            norm_after: layer_norm(shape.width, shape.epsilon, Mode::Infer, &vars.pp("post_layernorm"))?,
        })
    }

    /// Maps pixels `[B, 3, side, side]` to features `[B, patches, width]` in row-major order.
    pub fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let patches = self.patch_embedding.forward(pixels)?;
        let states = patches.broadcast_add(self.position_embedding.embeddings())?;
        self.norm_after.forward(&self.encoder.forward(&states, None)?)
    }
}
