//! `config.json` of a LLaVA checkpoint, as published and as written by transformers 4 and 5.

use crate::model::checkpoint::{CheckpointError, read_json, typed};
use crate::model::clip::VisionConfig;
use crate::model::decoder::{TextConfig, divides};
use crate::model::layers::Activation;
use crate::model::pixtral::{DecoderJson, check_fixed};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

/// The configuration of a LLaVA model.
#[derive(Clone, Debug, PartialEq)]
pub struct LlavaConfig {
    pub vision: VisionConfig,
    pub text: TextConfig,
    /// Id of `<image>`; each is replaced by one projected patch.
    pub image_token: u32,
    /// The states of the tower that are projected, side by side, by the number of layers before them (`vision_feature_layer`).
    pub feature_layers: Vec<usize>,
    /// True if the class token's feature is used as well (`vision_feature_select_strategy`: full).
    pub with_class_token: bool,
    /// The form of prompts depends on it.
    pub decoder: DecoderKind,
    pub projector_activation: Activation,
    pub projector_bias: bool,
    /// True if the output matrix is the token embedding.
    pub tied_embeddings: bool,
}

/// The decoder's `model_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecoderKind {
    Llama,
    Mistral,
}

// The defaults below are those of transformers.

#[derive(Deserialize)]
#[serde(default)]
struct ConfigJson {
    #[serde(alias = "image_token_id")]
    image_token_index: u32,
    projector_hidden_act: Activation,
    vision_feature_select_strategy: String,
    vision_feature_layer: FeatureLayers,
    multimodal_projector_bias: bool,
    tie_word_embeddings: bool,
    text_config: Value,
    vision_config: VisionConfig,
}

impl Default for ConfigJson {
    fn default() -> Self {
        Self {
            image_token_index: 32_000,
            projector_hidden_act: Activation::Gelu,
            vision_feature_select_strategy: "default".to_string(),
            vision_feature_layer: FeatureLayers::One(-2),
            multimodal_projector_bias: true,
            tie_word_embeddings: false,
            text_config: Value::Null,
            vision_config: VisionConfig::default(),
        }
    }
}

/// Numbers of states; negative ones count from the last.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a whole number or a list of them")]
enum FeatureLayers {
    One(i64),
    Several(Vec<i64>),
}

/// Defaults of `LlamaConfig` that differ from those of `MistralConfig`.
const LLAMA_DEFAULTS: [(&str, u64); 2] = [("intermediate_size", 11_008), ("max_position_embeddings", 2048)];

impl LlavaConfig {
    /// Reads `config.json` of a checkpoint directory.
    ///
    /// # Errors
    /// Fails if the file or a field is missing, or a field is out of range.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it describes the model")?;
        Self::of_json(value).map_err(|reason| CheckpointError::BadJson { path: folder.join("config.json"), reason })
    }

    pub(super) fn of_json(mut value: Value) -> Result<Self, String> {
        let decoder = describe_as_mistral(&mut value["text_config"])?;
        check_fixed(&value)?;
        let json: ConfigJson = typed(value)?;
        let text: DecoderJson = typed(json.text_config).map_err(|error| format!("text_config: {error}"))?;
        let vision = json.vision_config;
        vision.check()?;
        divides("vision_config: patch_size", vision.patch_size, "image_size", vision.image_size)?;
        let with_class_token = match json.vision_feature_select_strategy.as_str() {
            "default" => false,
            "full" => true,
            other => {
                return Err(format!(
                    "expected \"vision_feature_select_strategy\": \"default\" or \"full\", found {other:?}"
                ));
            }
        };
        Ok(Self {
            feature_layers: feature_layers(json.vision_feature_layer, vision.num_hidden_layers)?,
            vision,
            tied_embeddings: json.tie_word_embeddings || text.tie_word_embeddings,
            text: TextConfig::try_from(&text)?,
            image_token: json.image_token_index,
            with_class_token,
            decoder,
            projector_activation: json.projector_hidden_act,
            projector_bias: json.multimodal_projector_bias,
        })
    }

    /// Patches along a side of an image.
    pub fn patches_per_side(&self) -> usize {
        self.vision.image_size / self.vision.patch_size
    }
}

/// Describes a Llama decoder as a Mistral decoder, which it is but for the window and the defaults.
fn describe_as_mistral(text: &mut Value) -> Result<DecoderKind, String> {
    let Some(fields) = text.as_object_mut() else {
        return Err("text_config: expected an object".to_string());
    };
    match fields.get("model_type").and_then(Value::as_str) {
        Some("mistral") => return Ok(DecoderKind::Mistral),
        None | Some("llama") => {}
        Some(other) => {
            return Err(format!("text_config: expected \"model_type\": \"llama\" or \"mistral\", found {other:?}"));
        }
    }
    for (name, default) in LLAMA_DEFAULTS {
        fields.entry(name).or_insert(default.into());
    }
    fields.entry("num_key_value_heads").or_insert(Value::Null);
    // `LlamaConfig` has no window.
    fields.insert("sliding_window".into(), Value::Null);
    fields.insert("model_type".into(), json!("mistral"));
    Ok(DecoderKind::Llama)
}

/// The states by the number of layers before them; a tower of `layers` has one more state than layers.
fn feature_layers(found: FeatureLayers, layers: usize) -> Result<Vec<usize>, String> {
    let numbers = match found {
        FeatureLayers::One(number) => vec![number],
        FeatureLayers::Several(numbers) => numbers,
    };
    let mut states = Vec::with_capacity(numbers.len());
    for number in &numbers {
        let from_start = if *number < 0 { number + layers as i64 + 1 } else { *number };
        match usize::try_from(from_start) {
            Ok(state) if state <= layers => states.push(state),
            _ => {
                return Err(format!(
                    "vision_feature_layer: expected numbers from -{} to {layers}, as the tower has {layers} layers, found \
                     {number}",
                    layers + 1
                ));
            }
        }
    }
    if states.is_empty() || states.len() > layers + 1 {
        return Err(format!("vision_feature_layer: expected 1 to {} numbers, found {}", layers + 1, states.len()));
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vlm::skeleton::config_of;

    #[test]
    fn published_configurations_are_read() {
        let config = LlavaConfig::of_json(config_of("llava_1_5_7b")).unwrap();
        let text = &config.text;
        assert_eq!((text.hidden, text.intermediate, text.key_value_heads, text.layers), (4096, 11_008, 32, 32));
        assert_eq!((config.feature_layers.as_slice(), config.with_class_token), ([23].as_slice(), false));
        assert_eq!((config.patches_per_side(), config.image_token), (24, 32_000));
        let config = LlavaConfig::of_json(config_of("llava_med_1_5_mistral_7b")).unwrap();
        assert_eq!((config.text.intermediate, config.text.key_value_heads), (14_336, 8));
        assert_eq!((config.text.rope_theta, config.text.sliding_window), (1e6, None));
    }

    #[test]
    fn a_field_out_of_range_is_named() {
        for (pointer, value, word) in [
            ("/text_config/model_type", json!("qwen2"), "\"llama\" or \"mistral\""),
            ("/text_config/attention_bias", json!(true), "attention_bias"),
            ("/text_config/num_key_value_heads", json!(5), "num_key_value_heads"),
            ("/text_config", json!([]), "text_config: expected an object"),
            ("/vision_config/patch_size", json!(13), "patch_size"),
            ("/vision_config/num_channels", json!(1), "num_channels"),
            ("/vision_config/hidden_act", json!("relu"), "hidden_act"),
            ("/vision_feature_layer", json!(25), "from -25 to 24"),
            ("/vision_feature_layer", json!(-26), "from -25 to 24"),
            ("/vision_feature_layer", json!([]), "vision_feature_layer"),
            ("/vision_feature_layer", json!("last"), "vision_feature_layer"),
            ("/vision_feature_select_strategy", json!("cls"), "\"default\" or \"full\""),
        ] {
            let mut config = config_of("llava_1_5_7b");
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            config.pointer_mut(parent).unwrap()[name] = value;
            let message = LlavaConfig::of_json(config).unwrap_err();
            assert!(message.contains(word), "{pointer}: {message}");
        }
    }
}
