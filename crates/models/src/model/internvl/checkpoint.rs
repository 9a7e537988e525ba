//! Loading an InternVL checkpoint for inference.

use super::config::InternVlConfig;
use super::processor::InternVlProcessor;
use super::projector::Projector;
use super::vision::VisionTower;
use crate::model::checkpoint::Adapter;
use crate::model::decoder::{Decoder, LayerWeights};
use crate::model::gguf::{DecoderSpec, GgufDecoder};
use crate::model::layers::Mode;
use crate::model::vlm::{
    ChatProcessor, PreparedImage, PromptProcessor, ReaderCheckpoint, VisionLanguageModel, name_without_prefixes,
    open_parts,
};
use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::path::Path;
use std::sync::Arc;

/// Bounds the memory of the vision tower; a large image alone has 13 tiles.
const TILES_PER_BATCH: usize = 4;

/// An InternVL model with its processor, for inference.
pub struct InternVlCheckpoint {
    tower: VisionTower,
    projector: Projector,
    decoder: Decoder,
    processor: InternVlProcessor,
}

impl InternVlCheckpoint {
    /// Loads the checkpoint `folder` and merges the adapter, if given, into its weights.
    ///
    /// # Errors
    /// Fails as [`load_reader`](crate::model::reader_family::load_reader) does.
    pub fn load(folder: &Path, adapter: Option<Adapter>, device: &Device, dtype: DType) -> Result<ReaderCheckpoint> {
        let config = InternVlConfig::read(folder)?;
        let (processor, template_note) = InternVlProcessor::read(folder, &config)?;
        let (spec, template) = (decoder_spec(&config), processor.template());
        let (weights, mut parts) = open_parts(folder, adapter, name_without_prefixes, spec, template, dtype, device)?;
        parts.notes.extend(template_note);
        let quantised = weights.decoder().cloned();
        let vars = weights.clone().builder(dtype, device);
        let tied = config.tied_embeddings.unwrap_or_else(|| weights.shape("lm_head.weight").is_none());
        let (tower, projector, decoder) = build(&config, tied, &vars, quantised.as_ref())?;
        weights.check_all_used(tied)?;
        Ok(ReaderCheckpoint::new(Self { tower, projector, decoder, processor }, parts))
    }

    /// Features of one image: `[tokens, text hidden]`.
    fn features_of(&self, image: &PreparedImage) -> candle_core::Result<Tensor> {
        let count = image.pixels.dim(0)?;
        let mut features = Vec::with_capacity(count.div_ceil(TILES_PER_BATCH));
        for first in (0..count).step_by(TILES_PER_BATCH) {
            let tiles = image.pixels.narrow(0, first, TILES_PER_BATCH.min(count - first))?;
            features.push(self.projector.forward(&self.tower.forward(&tiles)?)?.flatten_to(1)?);
        }
        Tensor::cat(&features, 0)
    }
}

impl VisionLanguageModel for InternVlCheckpoint {
    fn processor(&self) -> &dyn PromptProcessor {
        &self.processor
    }

    fn vision_features(&self, images: &[PreparedImage]) -> Result<Vec<Tensor>> {
        images.iter().map(|image| Ok(self.features_of(image)?)).collect()
    }

    fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

/// Builds tower, projector and decoder from weights with the names of [`name_without_prefixes`].
fn build(
    config: &InternVlConfig,
    tied: bool,
    weights: &VarBuilder,
    quantised: Option<&Arc<GgufDecoder>>,
) -> candle_core::Result<(VisionTower, Projector, Decoder)> {
    let token = config.image_token;
    let tower = VisionTower::new(&config.vision, &weights.pp("vision_tower"))?;
    let projector = Projector::new(config, &weights.pp("multi_modal_projector"))?;
    let outer = LayerWeights::new(weights, quantised);
    let decoder = Decoder::new(&config.text, tied, token, &outer.pp("language_model"), &outer, Mode::Infer)?;
    Ok((tower, projector, decoder))
}

/// Configuration and tensor names of the decoder.
fn decoder_spec(config: &InternVlConfig) -> DecoderSpec<'_> {
    let tied = config.tied_embeddings.unwrap_or(true);
    DecoderSpec { config: &config.text, tied, inner: "language_model", outer: "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vlm::skeleton::{assert_skeleton, config_of};

    #[test]
    fn full_size_weights_match_transformers() {
        let config = InternVlConfig::of_value(config_of("internvl")).unwrap();
        assert_skeleton("internvl", name_without_prefixes, |weights| Ok(build(&config, false, &weights, None)?));
    }
}
