//! `config.json` of a `Dinov2Model`.

use crate::model::checkpoint::{CheckpointError, image_processor_json, read_json, typed};
use crate::model::dual_encoder::ImageProcessor;
use crate::model::fixed_fields::expect_fixed;
use crate::model::layers::{Activation, EncoderShape, PatchShape};
use crate::model::limits::check_sizes;
use serde::Deserialize;
use std::path::Path;

/// The fields of `config.json`, with the defaults of transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
struct ConfigJson {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    mlp_ratio: f64,
    hidden_act: Activation,
    layer_norm_eps: f64,
    image_size: usize,
    patch_size: usize,
    qkv_bias: bool,
}

impl Default for ConfigJson {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            mlp_ratio: 4.0,
            hidden_act: Activation::Gelu,
            layer_norm_eps: 1e-6,
            image_size: 224,
            patch_size: 14,
            qkv_bias: true,
        }
    }
}

/// A DINOv2 network with its image processor, whose output size decides the patch grid.
#[derive(Clone, Debug)]
pub struct Dinov2Config {
    pub(super) encoder: EncoderShape,
    /// Patches of the processor's output.
    pub(super) patches: PatchShape,
    /// Side of the square grid for which positions were learned.
    pub(super) learned_grid: usize,
    pub(super) has_attention_bias: bool,
    pub(super) processor: ImageProcessor,
}

impl Dinov2Config {
    /// Reads and checks `config.json` and the image processor of `folder`.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, sizes are inconsistent, or the network is not supported.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it describes the model")?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join("config.json"), reason };
        let fixed = [("use_swiglu_ffn", "false"), ("num_channels", "3"), ("num_register_tokens", "0")];
        expect_fixed(&value, &fixed, "").map_err(bad)?;
        let json: ConfigJson = typed(value).map_err(bad)?;
        let sizes = [("image_size", json.image_size), ("patch_size", json.patch_size)];
        check_sizes("config", &sizes).map_err(bad)?;
        let encoder = EncoderShape {
            width: json.hidden_size,
            inner_width: (json.hidden_size as f64 * json.mlp_ratio) as usize,
            layers: json.num_hidden_layers,
            heads: json.num_attention_heads,
            activation: json.hidden_act,
            epsilon: json.layer_norm_eps,
            factor: 1.0,
        };
        encoder.check("config").map_err(bad)?;
        let (processor, side) = processor(folder)?;
        if json.patch_size > side.min(json.image_size) {
            let (patch, image) = (json.patch_size, json.image_size);
            return Err(bad(format!("patch_size {patch} does not fit into image_size {image} and pictures of {side}")));
        }
        let patches =
            PatchShape { width: json.hidden_size, channels: 3, image_size: side, patch_size: json.patch_size };
        let learned_grid = json.image_size / json.patch_size;
        Ok(Self { encoder, patches, learned_grid, has_attention_bias: json.qkv_bias, processor })
    }
}

/// The image processor (`BitImageProcessor`) and the side of its output in pixels.
fn processor(folder: &Path) -> Result<(ImageProcessor, usize), CheckpointError> {
    let processor = ImageProcessor::read(folder, &ImageProcessor::clip(224))?;
    let (file, _) = image_processor_json(folder)?;
    let side =
        processor.output_side().map_err(|reason| CheckpointError::BadJson { path: folder.join(file), reason })?;
    Ok((processor, side))
}
