//! The text tower's configuration: JinaBERT in jina-clip-v1, jina-embeddings-v3 (an XLM-RoBERTa with RoPE) in jina-clip-v2.
//! Sizes are taken from the tensors, the rest from the configuration of the named network, with the changes of `config.json`.

use super::config::TextJson;
use crate::model::bert::{BertConfig, BertSizes, Pooling, Positions, Projection};
use crate::model::checkpoint::Weights;
use serde_json::{Map, Value};

/// Width of an attention head in both networks.
const HEAD_WIDTH: usize = 64;
/// Base of the rotary position embeddings in `config.json` of jina-embeddings-v3.
const THETA: f64 = 20_000.0;

/// Changes to the configuration of jina-embeddings-v3 that are read, or have no effect on a vector.
const KNOWN_CHANGES: [&str; 13] = [
    "layer_norm_eps",
    "load_trained_adapters",
    "lora_adaptations",
    "lora_alpha",
    "lora_dropout_p",
    "lora_main_params_trainable",
    "lora_rank",
    "num_attention_heads",
    "pad_token_id",
    "rotary_emb_base",
    "task_instructions",
    "use_flash_attn",
    "use_reentrant",
];

/// The network that `hf_model_name_or_path` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextNetwork {
    JinaBert,
    JinaEmbeddings3,
}

impl TextNetwork {
    /// # Errors
    /// Fails if the name is that of another network.
    pub fn of_name(name: &str) -> Result<Self, String> {
        match name {
            _ if name.contains("jina-bert") => Ok(Self::JinaBert),
            _ if name.contains("jina-embeddings-v3") => Ok(Self::JinaEmbeddings3),
            _ => Err(format!(
                "text_config: expected hf_model_name_or_path to be a jina-bert (jina-clip-v1) or jina-embeddings-v3 \
                 (jina-clip-v2), found {name:?}"
            )),
        }
    }

    /// The configuration of the tower with the tensors in `weights`, under the names of [`super::names`].
    ///
    /// # Errors
    /// Fails if a setting is not supported or sizes are inconsistent.
    pub fn config(self, text: &TextJson, weights: &Weights) -> Result<BertConfig, String> {
        let sizes = BertSizes::of(weights, "text_model.transformer.");
        let empty = Map::new();
        let changes = match &text.hf_model_config_kwargs {
            None | Some(Value::Null) => &empty,
            Some(Value::Object(changes)) => changes,
            Some(_) => return Err("text_config: hf_model_config_kwargs: expected an object".into()),
        };
        let number = |name: &str| changes.get(name).and_then(Value::as_f64);
        let heads = number("num_attention_heads").map_or(sizes.width / HEAD_WIDTH, |heads| heads as usize);
        let is_jina_bert = self == Self::JinaBert;
        if !is_jina_bert {
            let unknown =
                changes.iter().find(|(name, value)| !KNOWN_CHANGES.contains(&name.as_str()) && !value.is_null());
            if let Some((name, value)) = unknown {
                return Err(format!("text_config: hf_model_config_kwargs: {name} {value} is not supported"));
            }
        }
        let theta = number("rotary_emb_base").unwrap_or(THETA);
        if theta.is_nan() || theta <= 0.0 {
            return Err(format!("text_config: expected a positive rotary_emb_base, found {theta}"));
        }
        let config = BertConfig {
            vocabulary: sizes.vocabulary,
            token_types: sizes.token_types,
            width: sizes.width,
            inner_width: if is_jina_bert { sizes.inner_width / 2 } else { sizes.inner_width },
            layers: sizes.layers,
            heads,
            epsilon: number("layer_norm_eps").unwrap_or(if is_jina_bert { 1e-12 } else { 1e-5 }),
            pad_id: number("pad_token_id").map_or(u32::from(!is_jina_bert), |id| id as u32),
            positions: if is_jina_bert { Positions::Alibi } else { Positions::Rope { theta } },
            is_gated: is_jina_bert,
            pooling: pooling_of(text)?,
            projection: Projection::Nothing,
        };
        config.check()?;
        Ok(config)
    }
}

fn pooling_of(text: &TextJson) -> Result<Pooling, String> {
    let name = text.pooler_type.as_deref().unwrap_or("mean_pooler");
    match Pooling::of_name(name).map_err(|reason| format!("text_config: pooler_type: {reason}"))? {
        // The tower is saved without BERT's dense layer.
        Pooling::Dense => Ok(Pooling::First),
        other => Ok(other),
    }
}
