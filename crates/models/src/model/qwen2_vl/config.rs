//! `config.json` of Qwen2-VL and Qwen2.5-VL: flat as published, or with a `text_config` as written by transformers 5.

use crate::model::checkpoint::{CheckpointError, read_json, typed};
use crate::model::decoder::{RopeFields, TextConfig, divides, in_range, layers_in_range};
use crate::model::fixed_fields::{DECODER_FIELDS, check_head_dim, check_layer_types, expect_fixed};
use crate::model::layers::Activation;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The configuration of a Qwen2-VL or Qwen2.5-VL model.
#[derive(Clone, Debug, PartialEq)]
pub struct Qwen2VlConfig {
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
    /// Values per patch: channels × frames × side².
    pub patch_values: usize,
    /// `spatial_merge_size`: merge × merge patches become one token.
    pub merge: usize,
    pub rope_theta: f64,
    /// Window attention of Qwen2.5-VL, which also has RMSNorm and gated MLPs; `None` for Qwen2-VL.
    pub windows: Option<WindowConfig>,
}

/// Window attention of Qwen2.5-VL's vision tower.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowConfig {
    /// Side of a window in tokens, i.e. in merged groups of patches.
    pub side: usize,
    /// Blocks with full attention (`fullatt_block_indexes`).
    pub full_attention_blocks: Vec<usize>,
}

/// The largest side of a patch or window in pixels.
const LARGEST_SIDE: usize = 1 << 14;

#[derive(Deserialize)]
struct ConfigJson {
    model_type: String,
    image_token_id: u32,
    tie_word_embeddings: Option<bool>,
    vision_config: Value,
}

#[derive(Deserialize)]
struct TextJson {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    #[serde(default = "silu")]
    hidden_act: Activation,
    #[serde(default = "default_positions")]
    max_position_embeddings: usize,
    #[serde(default = "default_epsilon")]
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    #[serde(default)]
    use_sliding_window: bool,
    sliding_window: Option<usize>,
    max_window_layers: Option<usize>,
    layer_types: Option<Vec<String>>,
    tie_word_embeddings: Option<bool>,
    pad_token_id: Option<u32>,
}

/// `rope_parameters` of the vision tower, which transformers 5 writes.
#[derive(Deserialize)]
pub(in crate::model) struct VisionRopeJson {
    rope_type: Option<String>,
    rope_theta: Option<f64>,
}

impl VisionRopeJson {
    /// The RoPE base.
    pub fn theta(parameters: Option<&Self>, place: &str) -> Result<f64, String> {
        let kind = parameters.and_then(|rope| rope.rope_type.as_deref());
        if let Some(other) = kind.filter(|kind| !matches!(*kind, "axial" | "default")) {
            return Err(format!("{place}expected \"rope_type\": \"axial\" or \"default\", found {other:?}"));
        }
        Ok(parameters.and_then(|rope| rope.rope_theta).unwrap_or(10_000.0))
    }
}

/// Fields of both families; which of them are used depends on `model_type`.
#[derive(Deserialize)]
struct VisionJson {
    depth: usize,
    embed_dim: Option<usize>,
    hidden_size: usize,
    out_hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    mlp_ratio: Option<f64>,
    num_heads: usize,
    hidden_act: Option<Activation>,
    in_channels: Option<usize>,
    in_chans: Option<usize>,
    #[serde(default = "fourteen")]
    patch_size: usize,
    #[serde(default = "two")]
    temporal_patch_size: usize,
    #[serde(default = "two")]
    spatial_merge_size: usize,
    #[serde(default = "default_window")]
    window_size: usize,
    fullatt_block_indexes: Option<Vec<usize>>,
    rope_parameters: Option<VisionRopeJson>,
}

impl Qwen2VlConfig {
    /// Reads `config.json` of a checkpoint directory.
    ///
    /// # Errors
    /// Fails if the file or a field is missing, or a field is out of range.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it describes the model")?;
        Self::of_json(value).map_err(|reason| CheckpointError::BadJson { path: folder.join("config.json"), reason })
    }

    pub(super) fn of_json(value: Value) -> Result<Self, String> {
        // Published files are flat, transformers 5 nests the decoder's fields. Nested fields take precedence.
        let (place, text) = match &value["text_config"] {
            Value::Object(_) => ("text_config: ", value["text_config"].clone()),
            _ => ("", value.clone()),
        };
        expect_fixed(&text, &DECODER_FIELDS, place)?;
        let settings = text.clone();
        let json: ConfigJson = typed(value)?;
        let text: TextJson = typed(text).map_err(|error| format!("{place}{error}"))?;
        check_head_dim(&settings, text.hidden_size, text.num_attention_heads, place)?;
        let tied_embeddings = json.tie_word_embeddings.unwrap_or(false) || text.tie_word_embeddings.unwrap_or(false);
        let vision: VisionJson = typed(json.vision_config).map_err(|error| format!("vision_config: {error}"))?;
        let has_windows = json.model_type == "qwen2_5_vl";
        let config = Self {
            vision: vision_config(vision, has_windows)?,
            text: text_config(text, place)?,
            image_token: json.image_token_id,
            tied_embeddings,
        };
        if config.vision.output != config.text.hidden {
            let (output, hidden) = (config.vision.output, config.text.hidden);
            return Err(format!(
                "vision_config: the tower's output size {output} differs from the decoder's hidden size {hidden}"
            ));
        }
        Ok(config)
    }
}

fn text_config(json: TextJson, place: &str) -> Result<TextConfig, String> {
    divides(&format!("{place}num_attention_heads"), json.num_attention_heads, "hidden_size", json.hidden_size)?;
    let rope = RopeFields::of_json([json.rope_parameters.as_ref(), json.rope_scaling.as_ref()], place)?;
    let sections = rope.sections.unwrap_or_else(|| vec![16, 24, 24]);
    let Ok(mrope_sections) = <[usize; 3]>::try_from(sections.as_slice()) else {
        return Err(format!("{place}mrope_section: expected three numbers, found {sections:?}"));
    };
    let sliding_window = if json.use_sliding_window { json.sliding_window } else { None };
    let config = TextConfig {
        vocabulary: json.vocab_size,
        hidden: json.hidden_size,
        intermediate: json.intermediate_size,
        layers: json.num_hidden_layers,
        heads: json.num_attention_heads,
        key_value_heads: json.num_key_value_heads.unwrap_or(json.num_attention_heads),
        head_size: json.hidden_size / json.num_attention_heads.max(1),
        activation: json.hidden_act,
        positions: json.max_position_embeddings,
        norm_epsilon: json.rms_norm_eps,
        rope_theta: rope.theta.or(json.rope_theta).unwrap_or(1e6),
        rope_scaling: rope.scaling,
        mrope_sections: Some(mrope_sections),
        attention_bias: true,
        sliding_window,
        first_windowed_layer: first_windowed_layer(&json, place)?,
        pad_token: json.pad_token_id,
        ..TextConfig::without_options()
    };
    config.check(place)?;
    Ok(config)
}

/// The first layer with sliding-window attention; all later layers have it, too.
fn first_windowed_layer(json: &TextJson, place: &str) -> Result<usize, String> {
    let Some(types) = &json.layer_types else {
        return Ok(json.max_window_layers.unwrap_or(json.num_hidden_layers));
    };
    check_layer_types(types, json.num_hidden_layers, place)?;
    let first = types.iter().position(|kind| kind == "sliding_attention").unwrap_or(types.len());
    if types[first..].iter().any(|kind| kind != "sliding_attention") {
        return Err(format!("{place}layer_types: expected all sliding_attention layers after the others"));
    }
    if first < types.len() && !(json.use_sliding_window && json.sliding_window.is_some()) {
        return Err(format!(
            "{place}layer_types contains sliding_attention, but use_sliding_window is false or sliding_window is missing"
        ));
    }
    Ok(first)
}

fn vision_config(json: VisionJson, has_windows: bool) -> Result<VisionConfig, String> {
    let place = "vision_config: ";
    let width = if has_windows { json.hidden_size } else { json.embed_dim.unwrap_or(1280) };
    let inner_width = if has_windows {
        json.intermediate_size.ok_or_else(|| format!("{place}missing field `intermediate_size`"))?
    } else {
        (width as f64 * json.mlp_ratio.unwrap_or(4.0)) as usize
    };
    let channels = json.in_channels.or(json.in_chans).unwrap_or(3);
    for (name, size) in [
        ("patch_size", json.patch_size),
        ("temporal_patch_size", json.temporal_patch_size),
        ("spatial_merge_size", json.spatial_merge_size),
        ("window_size", json.window_size),
        ("num_heads", json.num_heads),
    ] {
        in_range(&format!("{place}{name}"), size, LARGEST_SIDE)?;
    }
    for (name, size) in [("width", width), ("inner width", inner_width)] {
        in_range(&format!("{place}{name}"), size, 1 << 24)?;
    }
    layers_in_range(&format!("{place}depth"), json.depth)?;
    if channels != 3 {
        return Err(format!("{place}expected \"in_channels\": 3, found {channels}"));
    }
    divides(&format!("{place}num_heads"), json.num_heads, "the tower's width", width)?;
    if !(width / json.num_heads).is_multiple_of(4) {
        return Err(format!("{place}expected a head size divisible by 4, which 2-D RoPE requires"));
    }
    let windows = has_windows.then(|| WindowConfig {
        side: (json.window_size / json.spatial_merge_size / json.patch_size).max(1),
        full_attention_blocks: json.fullatt_block_indexes.clone().unwrap_or_else(|| vec![7, 15, 23, 31]),
    });
    Ok(VisionConfig {
        width,
        inner_width,
        layers: json.depth,
        heads: json.num_heads,
        activation: json.hidden_act.unwrap_or(if has_windows { Activation::Silu } else { Activation::QuickGelu }),
        output: if has_windows { json.out_hidden_size.unwrap_or(3584) } else { json.hidden_size },
        patch_values: channels * json.temporal_patch_size * json.patch_size * json.patch_size,
        merge: json.spatial_merge_size,
        rope_theta: VisionRopeJson::theta(json.rope_parameters.as_ref(), place)?,
        windows,
    })
}

fn silu() -> Activation {
    Activation::Silu
}

fn default_positions() -> usize {
    32_768
}

fn default_epsilon() -> f64 {
    1e-5
}

fn default_window() -> usize {
    112
}

fn two() -> usize {
    2
}

fn fourteen() -> usize {
    14
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The used fields of Qwen2-VL-7B-Instruct and Qwen2.5-VL-7B-Instruct as published.
    fn hub(model_type: &str) -> Value {
        let vision = if model_type == "qwen2_vl" {
            json!({"depth": 32, "embed_dim": 1280, "mlp_ratio": 4, "num_heads": 16, "in_chans": 3, "hidden_size": 3584,
                "patch_size": 14, "spatial_merge_size": 2, "spatial_patch_size": 14, "temporal_patch_size": 2})
        } else {
            json!({"depth": 32, "hidden_act": "silu", "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16,
                "in_chans": 3, "out_hidden_size": 3584, "patch_size": 14, "spatial_merge_size": 2,
                "window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31], "temporal_patch_size": 2})
        };
        json!({"model_type": model_type, "hidden_act": "silu", "hidden_size": 3584, "image_token_id": 151655,
            "intermediate_size": 18944, "max_position_embeddings": 32768, "max_window_layers": 28,
            "num_attention_heads": 28, "num_hidden_layers": 28, "num_key_value_heads": 4, "rms_norm_eps": 1e-06,
            "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": false,
            "use_sliding_window": false, "vision_config": vision,
            "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}, "vocab_size": 152064})
    }

    #[test]
    fn published_configurations_are_read() {
        let config = Qwen2VlConfig::of_json(hub("qwen2_vl")).unwrap();
        assert_eq!((config.text.head_size, config.text.mrope_sections), (128, Some([16, 24, 24])));
        assert_eq!((config.vision.width, config.vision.inner_width, config.vision.patch_values), (1280, 5120, 1176));
        assert_eq!(config.text.sliding_window, None);
        let config = Qwen2VlConfig::of_json(hub("qwen2_5_vl")).unwrap();
        let windows = config.vision.windows.unwrap();
        assert_eq!((windows.side, windows.full_attention_blocks.as_slice()), (4, [7, 15, 23, 31].as_slice()));
        assert_eq!((config.vision.width, config.vision.output), (1280, 3584));
    }

    #[test]
    fn a_field_out_of_range_is_named() {
        for (pointer, value, word) in [
            ("/num_key_value_heads", json!(3), "num_key_value_heads"),
            ("/num_hidden_layers", json!(1_000_000_000_000_u64), "num_hidden_layers"),
            ("/vocab_size", json!(0), "vocab_size"),
            ("/rope_scaling/type", json!("proportional"), "proportional"),
            ("/rope_scaling/type", json!("linear"), "missing field `factor`"),
            ("/rope_scaling/mrope_section", json!([16, 24]), "mrope_section"),
            ("/rope_scaling/mrope_section", json!([16, 24, 25]), "mrope_section"),
            ("/vision_config/num_heads", json!(0), "num_heads"),
            ("/vision_config/patch_size", json!(0), "patch_size"),
            ("/vision_config/depth", json!(u64::MAX), "depth"),
            ("/vision_config/hidden_size", json!(8), "output size 8"),
        ] {
            let mut config = hub("qwen2_vl");
            *config.pointer_mut(pointer).unwrap() = value;
            let message = Qwen2VlConfig::of_json(config).unwrap_err();
            assert!(message.contains(word), "{pointer}: {message}");
        }
    }
}
