//! `open_clip_config.json`.

use crate::model::dual_encoder::OpenClipTransform;
use crate::model::layers::Activation;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The fields of the file.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct OpenClipJson {
    pub model_cfg: ModelJson,
    #[serde(default)]
    pub preprocess_cfg: OpenClipTransform,
}

/// `model_cfg`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ModelJson {
    pub embed_dim: usize,
    pub vision_cfg: VisionJson,
    pub text_cfg: TextJson,
    #[serde(default)]
    pub quick_gelu: bool,
    /// Set for CoCa and other models with more than two towers.
    #[serde(default)]
    pub multimodal_cfg: Option<Value>,
}

/// `vision_cfg`, with the defaults of OpenCLIP.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct VisionJson {
    pub layers: Value,
    pub width: usize,
    pub head_width: usize,
    pub mlp_ratio: f64,
    pub patch_size: usize,
    pub image_size: usize,
    pub pool_type: String,
    pub timm_model_name: Option<String>,
    pub timm_pool: String,
    pub timm_proj: Option<String>,
    pub timm_proj_bias: bool,
    pub act_kwargs: Option<Value>,
    pub norm_kwargs: Option<Value>,
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// `text_cfg`, with the defaults of OpenCLIP.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct TextJson {
    pub context_length: usize,
    pub vocab_size: usize,
    pub width: usize,
    pub heads: usize,
    pub layers: usize,
    pub mlp_ratio: f64,
    pub pool_type: String,
    pub proj_type: Option<String>,
    pub hf_model_name: Option<String>,
    pub hf_proj_type: Option<String>,
    pub hf_pooler_type: String,
    pub act_kwargs: Option<Value>,
    pub norm_kwargs: Option<Value>,
    pub no_causal_mask: bool,
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl Default for VisionJson {
    fn default() -> Self {
        Self {
            layers: Value::from(12),
            width: 768,
            head_width: 64,
            mlp_ratio: 4.0,
            patch_size: 16,
            image_size: 224,
            pool_type: "tok".into(),
            timm_model_name: None,
            timm_pool: "avg".into(),
            timm_proj: Some("linear".into()),
            timm_proj_bias: false,
            act_kwargs: None,
            norm_kwargs: None,
            others: Map::new(),
        }
    }
}

impl Default for TextJson {
    fn default() -> Self {
        Self {
            context_length: 77,
            vocab_size: 49_408,
            width: 512,
            heads: 8,
            layers: 12,
            mlp_ratio: 4.0,
            pool_type: "argmax".into(),
            proj_type: Some("linear".into()),
            hf_model_name: None,
            hf_proj_type: Some("mlp".into()),
            hf_pooler_type: "mean_pooler".into(),
            act_kwargs: None,
            norm_kwargs: None,
            no_causal_mask: false,
            others: Map::new(),
        }
    }
}

/// Settings that select unsupported networks.
const OTHER_NETWORKS: [&str; 13] = [
    "global_average_pool",
    "input_patchnorm",
    "attentional_pool",
    "no_ln_pre",
    "final_ln_after_pool",
    "ls_init_value",
    "qk_norm",
    "scaled_cosine_attn",
    "scale_heads",
    "scale_attn_inner",
    "scale_attn",
    "scale_fc",
    "embed_cls",
];

/// Fails if one of [`OTHER_NETWORKS`] is set or the projection has a bias.
pub(super) fn refuse_other_networks(place: &str, others: &Map<String, Value>) -> Result<(), String> {
    for name in OTHER_NETWORKS.iter().chain(&["proj_bias"]) {
        if let Some(value) = others.get(*name)
            && !matches!(value, Value::Null | Value::Bool(false))
        {
            return Err(format!("{place}: {name} {value} is not supported"));
        }
    }
    Ok(())
}

/// The activation of OpenCLIP's own towers.
pub(super) fn activation(quick_gelu: bool, settings: Option<&Value>) -> Result<Activation, String> {
    let approximate = settings.map_or(&Value::Null, |settings| &settings["approximate"]);
    match approximate.as_str() {
        _ if quick_gelu => Ok(Activation::QuickGelu),
        None | Some("none") => Ok(Activation::Gelu),
        Some("tanh") => Ok(Activation::GeluPytorchTanh),
        Some(other) => Err(format!("act_kwargs: expected \"approximate\": \"tanh\" or \"none\", found {other:?}")),
    }
}

/// The epsilon of a tower's layer norms.
pub(super) fn epsilon(settings: Option<&Value>) -> f64 {
    settings.and_then(|settings| settings["eps"].as_f64()).unwrap_or(1e-5)
}
