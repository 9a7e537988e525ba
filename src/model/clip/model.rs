//! The two towers with their projections into the shared space.

use super::config::ClipConfig;
use super::text::TextTower;
use super::vision::VisionTower;
use crate::model::layers::{Linear, Mode, linear_without_bias};
use candle_core::{Result, Tensor};
use candle_nn::{Init, Module, VarBuilder};

/// `CLIPModel`. Every parameter comes from the builder: none is invented, none is lost on saving.
#[derive(Clone, Debug)]
pub struct ClipModel {
    vision: VisionTower,
    text: TextTower,
    visual_projection: Linear,
    text_projection: Linear,
    logit_scale: Tensor,
}

impl ClipModel {
    /// Builds the network over `vars`: a `VarMap` for training, [`crate::model::checkpoint::Weights`] for inference.
    ///
    /// # Errors
    /// A tensor that is missing or of the wrong shape.
    pub fn new(config: &ClipConfig, vars: &VarBuilder, mode: Mode) -> Result<Self> {
        let (vision, text, width) = (&config.vision_config, &config.text_config, config.projection_dim);
        let project = |inputs: usize, name: &str| {
            let deviation = config.initializer_factor * (inputs as f64).powf(-0.5);
            linear_without_bias(inputs, width, deviation, &vars.pp(name))
        };
        Ok(Self {
            vision: VisionTower::new(vision, mode, &vars.pp("vision_model"))?,
            text: TextTower::new(text, mode, &vars.pp("text_model"))?,
            visual_projection: project(vision.hidden_size, "visual_projection")?,
            text_projection: project(text.hidden_size, "text_projection")?,
            logit_scale: vars.get_with_hints((), "logit_scale", Init::Const(config.logit_scale_init_value))?,
        })
    }

    /// Embeddings [B, D] of `pixels` [B, 3, side, side], not normalised.
    pub fn image_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.project_image(&self.vision_pooled(&self.vision_hidden(pixels)?)?)
    }

    /// Embeddings [B, D] of `ids` [B, T] (u32), padded on the right; not normalised. Padding changes nothing.
    pub fn text_features(&self, ids: &Tensor) -> Result<Tensor> {
        self.text_projection.forward(&self.text.pooled(ids)?)
    }

    /// The image tower's last states [B, 1 + patches, H], class token first, before the last norm.
    pub fn vision_hidden(&self, pixels: &Tensor) -> Result<Tensor> {
        self.vision.hidden(pixels)
    }

    /// The image tower's pooled output [B, H] from its last states.
    pub fn vision_pooled(&self, hidden: &Tensor) -> Result<Tensor> {
        self.vision.pool(hidden)
    }

    /// Projects pooled outputs [B, H] to embeddings [B, D].
    pub fn project_image(&self, pooled: &Tensor) -> Result<Tensor> {
        self.visual_projection.forward(pooled)
    }

    /// The logarithm of the factor on cosine similarities: a scalar, trained.
    pub fn logit_scale(&self) -> &Tensor {
        &self.logit_scale
    }
}
