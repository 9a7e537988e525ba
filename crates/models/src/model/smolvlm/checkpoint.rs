//! Loading a SmolVLM or Idefics3 checkpoint for inference.

use super::config::SmolVlmConfig;
use super::connector::Connector;
use super::processor::SmolVlmProcessor;
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

/// Bounds the memory of the vision tower; a large image alone has 17 tiles.
const TILES_PER_BATCH: usize = 8;

/// A SmolVLM or Idefics3 model with its processor, for inference.
pub struct SmolVlmCheckpoint {
    tower: VisionTower,
    connector: Connector,
    decoder: Decoder,
    processor: SmolVlmProcessor,
}

impl SmolVlmCheckpoint {
    /// Loads the checkpoint `folder` and merges the adapter, if given, into its weights.
    ///
    /// # Errors
    /// Fails as [`load_reader`](crate::model::reader_family::load_reader) does.
    pub fn load(folder: &Path, adapter: Option<Adapter>, device: &Device, dtype: DType) -> Result<ReaderCheckpoint> {
        let config = SmolVlmConfig::read(folder)?;
        let (processor, template_note) = SmolVlmProcessor::read(folder, &config)?;
        let (weights, mut parts) =
            open_parts(folder, adapter, canonical_name, decoder_spec(&config), processor.template(), dtype, device)?;
        parts.notes.extend(template_note);
        let quantised = weights.decoder().cloned();
        let vars = weights.clone().builder(dtype, device);
        let (tower, connector, decoder) = build(&config, &vars, quantised.as_ref())?;
        weights.check_all_used(config.tied_embeddings)?;
        Ok(ReaderCheckpoint::new(Self { tower, connector, decoder, processor }, parts))
    }
}

impl VisionLanguageModel for SmolVlmCheckpoint {
    fn processor(&self) -> &dyn PromptProcessor {
        &self.processor
    }

    /// All tiles have the same size, so those of all images are batched.
    fn vision_features(&self, images: &[PreparedImage]) -> Result<Vec<Tensor>> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let tiles: Vec<&Tensor> = images.iter().map(|image| &image.pixels).collect();
        let tiles = Tensor::cat(&tiles, 0)?;
        let count = tiles.dim(0)?;
        let mut merged = Vec::with_capacity(count.div_ceil(TILES_PER_BATCH));
        for first in (0..count).step_by(TILES_PER_BATCH) {
            let some = tiles.narrow(0, first, TILES_PER_BATCH.min(count - first))?;
            merged.push(self.connector.forward(&self.tower.forward(&some)?)?);
        }
        let merged = Tensor::cat(&merged, 0)?;
        let mut features = Vec::with_capacity(images.len());
        let mut first = 0;
        for image in images {
            let count = image.pixels.dim(0)?;
            features.push(merged.narrow(0, first, count)?.flatten_to(1)?);
            first += count;
        }
        Ok(features)
    }

    fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

/// Builds tower, connector and decoder from weights with the published names.
fn build(
    config: &SmolVlmConfig,
    weights: &VarBuilder,
    quantised: Option<&Arc<GgufDecoder>>,
) -> candle_core::Result<(VisionTower, Connector, Decoder)> {
    let inner = weights.pp("model");
    let (tied, token) = (config.tied_embeddings, config.image_token);
    let tower = VisionTower::new(&config.vision, &inner.pp("vision_model"))?;
    let connector = Connector::new(config, &inner.pp("connector"))?;
    let outer = LayerWeights::new(weights, quantised);
    let decoder = Decoder::new(&config.text, tied, token, &outer.pp("model.text_model"), &outer, Mode::Infer)?;
    Ok((tower, connector, decoder))
}

/// Configuration and tensor names of the decoder.
fn decoder_spec(config: &SmolVlmConfig) -> DecoderSpec<'_> {
    DecoderSpec { config: &config.text, tied: config.tied_embeddings, inner: "model.text_model", outer: "" }
}

/// Tensor names are the same in adapters and in files of all versions.
fn canonical_name(name: &str) -> String {
    name.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vlm::skeleton::{assert_skeleton, config_of};

    #[test]
    fn full_size_weights_match_transformers() {
        let config = SmolVlmConfig::of_value(config_of("smolvlm")).unwrap();
        assert_skeleton("smolvlm", canonical_name, |weights| Ok(build(&config, &weights, None)?));
    }
}
