//! Loading a PaliGemma checkpoint for inference.

use super::config::PaliGemmaConfig;
use super::processor::PaliGemmaProcessor;
use crate::model::checkpoint::Adapter;
use crate::model::decoder::{Decoder, LayerWeights};
use crate::model::gguf::{DecoderSpec, decoder_files};
use crate::model::layers::{Linear, Mode, linear};
use crate::model::siglip::PatchFeatures;
use crate::model::vlm::{
    ChatProcessor, PreparedImage, PromptProcessor, ReaderCheckpoint, VisionLanguageModel, name_without_prefixes,
    open_parts,
};
use anyhow::{Result, bail};
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::VarBuilder;
use std::path::Path;

/// A PaliGemma model with its processor, for inference.
pub struct PaliGemmaCheckpoint {
    tower: PatchFeatures,
    projector: Linear,
    decoder: Decoder,
    processor: PaliGemmaProcessor,
}

impl PaliGemmaCheckpoint {
    /// Loads the checkpoint `folder` and merges the adapter, if given, into its weights.
    ///
    /// # Errors
    /// Fails as [`load_reader`](crate::model::reader_family::load_reader) does, and if there is a GGUF file: llama.cpp does not
    /// convert this family.
    pub fn load(folder: &Path, adapter: Option<Adapter>, device: &Device, dtype: DType) -> Result<ReaderCheckpoint> {
        let config = PaliGemmaConfig::read(folder)?;
        if let Some(file) = decoder_files(folder)?.first() {
            bail!("{}: expected no GGUF file, since llama.cpp does not convert PaliGemma", file.display());
        }
        let (processor, note) = PaliGemmaProcessor::read(folder, &config)?;
        let (spec, template) = (decoder_spec(&config), processor.template());
        let (weights, mut parts) = open_parts(folder, adapter, name_without_prefixes, spec, template, dtype, device)?;
        parts.notes.extend(note);
        let (tower, projector, decoder) = build(&config, &weights.clone().builder(dtype, device))?;
        weights.check_all_used(config.tied_embeddings)?;
        Ok(ReaderCheckpoint::new(Self { tower, projector, decoder, processor }, parts))
    }
}

impl VisionLanguageModel for PaliGemmaCheckpoint {
    fn processor(&self) -> &dyn PromptProcessor {
        &self.processor
    }

    fn vision_features(&self, images: &[PreparedImage]) -> Result<Vec<Tensor>> {
        let features = |image: &PreparedImage| -> Result<Tensor> {
            Ok(self.projector.forward(&self.tower.forward(&image.pixels)?)?.squeeze(0)?)
        };
        images.iter().map(features).collect()
    }

    fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

/// Builds tower, projector and decoder from weights with the names of [`name_without_prefixes`].
fn build(config: &PaliGemmaConfig, weights: &VarBuilder) -> candle_core::Result<(PatchFeatures, Linear, Decoder)> {
    let (tied, token) = (config.tied_embeddings, config.image_token);
    let tower = PatchFeatures::new(&config.vision, &weights.pp("vision_tower"))?;
    let (width, hidden) = (config.vision.hidden_size, config.text.hidden);
    let projector = linear(width, hidden, 0.02, &weights.pp("multi_modal_projector.linear"))?;
    let outer = LayerWeights::new(weights, None);
    let decoder = Decoder::new(&config.text, tied, token, &outer.pp("language_model"), &outer, Mode::Infer)?;
    Ok((tower, projector, decoder))
}

/// Configuration and tensor names of the decoder.
fn decoder_spec(config: &PaliGemmaConfig) -> DecoderSpec<'_> {
    DecoderSpec { config: &config.text, tied: config.tied_embeddings, inner: "language_model", outer: "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vlm::skeleton::{assert_skeleton, config_of};

    #[test]
    fn full_size_weights_match_transformers() {
        let config = PaliGemmaConfig::of_value(config_of("paligemma")).unwrap();
        assert_skeleton("paligemma", name_without_prefixes, |weights| Ok(build(&config, &weights)?));
    }
}
