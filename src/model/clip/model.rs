//! The two towers with their projections into the shared space.

use super::config::ClipConfig;
use super::image_tower::ImageTower;
use super::text::TextTower;
use crate::model::layers::{Linear, Mode, linear_without_bias};
use candle_core::{Result, Tensor};
use candle_nn::{Init, Module, VarBuilder};

/// `CLIPModel`. Every parameter comes from the builder: none is invented, none is lost on saving.
#[derive(Clone, Debug)]
pub struct ClipModel {
    image_tower: ImageTower,
    text: TextTower,
    text_projection: Linear,
    logit_scale: Tensor,
}

impl ClipModel {
    /// Builds the network over `vars`: a `VarMap` for training, [`crate::model::checkpoint::Weights`] for inference.
    ///
    /// # Errors
    /// A tensor that is missing or of the wrong shape.
    pub fn new(config: &ClipConfig, vars: &VarBuilder, mode: Mode) -> Result<Self> {
        let text = &config.text_config;
        let deviation = config.initializer_factor * (text.hidden_size as f64).powf(-0.5);
        let projection = vars.pp("text_projection");
        Ok(Self {
            image_tower: ImageTower::new(config, vars, mode)?,
            text: TextTower::new(text, mode, &vars.pp("text_model"))?,
            text_projection: linear_without_bias(text.hidden_size, config.projection_dim, deviation, &projection)?,
            logit_scale: vars.get_with_hints((), "logit_scale", Init::Const(config.logit_scale_init_value))?,
        })
    }

    /// The image side.
    pub fn image_tower(&self) -> &ImageTower {
        &self.image_tower
    }

    /// Embeddings [B, D] of `pixels` [B, 3, side, side], not normalised.
    pub fn image_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.image_tower.features(pixels)
    }

    /// Embeddings [B, D] of `ids` [B, T] (u32), padded on the right; not normalised. Padding changes nothing.
    pub fn text_features(&self, ids: &Tensor) -> Result<Tensor> {
        self.text_projection.forward(&self.text.pooled(ids)?)
    }

    /// The logarithm of the factor on cosine similarities: a scalar, trained.
    pub fn logit_scale(&self) -> &Tensor {
        &self.logit_scale
    }
}
