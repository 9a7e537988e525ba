//! The decoder over rows with images, for scoring labels and for training.

use super::cache::KvCache;
use super::config::TextConfig;
use super::gemma::LooksAhead;
use super::input::{Decoded, DecoderInput, DecoderRow, ImageLayout, TokenIndex};
use super::layout::RowLayout;
use super::stack::Stack;
use super::weights::LayerWeights;
use crate::model::layers::Mode;
use candle_core::{D, Device, Result, Tensor};

/// A decoder that replaces image tokens by image features.
#[derive(Clone, Debug)]
pub struct Decoder {
    pub(super) stack: Stack,
    pub(super) image_token: u32,
    device: Device,
}

impl Decoder {
    /// `inner` holds `embed_tokens`, `layers` and `norm`; `outer` holds `lm_head`, unless the output matrix is the
    /// embedding (`tied`). New weights preserve the variance of their inputs; new norm weights are 1.
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

    /// The configuration.
    pub fn config(&self) -> &TextConfig {
        self.stack.config()
    }

    /// The token id that stands for one image feature.
    pub fn image_token(&self) -> u32 {
        self.image_token
    }

    /// The device of the weights.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Index of the first token of a row's second image, if it has one and the tokens before it can be read first.
    pub fn second_image_of(&self, row: &DecoderRow) -> Option<usize> {
        if !self.reads_in_parts() {
            return None;
        }
        let first = self.tokens_of(row.features.first()?);
        let mut image_tokens = row.ids.iter().enumerate().filter(|(_, id)| **id == self.image_token);
        image_tokens.nth(first).map(|(index, _)| index)
    }

    /// Number of tokens that an image's features stand for.
    pub fn tokens_of(&self, features: &Tensor) -> usize {
        features.elem_count() / self.config().feature_width()
    }

    /// True if image tokens have row and column positions (M-RoPE).
    pub(super) fn uses_mrope(&self) -> bool {
        self.stack.config().mrope_sections.is_some()
    }

    /// How the tokens of images are laid out.
    pub(super) fn image_layout(&self) -> ImageLayout {
        match &self.stack.config().gemma {
            _ if self.uses_mrope() => ImageLayout::Grid,
            None => ImageLayout::LikeText,
            Some(gemma) => match gemma.looks_ahead {
                LooksAhead::WithinImage => ImageLayout::Block,
                LooksAhead::WithinPrompt => ImageLayout::Prompt,
            },
        }
    }

    /// True if the beginning of a prompt does not depend on the rest, so that it can be read first.
    pub fn reads_in_parts(&self) -> bool {
        self.image_layout() != ImageLayout::Prompt
    }

    fn feature_rank(&self) -> usize {
        if self.uses_mrope() { 3 } else { 2 }
    }

    /// Runs the decoder over a batch; with a `cache` the batch continues the cached rows and is appended to them.
    ///
    /// A whole prompt with an empty cache is the prefill; one token per row with the filled cache is a decoding step.
    ///
    /// # Errors
    /// Fails if a row is empty or too long, contains a token outside the vocabulary, or has a different number of image
    /// tokens and image features.
    pub fn decode(&self, input: &DecoderInput, cache: Option<&mut KvCache>) -> Result<Decoded> {
        self.check(input)?;
        let layouts = input.layouts(cache.as_deref(), self.image_token, self.image_layout())?;
        let longest = layouts.iter().map(RowLayout::length).max().unwrap_or(0);
        let most = self.stack.config().longest();
        if longest > most {
            candle_core::bail!("expected a prompt of at most {most} tokens, found {longest}")
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

    /// Next-token logits `[N, vocabulary]` after each of the given tokens. The output matrix is applied to these only.
    ///
    /// # Errors
    /// Fails if `decoded` does not contain one of the tokens.
    pub fn logits(&self, decoded: &Decoded, tokens: &[TokenIndex]) -> Result<Tensor> {
        let (batch, width, hidden) = decoded.hidden.dims3()?;
        let mut slots = Vec::with_capacity(tokens.len());
        for token in tokens {
            let TokenIndex { row, index } = *token;
            match (decoded.offsets.get(row), decoded.lengths.get(row)) {
                (Some(offset), Some(length)) if index < *length => slots.push((row * width + offset + index) as u32),
                _ => candle_core::bail!("the decoded batch has no token {index} in row {row}"),
            }
        }
        let slots = Tensor::new(slots.as_slice(), &self.device)?;
        let selected = decoded.hidden.reshape((batch * width, hidden))?.index_select(&slots, 0)?;
        self.stack.logits(&selected)
    }

    /// Checks that rows, tokens and features are consistent with each other and the model.
    pub(super) fn check(&self, input: &DecoderInput) -> Result<()> {
        let vocabulary = self.stack.config().vocabulary;
        if input.rows.is_empty() {
            candle_core::bail!("the batch has no rows")
        }
        for (number, row) in input.rows.iter().enumerate() {
            if row.ids.is_empty() {
                candle_core::bail!("row {number} has no tokens")
            }
            if let Some(id) = row.ids.iter().find(|id| **id as usize >= vocabulary) {
                candle_core::bail!("row {number}: token {id} is outside the vocabulary of {vocabulary}")
            }
            let mut patches = 0;
            for features in &row.features {
                let (expected, found) = (self.stack.config().feature_width(), features.dim(D::Minus1)?);
                if found != expected || features.rank() != self.feature_rank() {
                    let shape = features.dims();
                    candle_core::bail!(
                        "row {number}: image features have shape {shape:?}, the decoder takes {expected} values per token"
                    )
                }
                patches += self.tokens_of(features);
            }
            let tokens = row.ids.iter().filter(|id| **id == self.image_token).count();
            if patches != tokens {
                candle_core::bail!("row {number}: {tokens} image tokens for {patches} image features")
            }
        }
        Ok(())
    }

    /// The inputs of [`Stack::forward`]: token embeddings, with image features in place of image tokens. If features have
    /// values for later layers, those of other tokens are 0.
    ///
    /// The features are stacked below the looked-up embeddings, and a second look-up picks from both: it copies rows of the
    /// prompt, never the embedding table.
    pub(super) fn embed(&self, input: &DecoderInput) -> Result<Tensor> {
        let width = input.width();
        let slots = input.rows.len() * width;
        let padding = self.stack.config().pad_token.unwrap_or(0);
        let mut ids = vec![padding; slots];
        let mut sources: Vec<u32> = (0..slots as u32).collect();
        let (hidden, columns) = (self.stack.config().hidden, self.stack.config().feature_width());
        let mut tables: Vec<Tensor> = Vec::new();
        let mut next_feature = slots as u32;
        for (number, row) in input.rows.iter().enumerate() {
            let start = number * width + input.offset(row);
            for (index, id) in row.ids.iter().enumerate() {
                ids[start + index] = *id;
                if *id == self.image_token {
                    // The table may have no row for it.
                    ids[start + index] = 0;
                    sources[start + index] = next_feature;
                    next_feature += 1;
                }
            }
            for features in &row.features {
                tables.push(features.reshape(((), columns))?);
            }
        }
        let embedded = self.stack.embed(&Tensor::new(ids.as_slice(), &self.device)?)?;
        if tables.is_empty() {
            return embedded.reshape((input.rows.len(), width, hidden));
        }
        tables.insert(0, embedded.pad_with_zeros(1, 0, columns - hidden)?);
        let sources = Tensor::new(sources.as_slice(), &self.device)?;
        Tensor::cat(&tables, 0)?.index_select(&sources, 0)?.reshape((input.rows.len(), width, columns))
    }
}
