//! The image tower (`vision_model`): patches, transformer, pooling head.

use super::config::VisionConfig;
use super::pooling_head::PoolingHead;
use crate::model::dual_encoder::{ImageTower, Pixels};
use crate::model::layers::{Encoder, LayerNorm, Mode, PatchEmbedding, embedding, layer_norm};
use candle_core::{Result, Tensor};
use candle_nn::{Embedding, VarBuilder};

/// The image tower; weights under `vision_model.`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    patch_embedding: PatchEmbedding,
    position_embedding: Embedding,
    encoder: Encoder,
    norm_after: LayerNorm,
    head: PoolingHead,
}

impl VisionTower {
    pub fn new(config: &VisionConfig, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (patches, shape) = (config.patches(), config.encoder());
        let embeddings = vars.pp("embeddings");
        let positions = patches.grid() * patches.grid();
        let deviation = (patches.width as f64).powf(-0.5);
        Ok(Self {
            patch_embedding: PatchEmbedding::with_bias(patches, deviation, &embeddings.pp("patch_embedding"))?,
            position_embedding: embedding(positions, patches.width, deviation, &embeddings.pp("position_embedding"))?,
            encoder: Encoder::new(&shape, mode, &vars.pp("encoder"))?,
            norm_after: layer_norm(shape.width, shape.epsilon, mode, &vars.pp("post_layernorm"))?,
            head: PoolingHead::new(&shape, mode, &vars.pp("head"))?,
        })
    }
}

impl ImageTower for VisionTower {
    fn pooled(&self, pixels: &Pixels) -> Result<Tensor> {
        let patches = self.patch_embedding.forward(pixels.as_whole()?)?;
        let states = patches.broadcast_add(self.position_embedding.embeddings())?;
        self.head.forward(&self.norm_after.forward(&self.encoder.forward(&states, None)?)?, None)
    }
}
