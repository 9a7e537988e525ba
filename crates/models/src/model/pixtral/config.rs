//! `config.json` of a Pixtral checkpoint (`LlavaForConditionalGeneration`), as published and as written by transformers 4
//! and 5.

use super::config_json::{ConfigJson, RopeJson, TextJson, VisionJson};
use crate::model::decoder::{RopeFields, TextConfig, divides, layers_in_range};
use crate::model::layers::Activation;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The configuration of a Pixtral model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ConfigJson", into = "ConfigJson")]
pub struct PixtralConfig {
    pub vision: VisionConfig,
    pub text: TextConfig,
    /// Id of `[IMG]`; each is replaced by one projected patch.
    pub image_token: u32,
    pub projector_activation: Activation,
    pub projector_bias: bool,
    /// True if the output matrix is the token embedding.
    pub tied_embeddings: bool,
}

/// The configuration of the Pixtral vision tower.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionConfig {
    pub hidden: usize,
    pub intermediate: usize,
    pub layers: usize,
    pub heads: usize,
    pub channels: usize,
    /// Longest image side in pixels.
    pub image_size: usize,
    /// Side of a patch in pixels.
    pub patch_size: usize,
    pub activation: Activation,
    pub rope_theta: f64,
}

impl VisionConfig {
    /// Size of an attention head; 0 if there are no heads, which reading a configuration refuses.
    pub fn head_size(&self) -> usize {
        self.hidden.checked_div(self.heads).unwrap_or(0)
    }

    /// Patches along the longest side.
    pub(crate) fn patches_per_side(&self) -> usize {
        self.image_size.checked_div(self.patch_size).unwrap_or(0)
    }
}

/// Sizes of a small model. Its heads have size 32, which serving engines support.
#[derive(Clone, Debug)]
pub struct SmallPixtral {
    pub image_size: usize,
    pub patch_size: usize,
    pub vision_hidden: usize,
    pub vision_intermediate: usize,
    pub vision_layers: usize,
    pub text_hidden: usize,
    pub text_intermediate: usize,
    pub text_layers: usize,
    pub key_value_heads: usize,
    pub positions: usize,
}

impl Default for SmallPixtral {
    fn default() -> Self {
        Self {
            image_size: 64,
            patch_size: 8,
            vision_hidden: 96,
            vision_intermediate: 256,
            vision_layers: 4,
            text_hidden: 128,
            text_intermediate: 320,
            text_layers: 4,
            key_value_heads: 2,
            positions: 2048,
        }
    }
}

/// Head size of the small models.
const SMALL_HEAD: usize = 32;

impl PixtralConfig {
    /// The configuration of the sample dataset's reader. The tokenizer must have the special tokens of
    /// [`special`](super::special).
    pub fn small(vocabulary: usize) -> Self {
        Self::small_with(vocabulary, &SmallPixtral::default())
    }

    /// A small model of the given sizes.
    pub fn small_with(vocabulary: usize, sizes: &SmallPixtral) -> Self {
        Self {
            vision: VisionConfig {
                hidden: sizes.vision_hidden,
                intermediate: sizes.vision_intermediate,
                layers: sizes.vision_layers,
                heads: sizes.vision_hidden / SMALL_HEAD,
                channels: 3,
                image_size: sizes.image_size,
                patch_size: sizes.patch_size,
                activation: Activation::Silu,
                rope_theta: 10_000.0,
            },
            text: TextConfig {
                vocabulary,
                hidden: sizes.text_hidden,
                intermediate: sizes.text_intermediate,
                layers: sizes.text_layers,
                heads: sizes.text_hidden / SMALL_HEAD,
                key_value_heads: sizes.key_value_heads,
                head_size: SMALL_HEAD,
                activation: Activation::Silu,
                positions: sizes.positions,
                norm_epsilon: 1e-5,
                rope_theta: 10_000.0,
                rope_scaling: None,
                bos_token: Some(super::special::BEGINNING.1),
                eos_token: Some(super::special::END.1),
                pad_token: Some(super::special::PADDING.1),
                ..TextConfig::without_options()
            },
            image_token: super::special::IMAGE.1,
            projector_activation: Activation::Gelu,
            projector_bias: true,
            tied_embeddings: false,
        }
    }
}

impl TryFrom<ConfigJson> for PixtralConfig {
    type Error = String;

    fn try_from(json: ConfigJson) -> Result<Self, String> {
        if json.model_type != "llava" {
            return Err(format!("expected \"model_type\": \"llava\", found \"{}\"", json.model_type));
        }
        if json.vision_feature_layer != -1 {
            return Err(format!("expected \"vision_feature_layer\": -1, found {}", json.vision_feature_layer));
        }
        if json.vision_feature_select_strategy != "full" {
            let found = &json.vision_feature_select_strategy;
            return Err(format!("expected \"vision_feature_select_strategy\": \"full\", found \"{found}\""));
        }
        let config = Self {
            vision: VisionConfig::try_from(&json.vision_config)?,
            text: TextConfig::try_from(&json.text_config)?,
            image_token: json.image_token_index,
            projector_activation: json.projector_hidden_act,
            projector_bias: json.multimodal_projector_bias,
            tied_embeddings: json.tie_word_embeddings || json.text_config.tie_word_embeddings,
        };
        Ok(config)
    }
}

impl TryFrom<&VisionJson> for VisionConfig {
    type Error = String;

    fn try_from(json: &VisionJson) -> Result<Self, String> {
        if json.model_type != "pixtral" {
            return Err(format!("vision_config: expected \"model_type\": \"pixtral\", found \"{}\"", json.model_type));
        }
        divides("vision_config: num_attention_heads", json.num_attention_heads, "hidden_size", json.hidden_size)?;
        divides("vision_config: patch_size", json.patch_size, "image_size", json.image_size)?;
        layers_in_range("vision_config: num_hidden_layers", json.num_hidden_layers)?;
        if !(json.hidden_size / json.num_attention_heads).is_multiple_of(4) {
            return Err("vision_config: expected a head size divisible by 4, which 2-D RoPE requires".to_owned());
        }
        Ok(Self {
            hidden: json.hidden_size,
            intermediate: json.intermediate_size,
            layers: json.num_hidden_layers,
            heads: json.num_attention_heads,
            channels: json.num_channels,
            image_size: json.image_size,
            patch_size: json.patch_size,
            activation: json.hidden_act,
            rope_theta: RopeJson::theta(json.rope_parameters.as_ref(), json.rope_theta, "vision_config")?,
        })
    }
}

impl TryFrom<&TextJson> for TextConfig {
    type Error = String;

    fn try_from(json: &TextJson) -> Result<Self, String> {
        if json.model_type != "mistral" {
            return Err(format!("text_config: expected \"model_type\": \"mistral\", found \"{}\"", json.model_type));
        }
        let key_value_heads = json.num_key_value_heads.unwrap_or(json.num_attention_heads);
        if json.head_dim.is_none() {
            divides("text_config: num_attention_heads", json.num_attention_heads, "hidden_size", json.hidden_size)?;
        }
        let head_size = json.head_dim.unwrap_or_else(|| json.hidden_size / json.num_attention_heads.max(1));
        let rope = RopeFields::of_json([json.rope_parameters.as_ref(), json.rope_scaling.as_ref()], "text_config: ")?;
        let config = Self {
            vocabulary: json.vocab_size,
            hidden: json.hidden_size,
            intermediate: json.intermediate_size,
            layers: json.num_hidden_layers,
            heads: json.num_attention_heads,
            key_value_heads,
            head_size,
            activation: json.hidden_act,
            gemma: None,
            positions: json.max_position_embeddings,
            norm_epsilon: json.rms_norm_eps,
            rope_theta: rope.theta.or(json.rope_theta).unwrap_or(10_000.0),
            rope_scaling: rope.scaling,
            mrope_sections: None,
            mrope_interleaved: false,
            attention_bias: false,
            query_key_norm: false,
            deepstack_layers: 0,
            sliding_window: json.sliding_window,
            first_windowed_layer: 0,
            bos_token: json.bos_token_id,
            eos_token: json.eos_token_id,
            pad_token: json.pad_token_id,
        };
        config.check("text_config: ")?;
        Ok(config)
    }
}

impl From<PixtralConfig> for ConfigJson {
    fn from(config: PixtralConfig) -> Self {
        let PixtralConfig { vision, text, .. } = &config;
        Self {
            architectures: vec!["LlavaForConditionalGeneration".to_owned()],
            model_type: "llava".to_owned(),
            image_token_index: config.image_token,
            vision_feature_layer: -1,
            vision_feature_select_strategy: "full".to_owned(),
            projector_hidden_act: config.projector_activation,
            multimodal_projector_bias: config.projector_bias,
            tie_word_embeddings: config.tied_embeddings,
            image_seq_length: vision.patches_per_side().pow(2),
            dtype: Some("float32".to_owned()),
            text_config: TextJson {
                model_type: "mistral".to_owned(),
                vocab_size: text.vocabulary,
                hidden_size: text.hidden,
                intermediate_size: text.intermediate,
                num_hidden_layers: text.layers,
                num_attention_heads: text.heads,
                num_key_value_heads: Some(text.key_value_heads),
                head_dim: Some(text.head_size),
                hidden_act: text.activation,
                max_position_embeddings: text.positions,
                rms_norm_eps: text.norm_epsilon,
                rope_parameters: Some(rope_parameters(text)),
                rope_theta: Some(text.rope_theta),
                sliding_window: text.sliding_window,
                tie_word_embeddings: config.tied_embeddings,
                bos_token_id: text.bos_token,
                eos_token_id: text.eos_token,
                pad_token_id: text.pad_token,
                rope_scaling: None,
            },
            vision_config: VisionJson {
                model_type: "pixtral".to_owned(),
                hidden_size: vision.hidden,
                intermediate_size: vision.intermediate,
                num_hidden_layers: vision.layers,
                num_attention_heads: vision.heads,
                head_dim: Some(vision.head_size()),
                num_channels: vision.channels,
                image_size: vision.image_size,
                patch_size: vision.patch_size,
                hidden_act: vision.activation,
                // Without `rope_parameters` every version computes the right frequencies from `rope_theta`.
                rope_parameters: None,
                rope_theta: Some(vision.rope_theta),
            },
        }
    }
}

/// RoPE parameters as written by transformers 5.
fn rope_parameters(text: &TextConfig) -> Value {
    let mut parameters = match &text.rope_scaling {
        None => json!({"rope_type": "default"}),
        Some(scaling) => json!(scaling),
    };
    parameters["rope_theta"] = json!(text.rope_theta);
    parameters
}
