//! The decoder over rows with images: what scores labels and what is trained.

use super::cache::KvCache;
use super::config::TextConfig;
use super::input::{Decoded, DecoderInput, DecoderRow, TokenPlace};
use super::layout::RowLayout;
use super::stack::Stack;
use super::weights::LayerWeights;
use crate::model::layers::Mode;
use candle_core::{D, Device, Result, Tensor};

/// A decoder that knows which token stands for a piece of an image.
#[derive(Clone, Debug)]
pub struct Decoder {
    stack: Stack,
    image_token: u32,
    device: Device,
}

impl Decoder {
    /// `inner` holds `embed_tokens`, `layers` and `norm`; `outer` holds `lm_head`, unless the output matrix is the
    /// embedding (`tied`). New weights keep the variance of their inputs, with norms at 1.
    pub(in crate::model) fn new(
        config: &TextConfig,
        tied: bool,
        image_token: u32,
        inner: &LayerWeights,
        outer: &LayerWeights,
        mode: Mode,
    ) -> Result<Self> {
        let stack = Stack::new(config, tied, inner, outer, mode)?;
        Ok(Self { stack, image_token, device: inner.plain().device().clone() })
    }

    /// The shape.
    pub fn config(&self) -> &TextConfig {
        self.stack.config()
    }

    /// The token that stands for a piece of an image.
    pub fn image_token(&self) -> u32 {
        self.image_token
    }

    /// Where the weights are.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Index of the first token of a row's second image; none where it has no second image.
    pub fn second_image_of(&self, row: &DecoderRow) -> Option<usize> {
        let first = row.features.first()?.elem_count() / self.config().hidden;
        let mut image_tokens = row.ids.iter().enumerate().filter(|(_, id)| **id == self.image_token);
        image_tokens.nth(first).map(|(index, _)| index)
    }

    /// Do image tokens turn by rows and columns?
    fn uses_mrope(&self) -> bool {
        self.stack.config().rotary_sections.is_some()
    }

    fn rank_of_features(&self) -> usize {
        if self.uses_mrope() { 3 } else { 2 }
    }

    /// Reads a batch of rows, after what `cache` holds if one is given, and appends to it.
    ///
    /// A whole prompt with an empty cache is the prefill; a token per row with the same cache is a step. Every row needs
    /// a token. Fails if the image tokens of a row are not as many as its features, or a token is not in the vocabulary.
    pub fn decode(&self, input: &DecoderInput, cache: Option<&mut KvCache>) -> Result<Decoded> {
        self.check(input)?;
        let layouts = input.layouts(cache.as_deref(), self.image_token, self.uses_mrope())?;
        let longest = layouts.iter().map(RowLayout::length).max().unwrap_or(0);
        let most = self.stack.config().longest();
        if longest > most {
            candle_core::bail!("a prompt of {longest} tokens, the model reads {most} at most")
        }
        let embeddings = self.embed(input)?;
        let hidden = match cache {
            None => self.stack.forward(&embeddings, &layouts, None)?,
            Some(cache) => {
                let hidden = self.stack.forward(&embeddings, &layouts, Some(cache))?;
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
        self.stack.logits(&asked)
    }

    /// Rows, tokens and features fit each other and the model.
    fn check(&self, input: &DecoderInput) -> Result<()> {
        let vocabulary = self.stack.config().vocabulary;
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
                let (expected, found) = (self.stack.config().hidden, features.dim(D::Minus1)?);
                if found != expected || features.rank() != self.rank_of_features() {
                    let shape = features.dims();
                    candle_core::bail!("row {number}: image features of shape {shape:?} for {expected} columns")
                }
                patches += features.elem_count() / expected;
            }
            let tokens = row.ids.iter().filter(|id| **id == self.image_token).count();
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
        let padding = self.stack.config().padding_token.unwrap_or(0);
        let mut ids = vec![padding; slots];
        let mut sources: Vec<u32> = (0..slots as u32).collect();
        let columns = self.stack.config().hidden;
        let mut tables: Vec<Tensor> = Vec::new();
        let mut next_feature = slots as u32;
        for (number, row) in input.rows.iter().enumerate() {
            let start = number * width + input.offset(row);
            for (index, id) in row.ids.iter().enumerate() {
                ids[start + index] = *id;
                if *id == self.image_token {
                    sources[start + index] = next_feature;
                    next_feature += 1;
                }
            }
            for features in &row.features {
                tables.push(features.reshape(((), columns))?);
            }
        }
        let shape = (input.rows.len(), width, columns);
        let embedded = self.stack.embed(&Tensor::new(ids.as_slice(), &self.device)?)?;
        if tables.is_empty() {
            return embedded.reshape(shape);
        }
        tables.insert(0, embedded);
        let sources = Tensor::new(sources.as_slice(), &self.device)?;
        Tensor::cat(&tables, 0)?.index_select(&sources, 0)?.reshape(shape)
    }
}
