//! `config.json` of Gemma 3: a SigLIP vision tower and a Gemma 3 decoder.

use crate::model::checkpoint::{CheckpointError, read_json, typed};
use crate::model::decoder::{GemmaOptions, LooksAhead, RopeFields, TextConfig, divides, in_range};
use crate::model::fixed_fields::{DECODER_FIELDS, check_layer_types, expect_fixed};
use crate::model::layers::Activation;
use crate::model::siglip::VisionConfig;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The configuration of a Gemma 3 model.
#[derive(Clone, Debug, PartialEq)]
pub struct Gemma3Config {
    pub(in crate::model) vision: VisionConfig,
    pub text: TextConfig,
    /// Id of `<image_soft_token>`; each is replaced by one pooled group of patches.
    pub image_token: u32,
    /// Ids of the tokens around an image; the template prints the first of them for an image.
    pub image_marks: [u32; 2],
    /// `mm_tokens_per_image`, a square number.
    pub tokens_per_image: usize,
    /// True if the output matrix is the token embedding.
    pub tied_embeddings: bool,
}

/// Fields of which only one value is supported, beside those of all decoders.
const GEMMA_FIELDS: [(&str, &str); 2] = [("attention_bias", "false"), ("use_bidirectional_attention", "false")];

/// Defaults are those of `Gemma3Config` in transformers; published files leave out many fields.
#[derive(Deserialize)]
#[serde(default)]
struct ConfigJson {
    mm_tokens_per_image: usize,
    boi_token_index: u32,
    eoi_token_index: u32,
    image_token_index: u32,
    tie_word_embeddings: Option<bool>,
    text_config: TextJson,
    vision_config: VisionConfig,
}

/// Defaults are those of `Gemma3TextConfig`.
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
    hidden_activation: Activation,
    max_position_embeddings: usize,
    rms_norm_eps: f64,
    query_pre_attn_scalar: f64,
    sliding_window: Option<usize>,
    sliding_window_pattern: usize,
    layer_types: Option<Vec<String>>,
    /// As transformers 5 writes it, with one entry per kind of layer.
    rope_parameters: Option<Value>,
    /// Before transformers 5, for layers without a window.
    rope_scaling: Option<Value>,
    rope_theta: f64,
    rope_local_base_freq: f64,
    tie_word_embeddings: Option<bool>,
    pad_token_id: Option<u32>,
}

impl Default for ConfigJson {
    fn default() -> Self {
        Self {
            mm_tokens_per_image: 256,
            boi_token_index: 255_999,
            eoi_token_index: 256_000,
            image_token_index: 262_144,
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
            vocab_size: 262_208,
            hidden_size: 2304,
            intermediate_size: 9216,
            num_hidden_layers: 26,
            num_attention_heads: 8,
            num_key_value_heads: 4,
            head_dim: 256,
            hidden_activation: Activation::GeluPytorchTanh,
            max_position_embeddings: 131_072,
            rms_norm_eps: 1e-6,
            query_pre_attn_scalar: 256.0,
            sliding_window: Some(4096),
            sliding_window_pattern: 6,
            layer_types: None,
            rope_parameters: None,
            rope_scaling: None,
            rope_theta: 1e6,
            rope_local_base_freq: 1e4,
            tie_word_embeddings: None,
            pad_token_id: Some(0),
        }
    }
}

impl Gemma3Config {
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
                return Err(format!("expected the field \"{section}\": this family has an image tower and a decoder"));
            }
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
        let (tokens, patches) = (json.mm_tokens_per_image, vision.patches().grid());
        in_range("mm_tokens_per_image", tokens, patches * patches)?;
        let side = tokens.isqrt();
        if side * side != tokens {
            return Err(format!("mm_tokens_per_image: expected a square number, found {tokens}"));
        }
        divides("the root of mm_tokens_per_image", side, "the patches of a side", patches)?;
        let tied_embeddings = json.tie_word_embeddings.or(json.text_config.tie_word_embeddings).unwrap_or(true);
        Ok(Self {
            vision,
            text: text_config(&json.text_config)?,
            image_token: json.image_token_index,
            image_marks: [json.boi_token_index, json.eoi_token_index],
            tokens_per_image: tokens,
            tied_embeddings,
        })
    }
}

fn text_config(json: &TextJson) -> Result<TextConfig, String> {
    let place = "text_config: ";
    if let Some(kind) = json.model_type.as_deref()
        && kind != "gemma3_text"
    {
        return Err(format!("{place}expected \"model_type\": \"gemma3_text\", found \"{kind}\""));
    }
    let (rope, local_theta) = rope_fields(json, place)?;
    let attends_to_all = attends_to_all(json, place)?;
    if json.sliding_window.is_none_or(|window| window == 0) && attends_to_all.contains(&false) {
        return Err(format!("{place}sliding_window: expected a number of tokens, since some layers have a window"));
    }
    let config = TextConfig {
        vocabulary: json.vocab_size,
        hidden: json.hidden_size,
        intermediate: json.intermediate_size,
        layers: json.num_hidden_layers,
        heads: json.num_attention_heads,
        key_value_heads: json.num_key_value_heads,
        head_size: json.head_dim,
        activation: json.hidden_activation,
        gemma: Some(GemmaOptions {
            has_norms_after: true,
            has_head_norms: true,
            query_scalar: json.query_pre_attn_scalar,
            attends_to_all,
            local_rope_theta: Some(local_theta),
            looks_ahead: LooksAhead::WithinImage,
        }),
        positions: json.max_position_embeddings,
        norm_epsilon: json.rms_norm_eps,
        rope_theta: rope.theta.unwrap_or(json.rope_theta),
        rope_scaling: rope.scaling,
        sliding_window: json.sliding_window,
        pad_token: json.pad_token_id,
        ..TextConfig::without_options()
    };
    config.check(place)?;
    Ok(config)
}

/// RoPE of layers without a window, and the base of the others.
fn rope_fields(json: &TextJson, place: &str) -> Result<(RopeFields, f64), String> {
    let Some(each) = json.rope_parameters.as_ref().filter(|value| !value.is_null()) else {
        return Ok((RopeFields::of_json([json.rope_scaling.as_ref(), None], place)?, json.rope_local_base_freq));
    };
    let kinds = ["full_attention", "sliding_attention"];
    if !kinds.iter().all(|kind| each[kind].is_object()) {
        return Err(format!("{place}rope_parameters: expected the fields full_attention and sliding_attention"));
    }
    let [global, local] = kinds.map(|kind| RopeFields::of_json([Some(&each[kind]), None], place));
    let local = local?;
    if local.scaling.is_some() {
        return Err(format!("{place}rope_parameters: sliding_attention: expected \"rope_type\": \"default\""));
    }
    Ok((global?, local.theta.unwrap_or(json.rope_local_base_freq)))
}

/// For each layer, whether it attends without the sliding window.
fn attends_to_all(json: &TextJson, place: &str) -> Result<Vec<bool>, String> {
    // A hostile number is refused before it is counted to.
    crate::model::decoder::layers_in_range(&format!("{place}num_hidden_layers"), json.num_hidden_layers)?;
    let Some(types) = &json.layer_types else {
        in_range(&format!("{place}sliding_window_pattern"), json.sliding_window_pattern, 1 << 24)?;
        return Ok((1..=json.num_hidden_layers).map(|layer| layer % json.sliding_window_pattern == 0).collect());
    };
    check_layer_types(types, json.num_hidden_layers, place)?;
    Ok(types.iter().map(|kind| kind == "full_attention").collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::decoder::RopeScaling;
    use serde_json::json;

    /// gemma-3-4b-it as published.
    fn hub() -> Value {
        json!({"architectures": ["Gemma3ForConditionalGeneration"], "boi_token_index": 255_999,
            "eoi_token_index": 256_000, "eos_token_id": [1, 106], "image_token_index": 262_144,
            "initializer_range": 0.02, "mm_tokens_per_image": 256, "model_type": "gemma3",
            "text_config": {"hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text",
                "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024},
            "torch_dtype": "bfloat16",
            "vision_config": {"hidden_size": 1152, "image_size": 896, "intermediate_size": 4304,
                "model_type": "siglip_vision_model", "num_attention_heads": 16, "num_hidden_layers": 27,
                "patch_size": 14, "vision_use_head": false}})
    }

    #[test]
    fn published_configurations_are_read() {
        let config = Gemma3Config::of_value(hub()).unwrap();
        let (text, gemma) = (&config.text, config.text.gemma.as_ref().unwrap());
        assert_eq!((text.heads, text.key_value_heads, text.head_size, text.sliding_window), (8, 4, 256, Some(1024)));
        assert_eq!((text.rope_theta, gemma.local_rope_theta, gemma.query_scalar), (1e6, Some(1e4), 256.0));
        assert_eq!(text.rope_scaling, Some(RopeScaling::Linear { factor: 8.0 }));
        let global: Vec<usize> = (0..34).filter(|layer| gemma.attends_to_all[*layer]).collect();
        assert_eq!(global, [5, 11, 17, 23, 29]);
        assert!(config.tied_embeddings);
    }

    #[test]
    fn a_field_out_of_range_is_named() {
        for (pointer, value, word) in [
            ("/mm_tokens_per_image", json!(0), "mm_tokens_per_image"),
            ("/mm_tokens_per_image", json!(255), "square"),
            ("/mm_tokens_per_image", json!(169), "must divide"),
            ("/text_config/model_type", json!("gemma3n_text"), "gemma3n_text"),
            ("/text_config/num_hidden_layers", json!(u64::MAX), "num_hidden_layers"),
            ("/text_config/sliding_window", json!(null), "sliding_window"),
            ("/text_config/rope_scaling", json!({"rope_type": "ntk"}), "ntk"),
            ("/vision_config/patch_size", json!(0), "patch_size"),
            ("/vision_config/model_type", json!("clip_vision_model"), "clip_vision_model"),
            ("/vision_config", json!(null), "vision_config"),
        ] {
            let mut config = hub();
            *config.pointer_mut(pointer).unwrap() = value;
            let message = Gemma3Config::of_value(config).unwrap_err();
            assert!(message.contains(word), "{pointer}: {message}");
        }
        for (name, value) in [
            ("query_pre_attn_scalar", json!(0)),
            ("sliding_window_pattern", json!(0)),
            ("layer_types", json!(["full_attention"])),
            ("attn_logit_softcapping", json!(50.0)),
            ("use_bidirectional_attention", json!(true)),
            ("attention_bias", json!(true)),
            ("rope_parameters", json!({"rope_type": "default"})),
            (
                "rope_parameters",
                json!({"full_attention": {}, "sliding_attention": {"rope_type": "linear", "factor": 2}}),
            ),
        ] {
            let mut config = hub();
            config["text_config"][name] = value;
            let message = Gemma3Config::of_value(config).unwrap_err();
            assert!(message.contains(name), "{name}: {message}");
        }
    }
}
