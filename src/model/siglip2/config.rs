//! `config.json` of a `Siglip2Model`.

use crate::model::checkpoint::{CheckpointError, read_json};
use crate::model::layers::{Activation, EncoderShape};
use crate::model::limits::check_sizes;
use crate::model::siglip::TextConfig;
use serde::Deserialize;
use std::path::Path;

/// The fields of `config.json` that the network needs; missing ones have the defaults of `transformers`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Siglip2Config {
    pub(super) vision_config: VisionConfig,
    pub(super) text_config: TextConfig,
}

/// The image tower.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct VisionConfig {
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub num_channels: usize,
    /// Of the square whose positions were learned; pictures may have more or fewer.
    pub num_patches: usize,
    pub patch_size: usize,
    pub hidden_act: Activation,
    pub layer_norm_eps: f64,
    pub vision_use_head: bool,
}

impl Default for VisionConfig {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            num_channels: 3,
            num_patches: 256,
            patch_size: 16,
            hidden_act: Activation::GeluPytorchTanh,
            layer_norm_eps: 1e-6,
            vision_use_head: true,
        }
    }
}

impl Siglip2Config {
    /// Reads and checks `config.json` of `folder`.
    ///
    /// # Errors
    /// A missing or broken file, a field of the wrong type, sizes that do not fit together.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it says what model this is")?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join("config.json"), reason };
        let config: Self = serde_json::from_value(value).map_err(|error| bad(error.to_string()))?;
        config
            .vision_config
            .check()
            .and_then(|()| config.text_config.check(config.vision_config.hidden_size))
            .map_err(bad)?;
        Ok(config)
    }
}

impl VisionConfig {
    fn check(&self) -> Result<(), String> {
        check_sizes("vision_config", &[("num_patches", self.num_patches), ("patch_size", self.patch_size)])?;
        self.encoder().check("vision_config")?;
        if self.num_channels != 3 {
            return Err(format!("vision_config: expected num_channels 3, found {}", self.num_channels));
        }
        if self.side().pow(2) != self.num_patches {
            return Err(format!("vision_config: expected num_patches of a square, found {}", self.num_patches));
        }
        if !self.vision_use_head {
            return Err("vision_config: expected vision_use_head true: without it there is no vector".into());
        }
        Ok(())
    }

    /// Along each side of the square whose positions were learned.
    pub fn side(&self) -> usize {
        self.num_patches.isqrt()
    }

    pub fn encoder(&self) -> EncoderShape {
        EncoderShape {
            width: self.hidden_size,
            inner_width: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            activation: self.hidden_act,
            epsilon: self.layer_norm_eps,
            factor: 1.0,
        }
    }
}
