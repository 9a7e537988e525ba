//! `text_config` of InternVL: a Qwen2 decoder.

use crate::model::decoder::{RopeFields, TextConfig, divides};
use crate::model::fixed_fields::check_layer_types;
use crate::model::layers::Activation;
use serde::Deserialize;
use serde_json::Value;

/// Defaults are those of `Qwen2Config` in transformers.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct TextJson {
    model_type: Option<String>,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: Option<usize>,
    hidden_act: Activation,
    max_position_embeddings: usize,
    rms_norm_eps: f64,
    rope_theta: f64,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    use_sliding_window: bool,
    layer_types: Option<Vec<String>>,
    pub tie_word_embeddings: Option<bool>,
    pad_token_id: Option<u32>,
}

impl Default for TextJson {
    fn default() -> Self {
        Self {
            model_type: None,
            vocab_size: 151_936,
            hidden_size: 4096,
            intermediate_size: 22_016,
            num_hidden_layers: 32,
            num_attention_heads: 32,
            num_key_value_heads: 32,
            head_dim: None,
            hidden_act: Activation::Silu,
            max_position_embeddings: 32_768,
            rms_norm_eps: 1e-6,
            rope_theta: 10_000.0,
            rope_scaling: None,
            rope_parameters: None,
            use_sliding_window: false,
            layer_types: None,
            tie_word_embeddings: None,
            pad_token_id: None,
        }
    }
}

pub(super) fn text_config(json: &TextJson) -> Result<TextConfig, String> {
    let place = "text_config: ";
    if let Some(kind) = json.model_type.as_deref()
        && kind != "qwen2"
    {
        return Err(format!("{place}expected \"model_type\": \"qwen2\", found \"{kind}\""));
    }
    if json.head_dim.is_none() {
        divides(&format!("{place}num_attention_heads"), json.num_attention_heads, "hidden_size", json.hidden_size)?;
    }
    if json.use_sliding_window || json.layer_types.iter().flatten().any(|kind| kind == "sliding_attention") {
        return Err(format!("{place}expected \"use_sliding_window\": false"));
    }
    if let Some(types) = &json.layer_types {
        check_layer_types(types, json.num_hidden_layers, place)?;
    }
    let rope = RopeFields::of_json([json.rope_parameters.as_ref(), json.rope_scaling.as_ref()], place)?;
    let config = TextConfig {
        vocabulary: json.vocab_size,
        hidden: json.hidden_size,
        intermediate: json.intermediate_size,
        layers: json.num_hidden_layers,
        heads: json.num_attention_heads,
        key_value_heads: json.num_key_value_heads,
        head_size: json.head_dim.unwrap_or_else(|| json.hidden_size / json.num_attention_heads.max(1)),
        activation: json.hidden_act,
        positions: json.max_position_embeddings,
        norm_epsilon: json.rms_norm_eps,
        rope_theta: rope.theta.unwrap_or(json.rope_theta),
        rope_scaling: rope.scaling,
        attention_bias: true,
        pad_token: json.pad_token_id,
        ..TextConfig::without_options()
    };
    config.check(place)?;
    Ok(config)
}
