//! The whole model: image tower, projector, decoder.

use super::cache::KvCache;
use super::config::PixtralConfig;
use super::decoder::Decoder;
use super::input::{Decoded, DecoderInput, TokenPlace};
use super::projector::Projector;
use super::vision::VisionTower;
use crate::model::layers::Mode;
use candle_core::{Device, Result, Tensor};
use candle_nn::VarBuilder;

/// `LlavaForConditionalGeneration` with a Pixtral tower and a Mistral decoder.
#[derive(Clone, Debug)]
pub struct PixtralModel {
    tower: VisionTower,
    projector: Projector,
    decoder: Decoder,
    config: PixtralConfig,
    device: Device,
}

impl PixtralModel {
    /// `weights` names tensors as the hub does: `vision_tower.`, `multi_modal_projector.`, `language_model.model.`,
    /// `language_model.lm_head.`. New ones keep the variance of their inputs, with norms at 1.
    pub fn new(config: &PixtralConfig, weights: &VarBuilder, mode: Mode) -> Result<Self> {
        Ok(Self {
            tower: VisionTower::new(&config.vision, &weights.pp("vision_tower"), mode)?,
            projector: Projector::new(config, &weights.pp("multi_modal_projector"))?,
            decoder: Decoder::new(config, &weights.pp("language_model"), mode)?,
            config: config.clone(),
            device: weights.device().clone(),
        })
    }

    /// The shape of the model.
    pub fn config(&self) -> &PixtralConfig {
        &self.config
    }

    /// Where the weights are.
    pub fn device(&self) -> &Device {
        &self.device
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

    /// Reads a batch of rows, after what `cache` holds if one is given, and appends to it.
    ///
    /// A whole prompt with an empty cache is the prefill; a token per row with the same cache is a step. Every row needs
    /// a token. Fails if the image tokens of a row are not as many as its features, or a token is not in the vocabulary.
    pub fn decode(&self, input: &DecoderInput, cache: Option<&mut KvCache>) -> Result<Decoded> {
        self.check(input)?;
        let layouts = input.layouts(cache.as_deref())?;
        let longest = layouts.iter().map(super::layout::RowLayout::length).max().unwrap_or(0);
        if longest > self.config.text.positions {
            candle_core::bail!("a prompt of {longest} tokens, the model reads {} at most", self.config.text.positions)
        }
        let embeddings = self.embed(input)?;
        let hidden = match cache {
            None => self.decoder.forward(&embeddings, &layouts, None)?,
            Some(cache) => {
                let hidden = self.decoder.forward(&embeddings, &layouts, Some(cache))?;
                cache.rows = layouts;
                hidden
            }
        };
        Ok(Decoded {
            hidden,
            offsets: input.rows.iter().map(|row| input.offset(row)).collect(),
            lengths: input.rows.iter().map(|row| row.ids.len()).collect(),
        })
    }

    /// `[N, vocabulary]`: what follows each of the given tokens. The output matrix is applied to these alone.
    pub fn logits(&self, decoded: &Decoded, places: &[TokenPlace]) -> Result<Tensor> {
        let (batch, width, hidden) = decoded.hidden.dims3()?;
        let mut slots = Vec::with_capacity(places.len());
        for place in places {
            let TokenPlace { row, index } = *place;
            match (decoded.offsets.get(row), decoded.lengths.get(row)) {
                (Some(offset), Some(length)) if index < *length => slots.push((row * width + offset + index) as u32),
                _ => candle_core::bail!("token {index} of row {row} was not read"),
            }
        }
        let slots = Tensor::new(slots.as_slice(), &self.device)?;
        let asked = decoded.hidden.reshape((batch * width, hidden))?.index_select(&slots, 0)?;
        self.decoder.logits(&asked)
    }

    /// Rows, tokens and features fit each other and the model.
    fn check(&self, input: &DecoderInput) -> Result<()> {
        let vocabulary = self.config.text.vocabulary;
        if input.rows.is_empty() {
            candle_core::bail!("no rows to read")
        }
        for (number, row) in input.rows.iter().enumerate() {
            if row.ids.is_empty() {
                candle_core::bail!("row {number} has no tokens")
            }
            if let Some(id) = row.ids.iter().find(|id| **id as usize >= vocabulary) {
                candle_core::bail!("row {number}: token {id} is not in the vocabulary of {vocabulary}")
            }
            let mut patches = 0;
            for features in &row.features {
                patches += features.dims2()?.0;
            }
            let tokens = row.ids.iter().filter(|id| **id == self.config.image_token).count();
            if patches != tokens {
                candle_core::bail!("row {number}: {tokens} image tokens for {patches} image features")
            }
        }
        Ok(())
    }

    /// `[B, T, hidden]`: token embeddings, with image features in the place of image tokens.
    ///
    /// One lookup in the embedding, one in its result with the features below it: the second moves rows of the prompt,
    /// never the whole embedding.
    fn embed(&self, input: &DecoderInput) -> Result<Tensor> {
        let width = input.width();
        let slots = input.rows.len() * width;
        let padding = self.config.text.padding_token.unwrap_or(0);
        let mut ids = vec![padding; slots];
        let mut sources: Vec<u32> = (0..slots as u32).collect();
        let mut tables: Vec<&Tensor> = Vec::new();
        let mut next_feature = slots as u32;
        for (number, row) in input.rows.iter().enumerate() {
            let start = number * width + input.offset(row);
            for (index, id) in row.ids.iter().enumerate() {
                ids[start + index] = *id;
                if *id == self.config.image_token {
                    sources[start + index] = next_feature;
                    next_feature += 1;
                }
            }
            tables.extend(&row.features);
        }
        let shape = (input.rows.len(), width, self.config.text.hidden);
        let embedded = self.decoder.embed(&Tensor::new(ids.as_slice(), &self.device)?)?;
        if tables.is_empty() {
            return embedded.reshape(shape);
        }
        tables.insert(0, &embedded);
        let sources = Tensor::new(sources.as_slice(), &self.device)?;
        Tensor::cat(&tables, 0)?.index_select(&sources, 0)?.reshape(shape)
    }
}
