//! Tower, projector and decoder of LLaVA, and loading a checkpoint for inference.

use super::config::LlavaConfig;
use super::processor::LlavaProcessor;
use crate::model::checkpoint::Adapter;
use crate::model::clip::VisionTower;
use crate::model::decoder::{Decoder, LayerWeights};
use crate::model::gguf::{DecoderSpec, GgufDecoder};
use crate::model::layers::Mode;
use crate::model::pixtral::{Projector, ProjectorShape, canonical_llava_name};
use crate::model::vlm::{
    ChatProcessor, PreparedImage, PromptProcessor, ReaderCheckpoint, VisionLanguageModel, open_parts,
};
use anyhow::Result;
use candle_core::{D, DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::path::Path;
use std::sync::Arc;

/// Bounds the memory of the vision tower.
const IMAGES_PER_BATCH: usize = 8;

/// A LLaVA model with its processor, for inference.
pub struct LlavaCheckpoint {
    tower: VisionTower,
    projector: Projector,
    decoder: Decoder,
    config: LlavaConfig,
    processor: LlavaProcessor,
}

impl LlavaCheckpoint {
    /// Loads the checkpoint `folder` and merges the adapter, if given, into its weights.
    ///
    /// # Errors
    /// Fails as [`load_reader`](crate::model::reader_family::load_reader) does.
    pub fn load(folder: &Path, adapter: Option<Adapter>, device: &Device, dtype: DType) -> Result<ReaderCheckpoint> {
        let config = LlavaConfig::read(folder)?;
        let (processor, template_note) = LlavaProcessor::read(folder, &config)?;
        let spec = DecoderSpec {
            config: &config.text,
            tied: config.tied_embeddings,
            inner: "language_model.model",
            outer: "language_model",
        };
        let (weights, mut parts) =
            open_parts(folder, adapter, canonical_name, spec, processor.template(), dtype, device)?;
        parts.notes.extend(template_note);
        let quantised = weights.decoder().cloned();
        let vars = weights.clone().builder(dtype, device);
        let (tower, projector, decoder) = build(&config, &vars, quantised.as_ref())?;
        weights.check_all_used(config.tied_embeddings)?;
        Ok(ReaderCheckpoint::new(Self { tower, projector, decoder, config, processor }, parts))
    }

    /// Maps pixels `[B, 3, side, side]` to features `[B, tokens, hidden]`.
    fn features(&self, pixels: &Tensor) -> candle_core::Result<Tensor> {
        let last = self.config.feature_layers.iter().copied().max().unwrap_or(0);
        let states = self.tower.first_states(pixels, last)?;
        let chosen: Vec<&Tensor> = self.config.feature_layers.iter().filter_map(|number| states.get(*number)).collect();
        let mut features = Tensor::cat(&chosen, D::Minus1)?;
        if !self.config.with_class_token {
            features = features.narrow(1, 1, features.dim(1)? - 1)?.contiguous()?;
        }
        self.projector.forward(&features)
    }
}

impl VisionLanguageModel for LlavaCheckpoint {
    fn processor(&self) -> &dyn PromptProcessor {
        &self.processor
    }

    /// All images have the same size.
    fn vision_features(&self, images: &[PreparedImage]) -> Result<Vec<Tensor>> {
        let mut features = Vec::with_capacity(images.len());
        for batch in images.chunks(IMAGES_PER_BATCH) {
            let pixels: Vec<&Tensor> = batch.iter().map(|image| &image.pixels).collect();
            let projected = self.features(&Tensor::stack(&pixels, 0)?)?;
            for place in 0..batch.len() {
                features.push(projected.get(place)?);
            }
        }
        Ok(features)
    }

    fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

/// Builds tower, projector and decoder from weights with the published names.
fn build(
    config: &LlavaConfig,
    weights: &VarBuilder,
    quantised: Option<&Arc<GgufDecoder>>,
) -> candle_core::Result<(VisionTower, Projector, Decoder)> {
    let tower = VisionTower::new(&config.vision, Mode::Infer, &weights.pp("vision_tower.vision_model"))?;
    let shape = ProjectorShape {
        inputs: config.vision.hidden_size * config.feature_layers.len(),
        hidden: config.text.hidden,
        activation: config.projector_activation,
        bias: config.projector_bias,
    };
    let projector = Projector::new(&shape, &weights.pp("multi_modal_projector"))?;
    let outer = LayerWeights::new(weights, quantised).pp("language_model");
    let (tied, token) = (config.tied_embeddings, config.image_token);
    let decoder = Decoder::new(&config.text, tied, token, &outer.pp("model"), &outer, Mode::Infer)?;
    Ok((tower, projector, decoder))
}

/// Prefixes of LLaVA's own code, and what transformers calls them.
const OWN_PREFIXES: [(&str, &str); 6] = [
    ("model.layers.", "language_model.model.layers."),
    ("model.embed_tokens.", "language_model.model.embed_tokens."),
    ("model.norm.", "language_model.model.norm."),
    ("model.mm_projector.0.", "multi_modal_projector.linear_1."),
    ("model.mm_projector.2.", "multi_modal_projector.linear_2."),
    ("model.vision_tower.vision_tower.", "vision_tower."),
];

/// Maps a tensor name of any transformers version, or of LLaVA's own code, to the published one. Version 5 leaves out
/// `vision_model.`.
fn canonical_name(name: &str) -> String {
    for (own, published) in OWN_PREFIXES {
        if let Some(rest) = name.strip_prefix(own) {
            return format!("{published}{rest}");
        }
    }
    let name = canonical_llava_name(name);
    match name.strip_prefix("vision_tower.") {
        Some(rest) if !rest.starts_with("vision_model.") => format!("vision_tower.vision_model.{rest}"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vlm::skeleton::{assert_skeleton, config_of};

    #[test]
    fn full_size_weights_match_transformers() {
        for size in ["llava_1_5_7b", "llava_med_1_5_mistral_7b"] {
            let config = LlavaConfig::of_json(config_of(size)).unwrap();
            assert_skeleton(size, canonical_name, |weights| Ok(build(&config, &weights, None)?));
        }
    }

    #[test]
    fn tensor_names_of_all_versions_are_mapped() {
        for (name, expected) in [
            (
                "model.vision_tower.encoder.layers.0.mlp.fc1.bias",
                "vision_tower.vision_model.encoder.layers.0.mlp.fc1.bias",
            ),
            ("vision_tower.vision_model.pre_layrnorm.bias", "vision_tower.vision_model.pre_layrnorm.bias"),
            ("model.language_model.norm.weight", "language_model.model.norm.weight"),
            ("language_model.lm_head.weight", "language_model.lm_head.weight"),
            ("model.layers.1.mlp.up_proj.weight", "language_model.model.layers.1.mlp.up_proj.weight"),
            ("model.mm_projector.2.bias", "multi_modal_projector.linear_2.bias"),
            (
                "model.vision_tower.vision_tower.vision_model.embeddings.class_embedding",
                "vision_tower.vision_model.embeddings.class_embedding",
            ),
        ] {
            assert_eq!(canonical_name(name), expected);
        }
    }
}
