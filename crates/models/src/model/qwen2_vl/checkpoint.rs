//! Loading a Qwen2-VL or Qwen2.5-VL checkpoint for inference.

use super::batches::encode_by_grid;
use super::config::Qwen2VlConfig;
use super::image_processor::Qwen2VlImageProcessor;
use super::processor::Qwen2VlProcessor;
use super::vision::VisionTower;
use crate::model::checkpoint::Adapter;
use crate::model::decoder::{Decoder, LayerWeights};
use crate::model::gguf::{DecoderSpec, GgufDecoder};
use crate::model::layers::Mode;
use crate::model::vlm::{
    ChatProcessor, PreparedImage, PromptProcessor, ReaderCheckpoint, VisionLanguageModel, open_parts,
};
use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::path::Path;
use std::sync::Arc;

/// A Qwen2-VL or Qwen2.5-VL model with its processor, for inference.
pub struct Qwen2VlCheckpoint {
    tower: VisionTower,
    decoder: Decoder,
    processor: Qwen2VlProcessor,
}

impl Qwen2VlCheckpoint {
    /// Loads the checkpoint `folder` and merges the adapter, if given, into its weights.
    ///
    /// # Errors
    /// Fails as [`load_reader`](crate::model::reader_family::load_reader) does.
    pub fn load(folder: &Path, adapter: Option<Adapter>, device: &Device, dtype: DType) -> Result<ReaderCheckpoint> {
        let config = Qwen2VlConfig::read(folder)?;
        let (processor, template_note) = Qwen2VlProcessor::read(folder, &config)?;
        let (weights, mut parts) =
            open_parts(folder, adapter, canonical_name, decoder_spec(&config), processor.template(), dtype, device)?;
        parts.notes.extend(template_note);
        let quantised = weights.decoder().cloned();
        let vars = weights.clone().builder(dtype, device);
        let (tower, decoder) = build(&config, &processor.images, &vars, quantised.as_ref())?;
        weights.check_all_used(config.tied_embeddings)?;
        Ok(ReaderCheckpoint::new(Self { tower, decoder, processor }, parts))
    }
}

impl VisionLanguageModel for Qwen2VlCheckpoint {
    fn processor(&self) -> &dyn PromptProcessor {
        &self.processor
    }

    fn vision_features(&self, images: &[PreparedImage]) -> Result<Vec<Tensor>> {
        encode_by_grid(images, &self.processor, |pixels, grid| self.tower.forward(pixels, grid))
    }

    fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

/// Builds tower and decoder from weights with the published names.
fn build(
    config: &Qwen2VlConfig,
    images: &Qwen2VlImageProcessor,
    weights: &VarBuilder,
    quantised: Option<&Arc<GgufDecoder>>,
) -> candle_core::Result<(VisionTower, Decoder)> {
    let patch = (3, images.frames(), images.patch_side(), images.patch_side());
    let (tied, token) = (config.tied_embeddings, config.image_token);
    let tower = VisionTower::new(&config.vision, patch, &weights.pp("visual"))?;
    let outer = LayerWeights::new(weights, quantised);
    let decoder = Decoder::new(&config.text, tied, token, &outer.pp("model"), &outer, Mode::Infer)?;
    Ok((tower, decoder))
}

/// Configuration and tensor names of the decoder.
fn decoder_spec(config: &Qwen2VlConfig) -> DecoderSpec<'_> {
    DecoderSpec { config: &config.text, tied: config.tied_embeddings, inner: "model", outer: "" }
}

/// Maps a tensor name of any transformers version to the published one; newer versions prefix tower and decoder with
/// `model.`.
fn canonical_name(name: &str) -> String {
    if let Some(rest) = name.strip_prefix("model.language_model.") {
        return format!("model.{rest}");
    }
    match name.strip_prefix("model.visual.") {
        Some(rest) => format!("visual.{rest}"),
        None => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vlm::skeleton::{assert_skeleton, config_of};

    #[test]
    fn full_size_weights_match_transformers() {
        for family in ["qwen2_vl", "qwen2_5_vl"] {
            let config = Qwen2VlConfig::of_json(config_of(family)).unwrap();
            let images = Qwen2VlImageProcessor::default();
            assert_skeleton(family, canonical_name, |weights| Ok(build(&config, &images, &weights, None)?));
        }
    }

    #[test]
    fn tensor_names_of_all_versions_are_mapped() {
        for (name, expected) in [
            ("model.language_model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"),
            ("model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"),
            ("model.visual.merger.mlp.0.bias", "visual.merger.mlp.0.bias"),
            ("visual.blocks.1.attn.qkv.weight", "visual.blocks.1.attn.qkv.weight"),
            ("lm_head.weight", "lm_head.weight"),
        ] {
            assert_eq!(canonical_name(name), expected);
        }
    }
}
