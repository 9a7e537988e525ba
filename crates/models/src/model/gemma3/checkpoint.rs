//! Loading a Gemma 3 checkpoint for inference.

use super::config::Gemma3Config;
use super::processor::Gemma3Processor;
use super::projector::Projector;
use crate::model::checkpoint::{Adapter, Weights};
use crate::model::decoder::{Decoder, LayerWeights};
use crate::model::gguf::{DecoderSpec, GgufDecoder};
use crate::model::layers::Mode;
use crate::model::siglip::PatchFeatures;
use crate::model::vlm::{
    ChatProcessor, PreparedImage, PromptProcessor, ReaderCheckpoint, VisionLanguageModel, name_without_prefixes,
    open_parts,
};
use anyhow::{Result, ensure};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::path::Path;
use std::sync::Arc;

/// A Gemma 3 model with its processor, for inference.
pub struct Gemma3Checkpoint {
    tower: PatchFeatures,
    projector: Projector,
    decoder: Decoder,
    processor: Gemma3Processor,
}

impl Gemma3Checkpoint {
    /// Loads the checkpoint `folder` and merges the adapter, if given, into its weights.
    ///
    /// # Errors
    /// Fails as [`load_reader`](crate::model::reader_family::load_reader) does.
    pub fn load(folder: &Path, adapter: Option<Adapter>, device: &Device, dtype: DType) -> Result<ReaderCheckpoint> {
        let config = Gemma3Config::read(folder)?;
        let (processor, template_note) = Gemma3Processor::read(folder, &config)?;
        let (spec, template) = (decoder_spec(&config), processor.template());
        let (weights, mut parts) = open_parts(folder, adapter, name_without_prefixes, spec, template, dtype, device)?;
        parts.notes.extend(template_note);
        let quantised = weights.decoder().cloned();
        check_vocabulary(&weights, &processor, config.image_token)?;
        let vars = weights.clone().builder(dtype, device);
        let (tower, projector, decoder) = build(&config, &vars, quantised.as_ref())?;
        weights.check_all_used(config.tied_embeddings)?;
        Ok(ReaderCheckpoint::new(Self { tower, projector, decoder, processor }, parts))
    }
}

impl VisionLanguageModel for Gemma3Checkpoint {
    fn processor(&self) -> &dyn PromptProcessor {
        &self.processor
    }

    /// One image at a time: an image has 4096 patches, so a batch would not be faster.
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
fn build(
    config: &Gemma3Config,
    weights: &VarBuilder,
    quantised: Option<&Arc<GgufDecoder>>,
) -> candle_core::Result<(PatchFeatures, Projector, Decoder)> {
    let (tied, token) = (config.tied_embeddings, config.image_token);
    let tower = PatchFeatures::new(&config.vision, &weights.pp("vision_tower"))?;
    let projector = Projector::new(config, &weights.pp("multi_modal_projector"))?;
    let outer = LayerWeights::new(weights, quantised);
    let decoder = Decoder::new(&config.text, tied, token, &outer.pp("language_model"), &outer, Mode::Infer)?;
    Ok((tower, projector, decoder))
}

/// Fails if a GGUF file has cut off embeddings of tokens that the tokenizer has. Images have features instead.
fn check_vocabulary(weights: &Weights, processor: &Gemma3Processor, image_token: u32) -> Result<()> {
    let name = "language_model.embed_tokens.weight";
    let Some(file) = weights.decoder().and_then(|decoder| decoder.path_of(name)) else { return Ok(()) };
    let rows = weights.shape(name).and_then(|shape| shape.first().copied()).unwrap_or(0);
    let last = processor.tokenizer().largest_id();
    let needed = last as usize + usize::from(last != image_token);
    ensure!(
        rows >= needed,
        "{}: tensor token_embd.weight has {rows} rows, the tokenizer has tokens up to {last}",
        file.display()
    );
    Ok(())
}

/// Configuration and tensor names of the decoder.
fn decoder_spec(config: &Gemma3Config) -> DecoderSpec<'_> {
    DecoderSpec { config: &config.text, tied: config.tied_embeddings, inner: "language_model", outer: "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vlm::skeleton::{assert_skeleton, config_of};

    #[test]
    fn full_size_weights_match_transformers() {
        let config = Gemma3Config::of_value(config_of("gemma3")).unwrap();
        assert_skeleton("gemma3", name_without_prefixes, |weights| Ok(build(&config, &weights, None)?));
    }
}
