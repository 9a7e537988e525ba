//! The two towers with their projections to the shared space.

use super::config::{ClipConfig, TextConfig};
use super::text::TextTower;
use super::vision::VisionTower;
use crate::model::dual_encoder::{self, ImageTower, Pixels};
use crate::model::layers::{Linear, Mode, linear_without_bias};
use candle_core::{Result, Tensor};
use candle_nn::{Init, Module, VarBuilder};

/// `CLIPModel` of transformers. All parameters come from the builder, so that saving loses none.
#[derive(Clone, Debug)]
pub struct ClipModel {
    vision: VisionTower,
    visual_projection: Linear,
    text: ClipText,
    logit_scale: Tensor,
}

impl ClipModel {
    /// Builds the network over `vars`: a `VarMap` for training, [`crate::model::checkpoint::Weights`] for inference.
    ///
    /// # Errors
    /// Fails if a tensor is missing or has the wrong shape.
    pub fn new(config: &ClipConfig, vars: &VarBuilder, mode: Mode) -> Result<Self> {
        let width = config.vision_config.hidden_size;
        let init_std = config.initializer_factor * (width as f64).powf(-0.5);
        let projection = vars.pp("visual_projection");
        let text_width = config.text_config.hidden_size;
        let text_deviation = config.initializer_factor * (text_width as f64).powf(-0.5);
        Ok(Self {
            vision: VisionTower::new(&config.vision_config, mode, &vars.pp("vision_model"))?,
            visual_projection: linear_without_bias(width, config.projection_dim, init_std, &projection)?,
            text: ClipText::new(&config.text_config, config.projection_dim, text_deviation, mode, vars)?,
            logit_scale: vars.get_with_hints((), "logit_scale", Init::Const(config.logit_scale_init_value))?,
        })
    }

    /// Embeddings [B, D], not normalised, of `pixels` [B, 3, side, side].
    pub fn image_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.visual_projection.forward(&self.vision.pooled(&Pixels::whole(pixels.clone()))?)
    }

    /// Embeddings [B, D], not normalised, of token ids [B, T] (u32) with right padding, which has no effect.
    pub fn text_features(&self, ids: &Tensor) -> Result<Tensor> {
        dual_encoder::TextTower::features(&self.text, ids)
    }

    /// The trained logarithm of the inverse temperature, a scalar.
    pub fn logit_scale(&self) -> &Tensor {
        &self.logit_scale
    }
}

/// `text_model` and `text_projection`.
#[derive(Clone, Debug)]
pub(in crate::model) struct ClipText {
    tower: TextTower,
    projection: Linear,
}

impl ClipText {
    /// `init_std` is the standard deviation of the projection's initial weights.
    pub fn new(config: &TextConfig, dimension: usize, init_std: f64, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let projection = vars.pp("text_projection");
        Ok(Self {
            tower: TextTower::new(config, mode, &vars.pp("text_model"))?,
            projection: linear_without_bias(config.hidden_size, dimension, init_std, &projection)?,
        })
    }
}

impl dual_encoder::TextTower for ClipText {
    fn features(&self, ids: &Tensor) -> Result<Tensor> {
        self.projection.forward(&self.tower.pooled(ids)?)
    }
}
