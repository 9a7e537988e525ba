//! `config.json` of InternVL: an InternViT vision tower and a Qwen2 decoder.

use super::text_config::{TextJson, text_config};
use crate::model::checkpoint::{CheckpointError, read_json, typed};
use crate::model::decoder::{TextConfig, divides, in_range, layers_in_range};
use crate::model::fixed_fields::{DECODER_FIELDS, expect_fixed};
use crate::model::layers::Activation;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The configuration of an InternVL model.
#[derive(Clone, Debug, PartialEq)]
pub struct InternVlConfig {
    pub vision: VisionConfig,
    pub text: TextConfig,
    /// Id of `<IMG_CONTEXT>`; each is replaced by one merged group of patches.
    pub image_token: u32,
    /// Inverse of `downsample_ratio`: merge × merge patches become one token (pixel shuffle).
    pub merge: usize,
    pub projector_activation: Activation,
    /// Whether the output matrix is the token embedding; `None` if the file does not say it, as some published ones. Then it is,
    /// unless an output matrix is stored.
    pub tied_embeddings: Option<bool>,
}

/// The configuration of the InternViT vision tower.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionConfig {
    pub width: usize,
    pub inner_width: usize,
    pub layers: usize,
    pub heads: usize,
    /// True if queries, keys and values have a bias.
    pub attention_bias: bool,
    pub activation: Activation,
    pub norm_epsilon: f64,
    /// Side of a tile in pixels.
    pub image: usize,
    /// Side of a patch in pixels.
    pub patch: usize,
}

impl VisionConfig {
    /// Patches along a side.
    pub fn side(&self) -> usize {
        self.image / self.patch
    }
}

impl InternVlConfig {
    /// Number of tokens per tile.
    pub fn tokens_per_tile(&self) -> usize {
        let side = self.vision.side() / self.merge;
        side * side
    }
}

/// Fields of which only one value is supported.
const FIXED: [(&str, &str); 2] = [("vision_feature_layer", "-1"), ("vision_feature_select_strategy", "\"default\"")];
const FIXED_OF_TOWER: [(&str, &str); 6] = [
    ("norm_type", "\"layer_norm\""),
    ("num_channels", "3"),
    ("use_absolute_position_embeddings", "true"),
    ("use_mask_token", "false"),
    ("use_mean_pooling", "true"),
    ("use_qk_norm", "false"),
];

/// Defaults are those of `InternVLConfig` in transformers.
#[derive(Deserialize)]
#[serde(default)]
struct ConfigJson {
    image_token_id: u32,
    image_seq_length: Option<usize>,
    downsample_ratio: f64,
    projector_hidden_act: Activation,
    tie_word_embeddings: Option<bool>,
    text_config: TextJson,
    vision_config: VisionJson,
}

/// Defaults are those of `InternVLVisionConfig`.
#[derive(Deserialize)]
#[serde(default)]
struct VisionJson {
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    attention_bias: bool,
    hidden_act: Activation,
    layer_norm_eps: f64,
    image_size: Side,
    patch_size: Side,
}

/// A number, or height and width.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "expected a number of pixels, or height and width")]
enum Side {
    Number(usize),
    Both([usize; 2]),
}

impl Side {
    fn of_square(self, name: &str) -> Result<usize, String> {
        let [height, width] = match self {
            Self::Number(side) => [side; 2],
            Self::Both(sides) => sides,
        };
        if height != width {
            return Err(format!("vision_config: {name}: expected a square, found {height} by {width}"));
        }
        in_range(&format!("vision_config: {name}"), height, 1 << 14)?;
        Ok(height)
    }
}

impl Default for ConfigJson {
    fn default() -> Self {
        Self {
            image_token_id: 151_667,
            image_seq_length: None,
            downsample_ratio: 0.5,
            projector_hidden_act: Activation::Gelu,
            tie_word_embeddings: None,
            text_config: TextJson::default(),
            vision_config: VisionJson::default(),
        }
    }
}

impl Default for VisionJson {
    fn default() -> Self {
        Self {
            hidden_size: 1024,
            intermediate_size: 4096,
            num_hidden_layers: 24,
            num_attention_heads: 16,
            attention_bias: false,
            hidden_act: Activation::Gelu,
            layer_norm_eps: 1e-6,
            image_size: Side::Number(448),
            patch_size: Side::Number(14),
        }
    }
}

impl InternVlConfig {
    /// Reads `config.json` of a checkpoint directory.
    ///
    /// # Errors
    /// Fails if the file is missing or a field is out of range.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it describes the model")?;
        Self::of_value(value).map_err(|reason| CheckpointError::BadJson { path: folder.join("config.json"), reason })
    }

    pub(super) fn of_value(value: Value) -> Result<Self, String> {
        for section in ["text_config", "vision_config"] {
            if !value[section].is_object() {
                return Err(format!(
                    "expected the field \"{section}\", as in checkpoints that transformers reads without remote code \
                     (OpenGVLab/InternVL3-…-hf)"
                ));
            }
        }
        expect_fixed(&value, &FIXED, "")?;
        expect_fixed(&value["text_config"], &DECODER_FIELDS, "text_config: ")?;
        expect_fixed(&value["vision_config"], &FIXED_OF_TOWER, "vision_config: ")?;
        Self::of_json(typed(value)?)
    }

    fn of_json(json: ConfigJson) -> Result<Self, String> {
        let vision = vision_config(&json.vision_config)?;
        let merge = 1.0 / json.downsample_ratio;
        if !(1.0..=64.0).contains(&merge) || merge.fract() != 0.0 {
            let found = json.downsample_ratio;
            return Err(format!("downsample_ratio: expected 1 over a whole number, found {found}"));
        }
        let merge = merge as usize;
        divides("1 over downsample_ratio", merge, "the patches of a side", vision.side())?;
        let config = Self {
            vision,
            text: text_config(&json.text_config)?,
            image_token: json.image_token_id,
            merge,
            projector_activation: json.projector_hidden_act,
            tied_embeddings: json.tie_word_embeddings.or(json.text_config.tie_word_embeddings),
        };
        let expected = config.tokens_per_tile();
        if let Some(found) = json.image_seq_length.filter(|found| *found != expected) {
            return Err(format!("image_seq_length: expected {expected}, the merged patches of a tile, found {found}"));
        }
        Ok(config)
    }
}

fn vision_config(json: &VisionJson) -> Result<VisionConfig, String> {
    let place = "vision_config: ";
    let (image, patch) = (json.image_size.of_square("image_size")?, json.patch_size.of_square("patch_size")?);
    in_range(&format!("{place}patch_size"), patch, image)?;
    in_range(&format!("{place}hidden_size"), json.hidden_size, 1 << 24)?;
    in_range(&format!("{place}intermediate_size"), json.intermediate_size, 1 << 24)?;
    in_range(&format!("{place}num_attention_heads"), json.num_attention_heads, 1 << 14)?;
    layers_in_range(&format!("{place}num_hidden_layers"), json.num_hidden_layers)?;
    divides(&format!("{place}num_attention_heads"), json.num_attention_heads, "hidden_size", json.hidden_size)?;
    Ok(VisionConfig {
        width: json.hidden_size,
        inner_width: json.intermediate_size,
        layers: json.num_hidden_layers,
        heads: json.num_attention_heads,
        attention_bias: json.attention_bias,
        activation: json.hidden_act,
        norm_epsilon: json.layer_norm_eps,
        image,
        patch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The used fields of InternVL3-1B-hf as published.
    fn hub() -> Value {
        json!({"architectures": ["InternVLForConditionalGeneration"], "downsample_ratio": 0.5, "image_seq_length": 256,
            "image_token_id": 151_667, "model_type": "internvl", "projector_hidden_act": "gelu",
            "text_config": {"hidden_size": 896, "intermediate_size": 4864, "max_position_embeddings": 32768,
                "max_window_layers": 70, "model_type": "qwen2", "num_attention_heads": 14, "num_hidden_layers": 24,
                "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1_000_000.0, "sliding_window": null,
                "rope_scaling": {"factor": 2.0, "rope_type": "dynamic", "type": "dynamic"}, "use_sliding_window": false,
                "vocab_size": 151_674},
            "vision_config": {"attention_bias": true, "hidden_act": "gelu", "hidden_size": 1024,
                "image_size": [448, 448], "intermediate_size": 4096, "layer_norm_eps": 1e-06,
                "layer_scale_init_value": 0.1, "model_type": "internvl_vision", "norm_type": "layer_norm",
                "num_attention_heads": 16, "num_channels": 3, "num_hidden_layers": 24, "patch_size": [14, 14],
                "use_absolute_position_embeddings": true, "use_mask_token": false, "use_mean_pooling": true,
                "use_qk_norm": false},
            "vision_feature_layer": -1, "vision_feature_select_strategy": "default"})
    }

    #[test]
    fn published_configurations_are_read() {
        let config = InternVlConfig::of_value(hub()).unwrap();
        assert_eq!((config.vision.side(), config.merge, config.tokens_per_tile()), (32, 2, 256));
        assert_eq!((config.text.head_size, config.text.rope_theta, config.text.attention_bias), (64, 1e6, true));
        assert_eq!(config.text.sliding_window, None);
    }

    #[test]
    fn a_field_out_of_range_is_named() {
        for (pointer, value, word) in [
            ("/downsample_ratio", json!(0.4), "downsample_ratio"),
            ("/downsample_ratio", json!(0), "downsample_ratio"),
            ("/image_seq_length", json!(255), "image_seq_length"),
            ("/text_config", json!(null), "text_config"),
            ("/text_config/model_type", json!("qwen3"), "qwen3"),
            ("/text_config/num_hidden_layers", json!(u64::MAX), "num_hidden_layers"),
            ("/text_config/num_key_value_heads", json!(3), "num_key_value_heads"),
            ("/vision_config/image_size", json!([448, 224]), "image_size"),
            ("/vision_config/patch_size", json!([0, 0]), "patch_size"),
            ("/vision_config/use_qk_norm", json!(true), "use_qk_norm"),
            ("/vision_config/norm_type", json!("rms_norm"), "norm_type"),
            ("/vision_config/use_mean_pooling", json!(false), "use_mean_pooling"),
            ("/vision_feature_layer", json!(-2), "vision_feature_layer"),
            ("/vision_feature_select_strategy", json!("full"), "vision_feature_select_strategy"),
        ] {
            let mut config = hub();
            *config.pointer_mut(pointer).unwrap() = value;
            let message = InternVlConfig::of_value(config).unwrap_err();
            assert!(message.contains(word), "{pointer}: {message}");
        }
    }
}
