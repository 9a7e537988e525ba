//! `config.json` of SmolVLM and Idefics3: a SigLIP vision tower and a Llama decoder.

use crate::model::checkpoint::{CheckpointError, read_json, typed};
use crate::model::decoder::{RopeFields, TextConfig, divides, in_range, layers_in_range};
use crate::model::fixed_fields::{DECODER_FIELDS, expect_fixed};
use crate::model::layers::Activation;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The configuration of a SmolVLM or Idefics3 model.
#[derive(Clone, Debug, PartialEq)]
pub struct SmolVlmConfig {
    pub vision: VisionConfig,
    pub text: TextConfig,
    /// Id of `<image>`; each is replaced by one merged group of patches.
    pub image_token: u32,
    /// `scale_factor`: merge × merge patches become one token (pixel shuffle).
    pub merge: usize,
    /// True if the output matrix is the token embedding.
    pub tied_embeddings: bool,
}

/// The configuration of the SigLIP vision tower.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionConfig {
    pub width: usize,
    pub inner_width: usize,
    pub layers: usize,
    pub heads: usize,
    pub activation: Activation,
    pub norm_epsilon: f64,
    /// Side of a patch in pixels.
    pub patch: usize,
    /// Learned positions along a side, i.e. patches along a side of the training images.
    pub side: usize,
}

impl VisionConfig {
    /// Number of tokens per tile.
    pub(crate) fn tokens_per_tile(&self, merge: usize) -> usize {
        let side = self.side / merge;
        side * side
    }
}

#[derive(Deserialize)]
struct ConfigJson {
    image_token_id: u32,
    #[serde(default = "default_scale")]
    scale_factor: usize,
    tie_word_embeddings: Option<bool>,
    text_config: TextJson,
    vision_config: VisionJson,
}

#[derive(Deserialize)]
struct TextJson {
    model_type: Option<String>,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    #[serde(default = "silu")]
    hidden_act: Activation,
    #[serde(default = "default_positions")]
    max_position_embeddings: usize,
    #[serde(default = "default_norm")]
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    tie_word_embeddings: Option<bool>,
    pad_token_id: Option<u32>,
}

/// Defaults are those of `SmolVLMVisionConfig`, which Idefics3 shares.
#[derive(Deserialize)]
#[serde(default)]
struct VisionJson {
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_channels: usize,
    image_size: usize,
    patch_size: usize,
    hidden_act: Activation,
    layer_norm_eps: f64,
}

impl Default for VisionJson {
    fn default() -> Self {
        Self {
            hidden_size: 1152,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 16,
            num_channels: 3,
            image_size: 224,
            patch_size: 32,
            hidden_act: Activation::GeluPytorchTanh,
            layer_norm_eps: 1e-6,
        }
    }
}

impl SmolVlmConfig {
    /// Reads `config.json` of a checkpoint directory.
    ///
    /// # Errors
    /// Fails if the file or a field is missing, or a field is out of range.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it describes the model")?;
        Self::of_value(value).map_err(|reason| CheckpointError::BadJson { path: folder.join("config.json"), reason })
    }

    pub(super) fn of_value(value: Value) -> Result<Self, String> {
        expect_fixed(&value["text_config"], &DECODER_FIELDS, "text_config: ")?;
        Self::of_json(typed(value)?)
    }

    fn of_json(json: ConfigJson) -> Result<Self, String> {
        let nested = json.text_config.tie_word_embeddings;
        let tied_embeddings = json.tie_word_embeddings.or(nested).unwrap_or(false);
        let (vision, merge) = (vision_config(&json.vision_config)?, json.scale_factor);
        in_range("scale_factor", merge, vision.side)?;
        divides("scale_factor", merge, "the patches of a side", vision.side)?;
        Ok(Self {
            text: text_config(&json.text_config)?,
            vision,
            image_token: json.image_token_id,
            merge,
            tied_embeddings,
        })
    }
}

fn text_config(json: &TextJson) -> Result<TextConfig, String> {
    let place = "text_config: ";
    if let Some(kind) = json.model_type.as_deref()
        && kind != "llama"
    {
        return Err(format!("{place}expected \"model_type\": \"llama\", found \"{kind}\""));
    }
    let rope = RopeFields::of_json([json.rope_parameters.as_ref(), json.rope_scaling.as_ref()], place)?;
    if json.attention_bias || json.mlp_bias {
        return Err(format!("{place}expected \"attention_bias\": false and \"mlp_bias\": false"));
    }
    if json.head_dim.is_none() {
        divides(&format!("{place}num_attention_heads"), json.num_attention_heads, "hidden_size", json.hidden_size)?;
    }
    let config = TextConfig {
        vocabulary: json.vocab_size,
        hidden: json.hidden_size,
        intermediate: json.intermediate_size,
        layers: json.num_hidden_layers,
        heads: json.num_attention_heads,
        key_value_heads: json.num_key_value_heads.unwrap_or(json.num_attention_heads),
        head_size: json.head_dim.unwrap_or_else(|| json.hidden_size / json.num_attention_heads.max(1)),
        activation: json.hidden_act,
        positions: json.max_position_embeddings,
        norm_epsilon: json.rms_norm_eps,
        rope_theta: rope.theta.or(json.rope_theta).unwrap_or(10_000.0),
        rope_scaling: rope.scaling,
        pad_token: json.pad_token_id,
        ..TextConfig::without_options()
    };
    config.check(place)?;
    Ok(config)
}

fn vision_config(json: &VisionJson) -> Result<VisionConfig, String> {
    let place = "vision_config: ";
    in_range(&format!("{place}num_attention_heads"), json.num_attention_heads, 1 << 14)?;
    in_range(&format!("{place}image_size"), json.image_size, 1 << 14)?;
    in_range(&format!("{place}patch_size"), json.patch_size, json.image_size)?;
    in_range(&format!("{place}hidden_size"), json.hidden_size, 1 << 24)?;
    in_range(&format!("{place}intermediate_size"), json.intermediate_size, 1 << 24)?;
    layers_in_range(&format!("{place}num_hidden_layers"), json.num_hidden_layers)?;
    if json.num_channels != 3 {
        return Err(format!("{place}expected \"num_channels\": 3, found {}", json.num_channels));
    }
    divides(&format!("{place}num_attention_heads"), json.num_attention_heads, "hidden_size", json.hidden_size)?;
    Ok(VisionConfig {
        width: json.hidden_size,
        inner_width: json.intermediate_size,
        layers: json.num_hidden_layers,
        heads: json.num_attention_heads,
        activation: json.hidden_act,
        norm_epsilon: json.layer_norm_eps,
        patch: json.patch_size,
        side: json.image_size / json.patch_size,
    })
}

fn silu() -> Activation {
    Activation::Silu
}

fn default_scale() -> usize {
    2
}

fn default_positions() -> usize {
    2048
}

fn default_norm() -> f64 {
    1e-5
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The used fields of SmolVLM-256M-Instruct as published.
    fn hub() -> Value {
        json!({"model_type": "idefics3", "image_token_id": 49190, "scale_factor": 4, "tie_word_embeddings": false,
            "text_config": {"head_dim": 64, "hidden_size": 576, "intermediate_size": 1536, "model_type": "llama",
                "max_position_embeddings": 8192, "num_attention_heads": 9, "num_hidden_layers": 30,
                "num_key_value_heads": 3, "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 100000,
                "tie_word_embeddings": false, "vocab_size": 49280, "pad_token_id": 2},
            "vision_config": {"hidden_size": 768, "image_size": 512, "max_image_size": {"longest_edge": 512},
                "model_type": "idefics3", "num_attention_heads": 12, "num_hidden_layers": 12, "patch_size": 16,
                "intermediate_size": 3072, "size": {"longest_edge": 2048}}})
    }

    fn read(value: Value) -> Result<SmolVlmConfig, String> {
        SmolVlmConfig::of_value(value)
    }

    #[test]
    fn published_configurations_are_read() {
        let config = read(hub()).unwrap();
        assert_eq!((config.vision.side, config.vision.tokens_per_tile(config.merge)), (32, 64));
        assert_eq!((config.text.key_value_heads, config.text.rope_theta), (3, 100_000.0));
    }

    #[test]
    fn a_field_out_of_range_is_named() {
        for (pointer, value, word) in [
            ("/scale_factor", json!(0), "scale_factor"),
            ("/scale_factor", json!(5), "scale_factor"),
            ("/text_config/model_type", json!("mixtral"), "mixtral"),
            ("/text_config/rope_scaling", json!({"rope_type": "llama3"}), "missing field `factor`"),
            ("/text_config/rope_scaling", json!({"type": "ntk"}), "\"ntk\""),
            ("/text_config/rope_scaling", json!({"type": "linear", "factor": 0}), "above 0"),
            ("/text_config/num_hidden_layers", json!(u64::MAX), "num_hidden_layers"),
            ("/vision_config/patch_size", json!(0), "patch_size"),
            ("/vision_config/num_attention_heads", json!(0), "num_attention_heads"),
        ] {
            let mut config = hub();
            *config.pointer_mut(pointer).unwrap() = value;
            let message = read(config).unwrap_err();
            assert!(message.contains(word), "{pointer}: {message}");
        }
    }
}
