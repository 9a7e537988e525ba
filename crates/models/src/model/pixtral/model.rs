//! The whole model: vision tower, projector, decoder.

use super::config::PixtralConfig;
use super::projector::{Projector, ProjectorShape};
use super::vision::VisionTower;
use crate::model::decoder::{Decoded, Decoder, DecoderInput, KvCache, LayerWeights, TokenIndex};
use crate::model::gguf::GgufDecoder;
use crate::model::layers::Mode;
use candle_core::{Device, Result, Tensor};
use candle_nn::VarBuilder;
use std::sync::Arc;

/// `LlavaForConditionalGeneration` with a Pixtral vision tower and a Mistral decoder.
#[derive(Clone, Debug)]
pub struct PixtralModel {
    tower: VisionTower,
    projector: Projector,
    decoder: Decoder,
    config: PixtralConfig,
}

impl PixtralModel {
    /// Builds the model from `weights` with the published prefixes `vision_tower.`, `multi_modal_projector.`,
    /// `language_model.model.` and `language_model.lm_head.`. New weights preserve the variance of their inputs; new norm
    /// weights are 1.
    pub fn new(config: &PixtralConfig, weights: &VarBuilder, mode: Mode) -> Result<Self> {
        Self::with_decoder(config, weights, None, mode)
    }

    /// [`Self::new`] with a quantised decoder, if given.
    pub(super) fn with_decoder(
        config: &PixtralConfig,
        weights: &VarBuilder,
        quantised: Option<&Arc<GgufDecoder>>,
        mode: Mode,
    ) -> Result<Self> {
        let decoder = LayerWeights::new(weights, quantised).pp("language_model");
        let projector = ProjectorShape {
            inputs: config.vision.hidden,
            hidden: config.text.hidden,
            activation: config.projector_activation,
            bias: config.projector_bias,
        };
        Ok(Self {
            tower: VisionTower::new(&config.vision, &weights.pp("vision_tower"), mode)?,
            projector: Projector::new(&projector, &weights.pp("multi_modal_projector"))?,
            decoder: Decoder::new(
                &config.text,
                config.tied_embeddings,
                config.image_token,
                &decoder.pp("model"),
                &decoder,
                mode,
            )?,
            config: config.clone(),
        })
    }

    /// The configuration.
    pub fn config(&self) -> &PixtralConfig {
        &self.config
    }

    /// The device of the weights.
    pub fn device(&self) -> &Device {
        self.decoder.device()
    }

    /// The decoder.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Features before the projector: pixels `[B, channels, H, W]` of images of the same size to
    /// `[B, patches, vision hidden]`. They depend only on the tower, so training with a frozen tower can cache them.
    pub fn tower_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.tower.forward(pixels)
    }

    /// Projects features `[.., vision hidden]` to `[.., text hidden]`.
    pub fn project(&self, features: &Tensor) -> Result<Tensor> {
        self.projector.forward(features)
    }

    /// Applies tower and projector to images `[channels, H, W]` of any sizes; returns `[patches, text hidden]` for each, in
    /// order. Images of the same size are batched.
    pub fn vision_features(&self, images: &[Tensor]) -> Result<Vec<Tensor>> {
        let mut features: Vec<Option<Tensor>> = vec![None; images.len()];
        for first in 0..images.len() {
            if features[first].is_some() {
                continue;
            }
            let alike: Vec<usize> =
                (first..images.len()).filter(|other| images[*other].dims() == images[first].dims()).collect();
            let batch: Vec<&Tensor> = alike.iter().map(|index| &images[*index]).collect();
            let projected = self.project(&self.tower_features(&Tensor::stack(&batch, 0)?)?)?;
            for (place, index) in alike.into_iter().enumerate() {
                features[index] = Some(projected.get(place)?);
            }
        }
        Ok(features.into_iter().flatten().collect())
    }

    /// Calls [`Decoder::decode`].
    pub fn decode(&self, input: &DecoderInput, cache: Option<&mut KvCache>) -> Result<Decoded> {
        self.decoder.decode(input, cache)
    }

    /// Calls [`Decoder::logits`].
    pub fn logits(&self, decoded: &Decoded, tokens: &[TokenIndex]) -> Result<Tensor> {
        self.decoder.logits(decoded, tokens)
    }
}
