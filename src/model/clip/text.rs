//! The text tower (`text_model`): causal transformer, pooled at the end-of-text token.

use super::config::TextConfig;
use crate::model::layers::{Encoder, LayerNorm, Mode, embedding, layer_norm};
use candle_core::{DType, Result, Tensor};
use candle_nn::{Embedding, Module, VarBuilder};
use candle_transformers::utils::build_additive_causal_mask;

/// The value of `eos_token_id` in configurations that were written wrong and are read by the legacy rule
/// (huggingface/transformers#24773).
pub(super) const LEGACY_EOS: u32 = 2;

/// `text_model`.
#[derive(Clone, Debug)]
pub(super) struct TextTower {
    token_embedding: Embedding,
    position_embedding: Embedding,
    encoder: Encoder,
    norm_after: LayerNorm,
    eos_token_id: u32,
}

impl TextTower {
    pub fn new(config: &TextConfig, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (width, factor) = (config.hidden_size, config.initializer_factor);
        let embeddings = vars.pp("embeddings");
        let table = |count: usize, name: &str| embedding(count, width, 0.02 * factor, &embeddings.pp(name));
        Ok(Self {
            token_embedding: table(config.vocab_size, "token_embedding")?,
            position_embedding: table(config.max_position_embeddings, "position_embedding")?,
            encoder: Encoder::new(&config.encoder(), mode, &vars.pp("encoder"))?,
            norm_after: layer_norm(width, config.layer_norm_eps, mode, &vars.pp("final_layer_norm"))?,
            eos_token_id: config.eos_token_id,
        })
    }

    /// The text's vector [B, width] from `ids` [B, T] (u32), padded on the right.
    ///
    /// No padding mask is needed: a position sees only what came before, and the text is read at its first end mark.
    pub fn pooled(&self, ids: &Tensor) -> Result<Tensor> {
        let (batch, length) = ids.dims2()?;
        let longest = self.position_embedding.embeddings().dim(0)?;
        if length > longest {
            candle_core::bail!("a text has {length} tokens, the text tower takes {longest}");
        }
        let positions = self.position_embedding.embeddings().narrow(0, 0, length)?;
        let states = self.token_embedding.forward(ids)?.broadcast_add(&positions)?;
        let mask = build_additive_causal_mask(length, 0, None, ids.device(), DType::F32)?;
        let hidden = self.encoder.forward(&states, Some(&mask))?;
        let ends = Tensor::new(self.ends(ids)?, ids.device())?;
        let pooled = hidden.reshape((batch * length, ()))?.index_select(&ends, 0)?;
        self.norm_after.forward(&pooled)
    }

    /// Where each row's text ends, as row numbers of the flattened [B · T] states.
    fn ends(&self, ids: &Tensor) -> Result<Vec<u32>> {
        let rows = ids.to_vec2::<u32>()?;
        let mut ends = Vec::with_capacity(rows.len());
        let mut start = 0;
        for (number, row) in rows.iter().enumerate() {
            let mark = if self.eos_token_id == LEGACY_EOS { row.iter().max() } else { Some(&self.eos_token_id) };
            let Some(end) = row.iter().position(|id| Some(id) == mark) else {
                candle_core::bail!("text {number} has no end-of-text token {}", self.eos_token_id);
            };
            ends.push((start + end) as u32);
            start += row.len();
        }
        Ok(ends)
    }
}
