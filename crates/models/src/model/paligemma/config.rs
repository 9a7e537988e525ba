//! `config.json` of PaliGemma: a SigLIP vision tower and a Gemma decoder.

use crate::model::checkpoint::{CheckpointError, read_json, typed};
use crate::model::decoder::{GemmaOptions, LooksAhead, RopeFields, TextConfig, layers_in_range};
use crate::model::fixed_fields::{DECODER_FIELDS, expect_fixed};
use crate::model::layers::Activation;
use crate::model::siglip::VisionConfig;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The configuration of a PaliGemma model.
#[derive(Clone, Debug, PartialEq)]
pub struct PaliGemmaConfig {
    pub(in crate::model) vision: VisionConfig,
    pub text: TextConfig,
    /// Id of `<image>`; each is replaced by one patch.
    pub image_token: u32,
    /// True if the output matrix is the token embedding.
    pub tied_embeddings: bool,
}

/// Fields of which only one value is supported, beside those of all decoders.
const GEMMA_FIELDS: [(&str, &str); 2] = [("attention_bias", "false"), ("use_bidirectional_attention", "true")];

/// Defaults are those of `PaliGemmaConfig` in transformers.
#[derive(Deserialize)]
#[serde(default)]
struct ConfigJson {
    image_token_index: u32,
    projection_dim: usize,
    tie_word_embeddings: Option<bool>,
    text_config: TextJson,
    vision_config: VisionConfig,
}

/// Defaults are those of `GemmaConfig`.
#[derive(Deserialize)]
#[serde(default)]
struct TextJson {
    model_type: Option<String>,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: usize,
    hidden_act: Activation,
    max_position_embeddings: usize,
    rms_norm_eps: f64,
    rope_theta: f64,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    tie_word_embeddings: Option<bool>,
    pad_token_id: Option<u32>,
}

impl Default for ConfigJson {
    fn default() -> Self {
        Self {
            image_token_index: 256_000,
            projection_dim: 2048,
            tie_word_embeddings: None,
            text_config: TextJson::default(),
            vision_config: VisionConfig::default(),
        }
    }
}

impl Default for TextJson {
    fn default() -> Self {
        Self {
            model_type: None,
            vocab_size: 256_000,
            hidden_size: 3072,
            intermediate_size: 24_576,
            num_hidden_layers: 28,
            num_attention_heads: 16,
            num_key_value_heads: 16,
            head_dim: 256,
            hidden_act: Activation::GeluPytorchTanh,
            max_position_embeddings: 8192,
            rms_norm_eps: 1e-6,
            rope_theta: 10_000.0,
            rope_scaling: None,
            rope_parameters: None,
            tie_word_embeddings: None,
            pad_token_id: Some(0),
        }
    }
}

impl PaliGemmaConfig {
    /// Reads `config.json` of a checkpoint directory.
    ///
    /// # Errors
    /// Fails if the file is missing or a field is out of range.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it describes the model")?;
        Self::of_value(value).map_err(|reason| CheckpointError::BadJson { path: folder.join("config.json"), reason })
    }

    /// Number of tokens per image.
    pub fn tokens_per_image(&self) -> usize {
        let side = self.vision.patches().grid();
        side * side
    }

    pub(super) fn of_value(value: Value) -> Result<Self, String> {
        for section in ["text_config", "vision_config"] {
            if !value[section].is_object() {
                return Err(format!("expected the field \"{section}\": this family has an image tower and a decoder"));
            }
        }
        let kind = &value["text_config"]["model_type"];
        if kind == "gemma2" {
            return Err(
                "text_config: expected \"model_type\": \"gemma\", found \"gemma2\": PaliGemma 2 caps its scores and \
                        logits, which is not supported"
                    .to_string(),
            );
        }
        expect_fixed(&value["text_config"], &DECODER_FIELDS, "text_config: ")?;
        expect_fixed(&value["text_config"], &GEMMA_FIELDS, "text_config: ")?;
        let tower = &value["vision_config"]["model_type"];
        if tower.as_str().is_some_and(|tower| tower != "siglip_vision_model") {
            return Err(format!("vision_config: expected \"model_type\": \"siglip_vision_model\", found {tower}"));
        }
        Self::of_json(typed(value)?)
    }

    fn of_json(json: ConfigJson) -> Result<Self, String> {
        let vision = json.vision_config;
        vision.check_features()?;
        let text = text_config(&json.text_config)?;
        if json.projection_dim != text.hidden {
            let (found, hidden) = (json.projection_dim, text.hidden);
            return Err(format!("projection_dim: expected {hidden}, the decoder's hidden_size, found {found}"));
        }
        Ok(Self {
            vision,
            text,
            image_token: json.image_token_index,
            tied_embeddings: json.tie_word_embeddings.or(json.text_config.tie_word_embeddings).unwrap_or(true),
        })
    }
}

fn text_config(json: &TextJson) -> Result<TextConfig, String> {
    let place = "text_config: ";
    if let Some(kind) = json.model_type.as_deref()
        && kind != "gemma"
    {
        return Err(format!("{place}expected \"model_type\": \"gemma\", found \"{kind}\""));
    }
    layers_in_range(&format!("{place}num_hidden_layers"), json.num_hidden_layers)?;
    let rope = RopeFields::of_json([json.rope_parameters.as_ref(), json.rope_scaling.as_ref()], place)?;
    let config = TextConfig {
        vocabulary: json.vocab_size,
        hidden: json.hidden_size,
        intermediate: json.intermediate_size,
        layers: json.num_hidden_layers,
        heads: json.num_attention_heads,
        key_value_heads: json.num_key_value_heads,
        head_size: json.head_dim,
        // The name in Gemma's first files, whose models were trained with the approximation.
        activation: if json.hidden_act == Activation::Gelu { Activation::GeluPytorchTanh } else { json.hidden_act },
        gemma: Some(GemmaOptions {
            has_norms_after: false,
            has_head_norms: false,
            query_scalar: json.head_dim as f64,
            attends_to_all: vec![true; json.num_hidden_layers],
            local_rope_theta: None,
            looks_ahead: LooksAhead::WithinPrompt,
        }),
        positions: json.max_position_embeddings,
        norm_epsilon: json.rms_norm_eps,
        rope_theta: rope.theta.unwrap_or(json.rope_theta),
        rope_scaling: rope.scaling,
        pad_token: json.pad_token_id,
        ..TextConfig::without_options()
    };
    config.check(place)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The used fields of paligemma-3b-mix-224 as published.
    fn hub() -> Value {
        json!({"architectures": ["PaliGemmaForConditionalGeneration"], "bos_token_id": 2, "eos_token_id": 1,
            "hidden_size": 2048, "image_token_index": 257_152, "model_type": "paligemma", "pad_token_id": 0,
            "projection_dim": 2048,
            "text_config": {"hidden_size": 2048, "intermediate_size": 16384, "model_type": "gemma",
                "num_attention_heads": 8, "num_hidden_layers": 18, "num_image_tokens": 256, "num_key_value_heads": 1,
                "torch_dtype": "float32", "vocab_size": 257_216},
            "vision_config": {"hidden_size": 1152, "intermediate_size": 4304, "model_type": "siglip_vision_model",
                "num_attention_heads": 16, "num_hidden_layers": 27, "num_image_tokens": 256, "patch_size": 14,
                "projection_dim": 2048, "projector_hidden_act": "gelu_fast", "vision_use_head": false}})
    }

    #[test]
    fn published_configurations_are_read() {
        let config = PaliGemmaConfig::of_value(hub()).unwrap();
        assert_eq!((config.tokens_per_image(), config.text.head_size, config.text.key_value_heads), (256, 256, 1));
        assert!(config.tied_embeddings);
        let mut other = hub();
        other["text_config"]["hidden_act"] = json!("gelu");
        other["vision_config"]["image_size"] = json!(448);
        let other = PaliGemmaConfig::of_value(other).unwrap();
        assert_eq!((other.text.activation, other.tokens_per_image()), (Activation::GeluPytorchTanh, 1024));
    }

    #[test]
    fn a_field_out_of_range_is_named() {
        for (pointer, value, word) in [
            ("/projection_dim", json!(1152), "projection_dim"),
            ("/text_config/model_type", json!("gemma2"), "PaliGemma 2"),
            ("/text_config/model_type", json!("gemma3_text"), "gemma3_text"),
            ("/text_config/num_hidden_layers", json!(u64::MAX), "num_hidden_layers"),
            ("/text_config/num_key_value_heads", json!(3), "num_key_value_heads"),
            ("/vision_config/patch_size", json!(0), "patch_size"),
            ("/vision_config/model_type", json!("clip_vision_model"), "clip_vision_model"),
            ("/text_config", json!(null), "text_config"),
        ] {
            let mut config = hub();
            *config.pointer_mut(pointer).unwrap() = value;
            let message = PaliGemmaConfig::of_value(config).unwrap_err();
            assert!(message.contains(word), "{pointer}: {message}");
        }
        let mut config = hub();
        config["text_config"]["use_bidirectional_attention"] = json!(false);
        assert!(PaliGemmaConfig::of_value(config).unwrap_err().contains("use_bidirectional_attention"));
    }
}
