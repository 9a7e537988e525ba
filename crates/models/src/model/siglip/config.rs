//! `config.json` of a `SiglipModel`, and the fields that `Siglip2Model` shares with it.

use crate::model::checkpoint::{CheckpointError, object_in, read_json, typed};
use crate::model::layers::{Activation, EncoderShape, PatchShape};
use crate::model::limits::check_sizes;
use serde::Deserialize;
use std::path::Path;

/// The fields of `config.json` that the network needs, with the defaults of transformers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SiglipConfig {
    pub(in crate::model) vision_config: VisionConfig,
    pub(super) text_config: TextConfig,
}

/// The image tower.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::model) struct VisionConfig {
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub num_channels: usize,
    /// For SigLIP, and SigLIP 2 with fixed resolution: side of the input in pixels.
    pub image_size: usize,
    /// For SigLIP 2 NaFlex: number of learned positions, a square number.
    pub num_patches: usize,
    pub patch_size: usize,
    pub hidden_act: Activation,
    pub layer_norm_eps: f64,
    pub vision_use_head: bool,
}

/// The text tower.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct TextConfig {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    /// Length of every text in tokens, including padding.
    pub max_position_embeddings: usize,
    pub hidden_act: Activation,
    pub layer_norm_eps: f64,
    pub pad_token_id: Option<u32>,
    /// Size of the shared space; if absent, `hidden_size`.
    pub projection_size: Option<usize>,
}

impl Default for VisionConfig {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            num_channels: 3,
            image_size: 224,
            num_patches: 256,
            patch_size: 16,
            hidden_act: Activation::GeluPytorchTanh,
            layer_norm_eps: 1e-6,
            vision_use_head: true,
        }
    }
}

impl Default for TextConfig {
    fn default() -> Self {
        Self {
            vocab_size: 32_000,
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            max_position_embeddings: 64,
            hidden_act: Activation::GeluPytorchTanh,
            layer_norm_eps: 1e-6,
            pad_token_id: Some(1),
            projection_size: None,
        }
    }
}

impl SiglipConfig {
    /// Reads and checks `config.json` of `folder`.
    ///
    /// # Errors
    /// Fails if the file is missing or broken, or sizes are inconsistent.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        Self::read_with(folder, VisionConfig::check_whole_image)
    }

    /// [`SiglipConfig::read`] with another check of the image tower's positions.
    ///
    /// # Errors
    /// Fails as [`SiglipConfig::read`] does.
    pub(in crate::model) fn read_with(
        folder: &Path,
        check_positions: fn(&VisionConfig) -> Result<(), String>,
    ) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it describes the model")?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join("config.json"), reason };
        object_in(folder, "config.json", &value, "vision_config")?;
        object_in(folder, "config.json", &value, "text_config")?;
        let config: Self = typed(value).map_err(bad)?;
        let vision = &config.vision_config;
        check_positions(vision)
            .and_then(|()| vision.check())
            .and_then(|()| config.text_config.check(vision.hidden_size))
            .map_err(bad)?;
        Ok(config)
    }
}

impl VisionConfig {
    fn check(&self) -> Result<(), String> {
        self.check_encoder()?;
        if !self.vision_use_head {
            return Err("vision_config: expected vision_use_head true, since the head computes the embedding".into());
        }
        Ok(())
    }

    fn check_encoder(&self) -> Result<(), String> {
        self.encoder().check("vision_config")?;
        if self.num_channels != 3 {
            return Err(format!("vision_config: expected num_channels 3, found {}", self.num_channels));
        }
        Ok(())
    }

    /// Checks a tower that is used without its pooling head.
    ///
    /// # Errors
    /// Fails if sizes are inconsistent.
    pub fn check_features(&self) -> Result<(), String> {
        self.check_whole_image()?;
        self.check_encoder()
    }

    fn check_whole_image(&self) -> Result<(), String> {
        let (patch, image) = (self.patch_size, self.image_size);
        check_sizes("vision_config", &[("image_size", image), ("patch_size", patch)])?;
        if patch > image {
            return Err(format!("vision_config: patch_size {patch} does not fit into image_size {image}"));
        }
        Ok(())
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

    pub fn patches(&self) -> PatchShape {
        PatchShape {
            width: self.hidden_size,
            channels: self.num_channels,
            image_size: self.image_size,
            patch_size: self.patch_size,
        }
    }
}

impl TextConfig {
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

    /// Fails if sizes are inconsistent, or the output size differs from that of the image tower, `vision_width`.
    pub fn check(&self, vision_width: usize) -> Result<(), String> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("projection_size", self.projection()),
        ];
        check_sizes("text_config", &sizes)?;
        self.encoder().check("text_config")?;
        if vision_width != self.projection() {
            return Err(format!(
                "vision_config: hidden_size {vision_width} differs from text_config: projection_size {}",
                self.projection()
            ));
        }
        Ok(())
    }

    /// Size of the shared space.
    pub fn projection(&self) -> usize {
        self.projection_size.unwrap_or(self.hidden_size)
    }
}
