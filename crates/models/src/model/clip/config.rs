//! `config.json` of a `CLIPModel`.

use crate::model::checkpoint::{CheckpointError, object_in, read_json, typed};
use crate::model::layers::{Activation, EncoderShape, PatchShape};
use crate::model::limits::check_sizes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// The fields of `config.json` that the network needs, with the defaults of transformers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClipConfig {
    pub vision_config: VisionConfig,
    pub text_config: TextConfig,
    /// Size of the shared embedding space.
    pub projection_dim: usize,
    /// Initial value of the logarithm of the inverse temperature.
    pub logit_scale_init_value: f64,
    /// Factor on the standard deviation of the projections' initial weights.
    pub initializer_factor: f64,
}

/// The image tower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VisionConfig {
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub num_channels: usize,
    /// Side of the square input in pixels.
    pub image_size: usize,
    /// Side of a square patch in pixels.
    pub patch_size: usize,
    pub hidden_act: Activation,
    pub layer_norm_eps: f64,
    pub initializer_range: f64,
    pub initializer_factor: f64,
}

/// The text tower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TextConfig {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    /// Longest text in tokens, including begin and end tokens.
    pub max_position_embeddings: usize,
    pub hidden_act: Activation,
    pub layer_norm_eps: f64,
    pub initializer_factor: f64,
    pub pad_token_id: u32,
    pub bos_token_id: u32,
    /// The token at which the text is pooled; 2 means legacy pooling, at the highest token id.
    pub eos_token_id: u32,
    /// True if tokens attend to later ones and to padding (`no_causal_mask` of OpenCLIP).
    #[serde(skip)]
    pub is_bidirectional: bool,
}

impl Default for ClipConfig {
    fn default() -> Self {
        Self {
            vision_config: VisionConfig::default(),
            text_config: TextConfig::default(),
            projection_dim: 512,
            logit_scale_init_value: 2.6592,
            initializer_factor: 1.0,
        }
    }
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
            patch_size: 32,
            hidden_act: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
            initializer_range: 0.02,
            initializer_factor: 1.0,
        }
    }
}

impl Default for TextConfig {
    fn default() -> Self {
        Self {
            vocab_size: 49408,
            hidden_size: 512,
            intermediate_size: 2048,
            num_hidden_layers: 12,
            num_attention_heads: 8,
            max_position_embeddings: 77,
            hidden_act: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
            initializer_factor: 1.0,
            pad_token_id: 1,
            bos_token_id: 49406,
            eos_token_id: 49407,
            is_bidirectional: false,
        }
    }
}

impl ClipConfig {
    /// The configuration of the sample dataset's model: 64-pixel images in 8-pixel patches, 4 + 2 layers with 3 heads of size
    /// 32, embeddings of size 64. Token ids are those of [`crate::model::tokenizer::build_tokenizer_files`].
    pub fn small(vocab_size: usize) -> Self {
        let vision_config = VisionConfig {
            hidden_size: 96,
            intermediate_size: 288,
            num_hidden_layers: 4,
            num_attention_heads: 3,
            image_size: 64,
            patch_size: 8,
            ..VisionConfig::default()
        };
        let text_config = TextConfig {
            vocab_size,
            hidden_size: 96,
            intermediate_size: 288,
            num_hidden_layers: 2,
            num_attention_heads: 3,
            pad_token_id: 0,
            bos_token_id: 2,
            eos_token_id: 3,
            ..TextConfig::default()
        };
        Self { vision_config, text_config, projection_dim: 64, ..Self::default() }
    }

    /// Reads and checks `config.json` of `folder`.
    ///
    /// # Errors
    /// Fails if the file is missing or broken, describes another kind of model, or has inconsistent sizes.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let mut value = read_json(folder, "config.json", "it describes the model")?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join("config.json"), reason };
        if value["model_type"] != "clip" {
            return Err(bad(format!("field model_type: expected \"clip\", found {}", value["model_type"])));
        }
        // Old files repeat a tower's settings in `*_config_dict`, which take precedence in transformers.
        for tower in ["vision_config", "text_config"] {
            let changes = object_in(folder, "config.json", &value, &format!("{tower}_dict"))?.cloned();
            if let Some(changes) = changes {
                value[tower] = changes;
            }
        }
        object_in(folder, "config.json", &value, "vision_config")?;
        object_in(folder, "config.json", &value, "text_config")?;
        let config: Self = typed(value).map_err(bad)?;
        config.check().map_err(bad)?;
        Ok(config)
    }

    /// The content of `config.json`.
    pub fn to_json(&self) -> Value {
        let mut value = json!(self);
        value["architectures"] = json!(["CLIPModel"]);
        value["model_type"] = json!("clip");
        for (tower, model_type) in [("vision_config", "clip_vision_model"), ("text_config", "clip_text_model")] {
            value[tower]["model_type"] = json!(model_type);
            value[tower]["projection_dim"] = json!(self.projection_dim);
        }
        value
    }

    /// Fails if sizes are inconsistent; the message names them.
    pub fn check(&self) -> Result<(), String> {
        let (vision, text) = (&self.vision_config, &self.text_config);
        vision.check()?;
        let sizes = [("vocab_size", text.vocab_size), ("max_position_embeddings", text.max_position_embeddings)];
        check_sizes("text_config", &sizes)?;
        text.encoder().check("text_config")?;
        check_sizes("top level", &[("projection_dim", self.projection_dim)])
    }
}

impl VisionConfig {
    /// Fails if sizes are inconsistent; the message names them.
    pub fn check(&self) -> Result<(), String> {
        let place = "vision_config";
        check_sizes(place, &[("image_size", self.image_size), ("patch_size", self.patch_size)])?;
        self.encoder().check(place)?;
        if self.num_channels != 3 {
            return Err(format!("{place}: expected num_channels 3, found {}", self.num_channels));
        }
        if self.patch_size > self.image_size {
            let (patch, image) = (self.patch_size, self.image_size);
            return Err(format!("{place}: patch_size {patch} does not fit into image_size {image}"));
        }
        Ok(())
    }

    pub(super) fn encoder(&self) -> EncoderShape {
        EncoderShape {
            width: self.hidden_size,
            inner_width: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            activation: self.hidden_act,
            epsilon: self.layer_norm_eps,
            factor: self.initializer_factor,
        }
    }

    pub(super) fn patches(&self) -> PatchShape {
        PatchShape {
            width: self.hidden_size,
            channels: self.num_channels,
            image_size: self.image_size,
            patch_size: self.patch_size,
        }
    }
}

impl TextConfig {
    pub(super) fn encoder(&self) -> EncoderShape {
        EncoderShape {
            width: self.hidden_size,
            inner_width: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            activation: self.hidden_act,
            epsilon: self.layer_norm_eps,
            factor: self.initializer_factor,
        }
    }
}
