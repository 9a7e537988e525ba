//! The image tower (`vision_model`): patch embedding, resized positions, transformer, pooling head.

use super::config::learned_side;
use super::positions::position_weights;
use crate::model::dual_encoder::{ImageTower, PatchGrid, Pixels};
use crate::model::layers::{Encoder, LayerNorm, Linear, Mode, embedding, layer_norm, linear};
use crate::model::siglip::{PoolingHead, VisionConfig};
use candle_core::{Device, Result, Tensor};
use candle_nn::{Embedding, Module, VarBuilder};

/// The image tower; weights under `vision_model.`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    patch_embedding: Linear,
    position_embedding: Embedding,
    /// Side of the square of learned positions.
    side: usize,
    encoder: Encoder,
    norm_after: LayerNorm,
    head: PoolingHead,
}

impl VisionTower {
    pub fn new(config: &VisionConfig, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let shape = config.encoder();
        let embeddings = vars.pp("embeddings");
        let inputs = config.num_channels * config.patch_size * config.patch_size;
        let deviation = (shape.width as f64).powf(-0.5);
        let start = (inputs as f64).powf(-0.5);
        let positions = embeddings.pp("position_embedding");
        Ok(Self {
            patch_embedding: linear(inputs, shape.width, start, &embeddings.pp("patch_embedding"))?,
            position_embedding: embedding(config.num_patches, shape.width, deviation, &positions)?,
            side: learned_side(config),
            encoder: Encoder::new(&shape, mode, &vars.pp("encoder"))?,
            norm_after: layer_norm(shape.width, shape.epsilon, mode, &vars.pp("post_layernorm"))?,
            head: PoolingHead::new(&shape, mode, &vars.pp("head"))?,
        })
    }

    /// Position embeddings [B, N, width] for each grid.
    fn positions(&self, grids: &[PatchGrid], patches: usize) -> Result<Tensor> {
        let learned = self.position_embedding.embeddings();
        let weights = position_weights(grids, patches, self.side, learned.dtype(), learned.device())?;
        let (pictures, patches, count) = weights.dims3()?;
        weights.reshape((pictures * patches, count))?.matmul(learned)?.reshape((pictures, patches, ()))
    }
}

impl ImageTower for VisionTower {
    fn pooled(&self, pixels: &Pixels) -> Result<Tensor> {
        let (patches, grids) = pixels.as_patches()?;
        let count = patches.dim(1)?;
        let learned = self.position_embedding.embeddings();
        let embedded = self.patch_embedding.forward(&patches.to_dtype(learned.dtype())?)?;
        let states = (embedded + self.positions(grids, count)?)?;
        let mask = mask(grids, count, learned.device())?;
        let states = self.encoder.forward(&states, mask.as_ref())?;
        self.head.forward(&self.norm_after.forward(&states)?, mask.as_ref())
    }
}

/// The attention mask [B, 1, 1, N] that hides padding after an image's last patch; `None` if there is no padding.
fn mask(grids: &[PatchGrid], patches: usize, device: &Device) -> Result<Option<Tensor>> {
    if grids.iter().all(|grid| grid.count() == patches) {
        return Ok(None);
    }
    let mut cells = vec![0.0_f32; grids.len() * patches];
    for (grid, line) in grids.iter().zip(cells.chunks_mut(patches)) {
        line[grid.count()..].fill(f32::NEG_INFINITY);
    }
    Tensor::from_vec(cells, (grids.len(), 1, 1, patches), device).map(Some)
}
