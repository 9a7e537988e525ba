//! The image tower: patches, class token, learned positions, layers.

use super::config::Dinov2Config;
use super::layer::{INIT_STD, Layer};
use super::positions::{axis_weights, resized};
use crate::model::dual_encoder::{ImageTower, Pixels};
use crate::model::layers::{LayerNorm, Mode, PatchEmbedding, layer_norm};
use candle_core::{DType, Result, Tensor};
use candle_nn::{Init, VarBuilder};

/// The image tower; weights under `vision_model.`, named as in `Dinov2Model`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    class_token: Tensor,
    patch_embedding: PatchEmbedding,
    /// [1, 1 + learned², width], the class token's first.
    positions: Tensor,
    /// For resizing the positions; `None` if the patch grid is the learned one.
    axis_weights: Option<Tensor>,
    layers: Vec<Layer>,
    norm: LayerNorm,
}

impl VisionTower {
    pub fn new(config: &Dinov2Config, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (width, learned, grid) = (config.encoder.width, config.learned_grid, config.patches.grid());
        let normal = Init::Randn { mean: 0.0, stdev: INIT_STD };
        let embeddings = vars.pp("embeddings");
        let projection = embeddings.pp("patch_embeddings.projection");
        let mut layers = Vec::new();
        for number in 0..config.encoder.layers {
            layers.push(Layer::new(config, mode, &vars.pp("encoder.layer").pp(number))?);
        }
        Ok(Self {
            class_token: embeddings.get_with_hints((1, 1, width), "cls_token", normal)?,
            patch_embedding: PatchEmbedding::with_bias(config.patches, INIT_STD, &projection)?,
            positions: embeddings.get_with_hints((1, 1 + learned * learned, width), "position_embeddings", normal)?,
            axis_weights: (grid != learned).then(|| axis_weights(learned, grid, vars.device())).transpose()?,
            layers,
            norm: layer_norm(width, config.encoder.epsilon, mode, &vars.pp("layernorm"))?,
        })
    }

    /// Positions [1, 1 + grid², width] of the patch grid; interpolated in f32 as in transformers.
    fn positions(&self) -> Result<Tensor> {
        let Some(weights) = &self.axis_weights else { return Ok(self.positions.clone()) };
        let learned = self.positions.dim(1)? - 1;
        let of_patches = self.positions.narrow(1, 1, learned)?.squeeze(0)?.to_dtype(DType::F32)?;
        let of_patches = resized(&of_patches, weights)?.unsqueeze(0)?.to_dtype(self.positions.dtype())?;
        Tensor::cat(&[&self.positions.narrow(1, 0, 1)?, &of_patches], 1)
    }
}

impl ImageTower for VisionTower {
    /// The class token after the final norm (`pooler_output`).
    fn pooled(&self, pixels: &Pixels) -> Result<Tensor> {
        let patches = self.patch_embedding.forward(pixels.as_whole()?)?;
        let (batch, _, width) = patches.dims3()?;
        let class = self.class_token.expand((batch, 1, width))?;
        let mut states = Tensor::cat(&[&class, &patches], 1)?.broadcast_add(&self.positions()?)?;
        for layer in &self.layers {
            states = layer.forward(&states)?;
        }
        self.norm.forward(&states.narrow(1, 0, 1)?.squeeze(1)?)
    }
}
