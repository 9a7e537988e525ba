//! The image side of CLIP: tower and projection. A retriever's head may be a copy of it.

use super::config::ClipConfig;
use super::vision::VisionTower;
use crate::model::layers::{Linear, Mode, linear_without_bias};
use candle_core::{Result, Tensor};
use candle_nn::{Module, VarBuilder};

/// `vision_model` and `visual_projection`.
#[derive(Clone, Debug)]
pub struct ImageTower {
    vision: VisionTower,
    projection: Linear,
}

impl ImageTower {
    /// Builds the tower over `vars`.
    ///
    /// # Errors
    /// A tensor that is missing or of the wrong shape.
    pub fn new(config: &ClipConfig, vars: &VarBuilder, mode: Mode) -> Result<Self> {
        Ok(Self {
            vision: VisionTower::new(&config.vision_config, mode, &vars.pp("vision_model"))?,
            projection: visual_projection(config, vars)?,
        })
    }

    /// Embeddings [B, D] of `pixels` [B, 3, side, side], not normalised.
    pub fn features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.project(&self.pooled(pixels)?)
    }

    /// The tower's pooled output [B, H] of `pixels` [B, 3, side, side].
    pub fn pooled(&self, pixels: &Tensor) -> Result<Tensor> {
        self.vision.pool(&self.hidden(pixels)?)
    }

    /// The tower's last states [B, 1 + patches, H], class token first, before the last norm.
    pub fn hidden(&self, pixels: &Tensor) -> Result<Tensor> {
        self.vision.hidden(pixels)
    }

    /// Projects pooled outputs [B, H] to embeddings [B, D].
    pub fn project(&self, pooled: &Tensor) -> Result<Tensor> {
        self.projection.forward(pooled)
    }
}

/// The projection [D, H] alone.
///
/// # Errors
/// If it is missing or of the wrong shape.
pub fn visual_projection(config: &ClipConfig, vars: &VarBuilder) -> Result<Linear> {
    let inputs = config.vision_config.hidden_size;
    let deviation = config.initializer_factor * (inputs as f64).powf(-0.5);
    linear_without_bias(inputs, config.projection_dim, deviation, &vars.pp("visual_projection"))
}
