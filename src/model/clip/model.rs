//! The two towers with their projections into the shared space.

use super::config::{ClipConfig, TextConfig};
use super::text::TextTower;
use super::vision::VisionTower;
use crate::model::dual_encoder::{self, ImageTower, Pixels};
use crate::model::layers::{Linear, Mode, linear_without_bias};
use candle_core::{Result, Tensor};
use candle_nn::{Init, Module, VarBuilder};

/// `CLIPModel`. Every parameter comes from the builder: none is invented, none is lost on saving.
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
    /// A tensor that is missing or of the wrong shape.
    pub fn new(config: &ClipConfig, vars: &VarBuilder, mode: Mode) -> Result<Self> {
        let width = config.vision_config.hidden_size;
        let deviation = config.initializer_factor * (width as f64).powf(-0.5);
        let projection = vars.pp("visual_projection");
        let text_width = config.text_config.hidden_size;
        let text_deviation = config.initializer_factor * (text_width as f64).powf(-0.5);
        Ok(Self {
            vision: VisionTower::new(&config.vision_config, mode, &vars.pp("vision_model"))?,
            visual_projection: linear_without_bias(width, config.projection_dim, deviation, &projection)?,
            text: ClipText::new(&config.text_config, config.projection_dim, text_deviation, mode, vars)?,
            logit_scale: vars.get_with_hints((), "logit_scale", Init::Const(config.logit_scale_init_value))?,
        })
    }

    /// The image tower's last states [B, 1 + patches, H], class token first, before the last norm.
    pub fn image_states(&self, pixels: &Tensor) -> Result<Tensor> {
        self.vision.states(pixels)
    }

    /// Embeddings [B, D] of `pixels` [B, 3, side, side], not normalised.
    pub fn image_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.visual_projection.forward(&self.vision.pooled(&Pixels::whole(pixels.clone()))?)
    }

    /// Embeddings [B, D] of `ids` [B, T] (u32), padded on the right; not normalised. Padding changes nothing.
    pub fn text_features(&self, ids: &Tensor) -> Result<Tensor> {
        dual_encoder::TextTower::features(&self.text, ids)
    }

    /// The logarithm of the factor on cosine similarities: a scalar, trained.
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
    /// `deviation` is the projection's first spread.
    pub fn new(config: &TextConfig, dimension: usize, deviation: f64, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let projection = vars.pp("text_projection");
        Ok(Self {
            tower: TextTower::new(config, mode, &vars.pp("text_model"))?,
            projection: linear_without_bias(config.hidden_size, dimension, deviation, &projection)?,
        })
    }
}

impl dual_encoder::TextTower for ClipText {
    fn features(&self, ids: &Tensor) -> Result<Tensor> {
        self.projection.forward(&self.tower.pooled(ids)?)
    }
}
