//! From patches to the decoder's embedding space: average pooling, a norm and a matrix (`Gemma3MultiModalProjector`).

use super::config::Gemma3Config;
use crate::model::decoder::layers::RmsNorm;
use crate::model::layers::{Linear, Matrix, Mode};
use candle_core::{DType, Module, Result, Tensor};
use candle_nn::VarBuilder;

/// The projector; weights under `multi_modal_projector.`.
#[derive(Clone, Debug)]
pub(super) struct Projector {
    norm: RmsNorm,
    projection: Linear,
    /// Tokens along a side.
    side: usize,
}

impl Projector {
    pub fn new(config: &Gemma3Config, weights: &VarBuilder) -> Result<Self> {
        let width = config.vision.hidden_size;
        let norm = weights.pp("mm_soft_emb_norm");
        // Stored as [inputs, outputs], unlike a linear layer's.
        let matrix = weights.get((width, config.text.hidden), "mm_input_projection_weight")?;
        Ok(Self {
            norm: RmsNorm::around_one(width, config.vision.layer_norm_eps, &norm, false, Mode::Infer)?,
            projection: Linear::new(Matrix::Plain(matrix.t()?.contiguous()?), None),
            side: config.tokens_per_image.isqrt(),
        })
    }

    /// Maps patches `[B, count, width]` of a square image to tokens `[B, side², text hidden]`.
    pub fn forward(&self, patches: &Tensor) -> Result<Tensor> {
        let (batch, count, width) = patches.dims3()?;
        let (side, dtype) = (self.side, patches.dtype());
        let pool = count.isqrt() / side;
        let pooled = patches
            .to_dtype(DType::F32)?
            .reshape(vec![batch, side, pool, side, pool, width])?
            .mean((2, 4))?
            .reshape((batch, side * side, width))?
            .to_dtype(dtype)?;
        self.projection.forward(&self.norm.forward(&pooled)?)
    }
}
