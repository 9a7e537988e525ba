//! Loading a Qwen3-VL checkpoint for inference.

use super::config::Qwen3VlConfig;
use super::processor::read_qwen3_processor;
use super::vision::VisionTower;
use crate::model::checkpoint::Adapter;
use crate::model::decoder::{Decoder, LayerWeights};
use crate::model::gguf::{DecoderSpec, GgufDecoder};
use crate::model::layers::Mode;
use crate::model::qwen2_vl::{Qwen2VlProcessor, encode_by_grid};
use crate::model::vlm::{
    ChatProcessor, PreparedImage, PromptProcessor, ReaderCheckpoint, VisionLanguageModel, open_parts,
};
use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::path::Path;
use std::sync::Arc;

/// A Qwen3-VL model with its processor, for inference.
pub struct Qwen3VlCheckpoint {
    tower: VisionTower,
    decoder: Decoder,
    processor: Qwen2VlProcessor,
}

impl Qwen3VlCheckpoint {
    /// Loads the checkpoint `folder` and merges the adapter, if given, into its weights.
    ///
    /// # Errors
    /// Fails as [`load_reader`](crate::model::reader_family::load_reader) does.
    pub fn load(folder: &Path, adapter: Option<Adapter>, device: &Device, dtype: DType) -> Result<ReaderCheckpoint> {
        let config = Qwen3VlConfig::read(folder)?;
        let (processor, template_note) = read_qwen3_processor(folder, &config)?;
        let spec = DecoderSpec {
            config: &config.text,
            tied: config.tied_embeddings,
            inner: "model.language_model",
            outer: "",
        };
        let (weights, mut parts) =
            open_parts(folder, adapter, str::to_string, spec, processor.template(), dtype, device)?;
        parts.notes.extend(template_note);
        let quantised = weights.decoder().cloned();
        let (tower, decoder) = build(&config, &weights.clone().builder(dtype, device), quantised.as_ref())?;
        weights.check_all_used(config.tied_embeddings)?;
        Ok(ReaderCheckpoint::new(Self { tower, decoder, processor }, parts))
    }
}

impl VisionLanguageModel for Qwen3VlCheckpoint {
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
    config: &Qwen3VlConfig,
    weights: &VarBuilder,
    quantised: Option<&Arc<GgufDecoder>>,
) -> candle_core::Result<(VisionTower, Decoder)> {
    let tower = VisionTower::new(&config.vision, &weights.pp("model.visual"))?;
    let outer = LayerWeights::new(weights, quantised);
    let inner = outer.pp("model.language_model");
    let decoder = Decoder::new(&config.text, config.tied_embeddings, config.image_token, &inner, &outer, Mode::Infer)?;
    Ok((tower, decoder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vlm::skeleton::{assert_skeleton, config_of};

    #[test]
    fn full_size_weights_match_transformers() {
        for size in ["qwen3_vl_2b", "qwen3_vl_4b", "qwen3_vl_8b"] {
            let config = Qwen3VlConfig::of_json(config_of(size)).unwrap();
            assert_skeleton(size, str::to_string, |weights| Ok(build(&config, &weights, None)?));
        }
    }
}
