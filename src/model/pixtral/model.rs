//! The whole model: image tower, projector, decoder.

use super::config::PixtralConfig;
use super::projector::Projector;
use super::vision::VisionTower;
use crate::model::decoder::{Decoded, Decoder, DecoderInput, KvCache, LayerWeights, TokenIndex};
use crate::model::gguf::GgufDecoder;
use crate::model::layers::Mode;
use candle_core::{Device, Result, Tensor};
use candle_nn::VarBuilder;
use std::sync::Arc;

/// `LlavaForConditionalGeneration` with a Pixtral tower and a Mistral decoder.
#[derive(Clone, Debug)]
pub struct PixtralModel {
    tower: VisionTower,
    projector: Projector,
    decoder: Decoder,
    config: PixtralConfig,
}

impl PixtralModel {
    /// `weights` names tensors as the hub does: `vision_tower.`, `multi_modal_projector.`, `language_model.model.`,
    /// `language_model.lm_head.`. New ones keep the variance of their inputs, with norms at 1.
    pub fn new(config: &PixtralConfig, weights: &VarBuilder, mode: Mode) -> Result<Self> {
        Self::with_decoder(config, weights, None, mode)
    }

    /// The same with the matrices of the decoder in a file of their own, where one is given.
    pub(super) fn with_decoder(
        config: &PixtralConfig,
        weights: &VarBuilder,
        quantised: Option<&Arc<GgufDecoder>>,
        mode: Mode,
    ) -> Result<Self> {
        let decoder = LayerWeights::new(weights, quantised).pp("language_model");
        Ok(Self {
            tower: VisionTower::new(&config.vision, &weights.pp("vision_tower"), mode)?,
            projector: Projector::new(config, &weights.pp("multi_modal_projector"))?,
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

    /// The shape of the model.
    pub fn config(&self) -> &PixtralConfig {
        &self.config
    }

    /// Where the weights are.
    pub fn device(&self) -> &Device {
        self.decoder.device()
    }

    /// The decoder.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Image features before the projector: `[B, channels, H, W]` of images of one size to `[B, patches, vision hidden]`.
    /// They depend on the tower alone, so training with a frozen tower may keep them.
    pub fn tower_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.tower.forward(pixels)
    }

    /// `[.., vision hidden]` to `[.., text hidden]`.
    pub fn project(&self, features: &Tensor) -> Result<Tensor> {
        self.projector.forward(features)
    }

    /// Tower and projector for images of any sizes, each `[channels, H, W]`, to `[patches, text hidden]` each, in order.
    /// Images of one size go through the tower together.
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

    /// As [`Decoder::decode`].
    pub fn decode(&self, input: &DecoderInput, cache: Option<&mut KvCache>) -> Result<Decoded> {
        self.decoder.decode(input, cache)
    }

    /// As [`Decoder::logits`].
    pub fn logits(&self, decoded: &Decoded, places: &[TokenIndex]) -> Result<Tensor> {
        self.decoder.logits(decoded, places)
    }
}
