//! timm's `VisionTransformer` as image tower: class token, learned positions, final norm (Dosovitskiy et al. 2021).
//! Differences from CLIP: the patch embedding has a bias, and there is no norm before the layers.

use crate::model::checkpoint::Weights;
use crate::model::dual_encoder::{ImageTower, Pixels};
use crate::model::layers::{
    Activation, Encoder, EncoderShape, LayerNorm, Mode, PatchEmbedding, PatchShape, layer_norm,
};
use candle_core::{Result, Tensor};
use candle_nn::{Init, VarBuilder};

/// Size of an attention head in all published models (tiny to huge).
const HEAD_WIDTH: usize = 64;

/// Sizes of the tower; the configuration contains only the image size.
#[derive(Clone, Copy, Debug)]
pub(super) struct VitShape {
    pub encoder: EncoderShape,
    pub patches: PatchShape,
}

impl VitShape {
    /// Takes the sizes from `weights`. Sizes of missing tensors are 0; building the network then reports the missing tensor.
    pub fn of(weights: &Weights, image_size: usize) -> Self {
        let size = |name: &str, dimension: usize| -> usize {
            let shape = weights.shape(&format!("vision_model.{name}")).unwrap_or_default();
            shape.get(dimension).copied().unwrap_or(0)
        };
        let width = size("cls_token", 2);
        let encoder = EncoderShape {
            width,
            inner_width: size("encoder.layers.0.mlp.fc1.weight", 0),
            layers: weights.layers_below("vision_model.encoder.layers."),
            heads: width / HEAD_WIDTH,
            activation: Activation::Gelu,
            epsilon: 1e-6,
            factor: 1.0,
        };
        let patches = PatchShape { width, channels: 3, image_size, patch_size: size("patch_embed.proj.weight", 2) };
        Self { encoder, patches }
    }
}

/// The tower, with layers named as in CLIP.
#[derive(Clone, Debug)]
pub(super) struct VisionTransformer {
    class_token: Tensor,
    patch_embedding: PatchEmbedding,
    positions: Tensor,
    encoder: Encoder,
    norm: LayerNorm,
}

impl VisionTransformer {
    pub fn new(shape: &VitShape, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (width, grid) = (shape.patches.width, shape.patches.grid());
        let normal = Init::Randn { mean: 0.0, stdev: 0.02 };
        Ok(Self {
            class_token: vars.get_with_hints((1, 1, width), "cls_token", normal)?,
            patch_embedding: PatchEmbedding::with_bias(shape.patches, 0.02, &vars.pp("patch_embed.proj"))?,
            positions: vars.get_with_hints((1, 1 + grid * grid, width), "pos_embed", normal)?,
            encoder: Encoder::new(&shape.encoder, mode, &vars.pp("encoder"))?,
            norm: layer_norm(width, shape.encoder.epsilon, mode, &vars.pp("norm"))?,
        })
    }
}

impl ImageTower for VisionTransformer {
    /// The class token after the final norm.
    fn pooled(&self, pixels: &Pixels) -> Result<Tensor> {
        let patches = self.patch_embedding.forward(pixels.as_whole()?)?;
        let (batch, _, width) = patches.dims3()?;
        let class = self.class_token.expand((batch, 1, width))?;
        let states = Tensor::cat(&[&class, &patches], 1)?.broadcast_add(&self.positions)?;
        let class = self.encoder.forward(&states, None)?.narrow(1, 0, 1)?.squeeze(1)?;
        self.norm.forward(&class)
    }
}
