//! `config.json` of Qwen3-VL.

use crate::model::checkpoint::{CheckpointError, read_json, typed};
use crate::model::decoder::{RopeFields, TextConfig, divides, in_range, layers_in_range};
use crate::model::fixed_fields::{DECODER_FIELDS, check_head_dim, check_layer_types, expect_fixed};
use crate::model::layers::Activation;
use crate::model::qwen2_vl::VisionRopeJson;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The configuration of a Qwen3-VL model.
#[derive(Clone, Debug, PartialEq)]
pub struct Qwen3VlConfig {
    pub vision: VisionConfig,
    pub text: TextConfig,
    /// Id of `<|image_pad|>`; each is replaced by one merged group of patches.
    pub image_token: u32,
    /// True if the output matrix is the token embedding.
    pub tied_embeddings: bool,
}

/// The configuration of the vision tower.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionConfig {
    pub width: usize,
    pub inner_width: usize,
    pub layers: usize,
    pub heads: usize,
    pub activation: Activation,
    /// Output size, which is the decoder's hidden size.
    pub output: usize,
    pub patch_side: usize,
    /// `temporal_patch_size`: frames per patch.
    pub frames: usize,
    /// `spatial_merge_size`: merge × merge patches become one token.
    pub merge: usize,
    /// Learned positions per side of an image.
    pub positions_per_side: usize,
    /// Blocks after which features are taken for the decoder's first layers (`deepstack_visual_indexes`).
    pub deepstack_blocks: Vec<usize>,
    pub rope_theta: f64,
}

impl VisionConfig {
    /// Values per patch: channels × frames × side².
    pub fn patch_values(&self) -> usize {
        3 * self.frames * self.patch_side * self.patch_side
    }
}

/// The largest side of a patch in pixels.
const LARGEST_SIDE: usize = 1 << 14;
/// Most learned positions; published models have 48².
const MOST_POSITIONS: usize = 1 << 20;

/// Fields of the decoder of which one value is supported, beside [`DECODER_FIELDS`].
const TEXT_FIELDS: [(&str, &str); 3] =
    [("attention_bias", "false"), ("num_experts", "0"), ("use_sliding_window", "false")];

#[derive(Deserialize)]
struct ConfigJson {
    image_token_id: u32,
    tie_word_embeddings: Option<bool>,
    text_config: Value,
    vision_config: Value,
}

// The defaults below are those of transformers.

#[derive(Deserialize)]
#[serde(default)]
struct TextJson {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: usize,
    hidden_act: Activation,
    max_position_embeddings: usize,
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    layer_types: Option<Vec<String>>,
    tie_word_embeddings: Option<bool>,
    pad_token_id: Option<u32>,
}

impl Default for TextJson {
    fn default() -> Self {
        Self {
            vocab_size: 151_936,
            hidden_size: 4096,
            intermediate_size: 22_016,
            num_hidden_layers: 32,
            num_attention_heads: 32,
            num_key_value_heads: Some(32),
            head_dim: 128,
            hidden_act: Activation::Silu,
            max_position_embeddings: 128_000,
            rms_norm_eps: 1e-6,
            rope_theta: None,
            rope_scaling: None,
            rope_parameters: None,
            layer_types: None,
            tie_word_embeddings: None,
            pad_token_id: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
struct VisionJson {
    depth: usize,
    hidden_size: usize,
    hidden_act: Activation,
    intermediate_size: usize,
    num_heads: usize,
    in_channels: usize,
    patch_size: usize,
    spatial_merge_size: usize,
    temporal_patch_size: usize,
    out_hidden_size: usize,
    num_position_embeddings: usize,
    deepstack_visual_indexes: Vec<usize>,
    rope_parameters: Option<VisionRopeJson>,
}

impl Default for VisionJson {
    fn default() -> Self {
        Self {
            depth: 27,
            hidden_size: 1152,
            hidden_act: Activation::GeluPytorchTanh,
            intermediate_size: 4304,
            num_heads: 16,
            in_channels: 3,
            patch_size: 16,
            spatial_merge_size: 2,
            temporal_patch_size: 2,
            out_hidden_size: 3584,
            num_position_embeddings: 2304,
            deepstack_visual_indexes: vec![8, 16, 24],
            rope_parameters: None,
        }
    }
}

impl Qwen3VlConfig {
    /// Reads `config.json` of a checkpoint directory.
    ///
    /// # Errors
    /// Fails if the file or a field is missing, or a field is out of range.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it describes the model")?;
        Self::of_json(value).map_err(|reason| CheckpointError::BadJson { path: folder.join("config.json"), reason })
    }

    pub(super) fn of_json(value: Value) -> Result<Self, String> {
        let place = "text_config: ";
        let json: ConfigJson = typed(value)?;
        for fields in [&DECODER_FIELDS[..], &TEXT_FIELDS] {
            expect_fixed(&json.text_config, fields, place)?;
        }
        let text: TextJson = typed(json.text_config).map_err(|error| format!("{place}{error}"))?;
        let settings = json.vision_config.clone();
        let vision: VisionJson = typed(json.vision_config).map_err(|error| format!("vision_config: {error}"))?;
        check_head_dim(&settings, vision.hidden_size, vision.num_heads, "vision_config: ")?;
        let tied_embeddings = json.tie_word_embeddings.unwrap_or(false) || text.tie_word_embeddings.unwrap_or(false);
        let vision = vision_config(vision)?;
        let text = text_config(&text, vision.deepstack_blocks.len())?;
        if vision.output != text.hidden {
            let (output, hidden) = (vision.output, text.hidden);
            return Err(format!(
                "vision_config: out_hidden_size {output} differs from the decoder's hidden_size {hidden}"
            ));
        }
        Ok(Self { vision, text, image_token: json.image_token_id, tied_embeddings })
    }
}

fn text_config(json: &TextJson, deepstack_layers: usize) -> Result<TextConfig, String> {
    let place = "text_config: ";
    let rotation = [json.rope_parameters.as_ref(), json.rope_scaling.as_ref()];
    for fields in rotation.iter().flatten() {
        expect_fixed(fields, &[("mrope_interleaved", "true")], place)?;
    }
    let rope = RopeFields::of_json(rotation, place)?;
    let sections = rope.sections.unwrap_or_else(|| vec![24, 20, 20]);
    let Ok(mrope_sections) = <[usize; 3]>::try_from(sections.as_slice()) else {
        return Err(format!("{place}mrope_section: expected three numbers, found {sections:?}"));
    };
    if let Some(types) = &json.layer_types {
        check_layer_types(types, json.num_hidden_layers, place)?;
        if types.iter().any(|kind| kind != "full_attention") {
            return Err(format!("{place}layer_types: expected \"full_attention\" for each layer"));
        }
    }
    let config = TextConfig {
        vocabulary: json.vocab_size,
        hidden: json.hidden_size,
        intermediate: json.intermediate_size,
        layers: json.num_hidden_layers,
        heads: json.num_attention_heads,
        key_value_heads: json.num_key_value_heads.unwrap_or(json.num_attention_heads),
        head_size: json.head_dim,
        activation: json.hidden_act,
        positions: json.max_position_embeddings,
        norm_epsilon: json.rms_norm_eps,
        rope_theta: rope.theta.or(json.rope_theta).unwrap_or(500_000.0),
        rope_scaling: rope.scaling,
        mrope_sections: Some(mrope_sections),
        mrope_interleaved: true,
        query_key_norm: true,
        deepstack_layers,
        pad_token: json.pad_token_id,
        ..TextConfig::without_options()
    };
    config.check(place)?;
    Ok(config)
}

fn vision_config(json: VisionJson) -> Result<VisionConfig, String> {
    let place = "vision_config: ";
    for (name, size, most) in [
        ("patch_size", json.patch_size, LARGEST_SIDE),
        ("temporal_patch_size", json.temporal_patch_size, LARGEST_SIDE),
        ("spatial_merge_size", json.spatial_merge_size, LARGEST_SIDE),
        ("num_heads", json.num_heads, LARGEST_SIDE),
        ("hidden_size", json.hidden_size, 1 << 24),
        ("intermediate_size", json.intermediate_size, 1 << 24),
        ("num_position_embeddings", json.num_position_embeddings, MOST_POSITIONS),
    ] {
        in_range(&format!("{place}{name}"), size, most)?;
    }
    layers_in_range(&format!("{place}depth"), json.depth)?;
    if json.in_channels != 3 {
        return Err(format!("{place}expected \"in_channels\": 3, found {}", json.in_channels));
    }
    divides(&format!("{place}num_heads"), json.num_heads, "hidden_size", json.hidden_size)?;
    if !(json.hidden_size / json.num_heads).is_multiple_of(4) {
        return Err(format!("{place}expected a head size divisible by 4, which 2-D RoPE requires"));
    }
    let positions_per_side = json.num_position_embeddings.isqrt();
    if positions_per_side.pow(2) != json.num_position_embeddings {
        let found = json.num_position_embeddings;
        return Err(format!("{place}num_position_embeddings: expected a square number, found {found}"));
    }
    let blocks = json.deepstack_visual_indexes;
    if !blocks.is_sorted_by(|one, next| one < next) || blocks.last().is_some_and(|last| *last >= json.depth) {
        let depth = json.depth;
        return Err(format!(
            "{place}deepstack_visual_indexes: expected increasing numbers below {depth}, found {blocks:?}"
        ));
    }
    Ok(VisionConfig {
        width: json.hidden_size,
        inner_width: json.intermediate_size,
        layers: json.depth,
        heads: json.num_heads,
        activation: json.hidden_act,
        output: json.out_hidden_size,
        patch_side: json.patch_size,
        frames: json.temporal_patch_size,
        merge: json.spatial_merge_size,
        positions_per_side,
        deepstack_blocks: blocks,
        rope_theta: VisionRopeJson::theta(json.rope_parameters.as_ref(), place)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vlm::skeleton::config_of;
    use serde_json::json;

    #[test]
    fn published_configurations_are_read() {
        let config = Qwen3VlConfig::of_json(config_of("qwen3_vl_8b")).unwrap();
        assert_eq!((config.text.head_size, config.text.mrope_sections), (128, Some([24, 20, 20])));
        assert_eq!((config.text.deepstack_layers, config.text.rope_theta), (3, 5e6));
        assert_eq!((config.vision.positions_per_side, config.vision.patch_values()), (48, 1536));
        assert!(!config.tied_embeddings);
    }

    #[test]
    fn a_field_out_of_range_is_named() {
        for (pointer, value, word) in [
            ("/text_config/num_experts", json!(128), "num_experts"),
            ("/text_config/attention_bias", json!(true), "attention_bias"),
            ("/text_config/rope_scaling/mrope_interleaved", json!(false), "mrope_interleaved"),
            ("/text_config/rope_scaling/mrope_section", json!([24, 20, 19]), "mrope_section"),
            ("/text_config/rope_scaling/rope_type", json!("ntk"), "ntk"),
            ("/text_config/head_dim", json!(127), "even head size"),
            ("/text_config/hidden_size", json!(8), "differs from the decoder's hidden_size 8"),
            ("/text_config/num_hidden_layers", json!(2), "at most 2 decoder layers"),
            ("/vision_config/num_position_embeddings", json!(2305), "num_position_embeddings"),
            ("/vision_config/deepstack_visual_indexes", json!([8, 16, 27]), "increasing numbers below 27"),
            ("/vision_config/deepstack_visual_indexes", json!([8, 8, 16]), "increasing numbers below 27"),
            ("/vision_config/patch_size", json!([16, 16]), "patch_size"),
            ("/vision_config/in_channels", json!(1), "in_channels"),
        ] {
            let mut config = config_of("qwen3_vl_8b");
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            config.pointer_mut(parent).unwrap()[name] = value;
            let message = Qwen3VlConfig::of_json(config).unwrap_err();
            assert!(message.contains(word), "{pointer}: {message}");
        }
    }
}
