//! The fields of `config.json` under their names in the file, with the defaults of transformers.

use crate::model::fixed_fields::{DECODER_FIELDS, check_head_dim, expect_fixed};
use crate::model::layers::Activation;
use dissent_core::text::printable::beginning;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The top level (`LlavaConfig`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ConfigJson {
    #[serde(default)]
    pub architectures: Vec<String>,
    pub model_type: String,
    #[serde(alias = "image_token_id")]
    pub image_token_index: u32,
    #[serde(default = "default_feature_layer")]
    pub vision_feature_layer: i64,
    #[serde(default = "default_select_strategy")]
    pub vision_feature_select_strategy: String,
    #[serde(default = "gelu")]
    pub projector_hidden_act: Activation,
    #[serde(default = "yes")]
    pub multimodal_projector_bias: bool,
    #[serde(default)]
    pub tie_word_embeddings: bool,
    /// Patches of a square image; used by transformers 4 only.
    #[serde(default)]
    pub image_seq_length: usize,
    #[serde(default, alias = "torch_dtype", skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
    pub text_config: TextJson,
    pub vision_config: VisionJson,
}

/// `text_config` (`MistralConfig`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::model) struct TextJson {
    pub model_type: String,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub num_key_value_heads: Option<usize>,
    pub head_dim: Option<usize>,
    pub hidden_act: Activation,
    pub max_position_embeddings: usize,
    pub rms_norm_eps: f64,
    pub rope_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rope_theta: Option<f64>,
    pub sliding_window: Option<usize>,
    pub tie_word_embeddings: bool,
    pub bos_token_id: Option<u32>,
    pub eos_token_id: Option<u32>,
    pub pad_token_id: Option<u32>,
    /// The name of `rope_parameters` before transformers 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<Value>,
}

/// `vision_config` (`PixtralVisionConfig`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct VisionJson {
    pub model_type: String,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    /// Computed by transformers 5; stored for earlier versions and serving engines.
    pub head_dim: Option<usize>,
    pub num_channels: usize,
    pub image_size: usize,
    pub patch_size: usize,
    pub hidden_act: Activation,
    pub rope_parameters: Option<RopeJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rope_theta: Option<f64>,
}

/// `rope_parameters` of transformers 5; earlier versions write `rope_theta` beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RopeJson {
    #[serde(default = "default_rope_type")]
    pub rope_type: String,
    #[serde(default)]
    pub rope_theta: Option<f64>,
}

/// Fails if a field that is not supported has a value that would change the network.
pub(in crate::model) fn check_fixed(value: &Value) -> Result<(), String> {
    let (text, vision) = (&value["text_config"], &value["vision_config"]);
    let place = "text_config: ";
    expect_fixed(text, &DECODER_FIELDS, place)?;
    expect_fixed(text, &[("attention_bias", "false")], place)?;
    // In Mistral all layers are of the same type.
    let kind = if text["sliding_window"].is_u64() { "sliding_attention" } else { "full_attention" };
    if let Some(other) = text["layer_types"].as_array().into_iter().flatten().find(|found| *found != kind) {
        let other = beginning(&other.to_string(), 60);
        return Err(format!("{place}layer_types: expected {kind:?} for each layer (sliding_window), found {other}"));
    }
    let default = VisionJson::default();
    let size = |name: &str, default: usize| vision[name].as_u64().map_or(default, |size| size as usize);
    let width = size("hidden_size", default.hidden_size);
    check_head_dim(vision, width, size("num_attention_heads", default.num_attention_heads), "vision_config: ")
}

impl RopeJson {
    /// The RoPE base, from the field that holds it.
    pub fn theta(parameters: Option<&Self>, beside: Option<f64>, place: &str) -> Result<f64, String> {
        let Some(parameters) = parameters else {
            return Ok(beside.unwrap_or(10_000.0));
        };
        if parameters.rope_type != "default" && parameters.rope_type != "axial" {
            let found = &parameters.rope_type;
            return Err(format!("{place}: expected \"rope_type\": \"default\" or \"axial\", found \"{found}\""));
        }
        Ok(parameters.rope_theta.or(beside).unwrap_or(10_000.0))
    }
}

// The defaults below are those of transformers.

impl Default for TextJson {
    fn default() -> Self {
        Self {
            model_type: "mistral".to_owned(),
            vocab_size: 32_000,
            hidden_size: 4096,
            intermediate_size: 14_336,
            num_hidden_layers: 32,
            num_attention_heads: 32,
            num_key_value_heads: Some(8),
            head_dim: None,
            hidden_act: Activation::Silu,
            max_position_embeddings: 4096 * 32,
            rms_norm_eps: 1e-6,
            rope_parameters: None,
            rope_theta: None,
            sliding_window: Some(4096),
            tie_word_embeddings: false,
            bos_token_id: Some(1),
            eos_token_id: Some(2),
            pad_token_id: None,
            rope_scaling: None,
        }
    }
}

impl Default for VisionJson {
    fn default() -> Self {
        Self {
            // The default of transformers.
            model_type: "clip_vision_model".to_owned(),
            hidden_size: 1024,
            intermediate_size: 4096,
            num_hidden_layers: 24,
            num_attention_heads: 16,
            head_dim: None,
            num_channels: 3,
            image_size: 1024,
            patch_size: 16,
            hidden_act: Activation::Gelu,
            rope_parameters: None,
            rope_theta: None,
        }
    }
}

fn default_feature_layer() -> i64 {
    -2
}

fn default_select_strategy() -> String {
    "default".to_owned()
}

fn default_rope_type() -> String {
    "default".to_owned()
}

fn gelu() -> Activation {
    Activation::Gelu
}

fn yes() -> bool {
    true
}
