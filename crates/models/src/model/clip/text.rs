//! The text tower (`text_model`): causal transformer, pooled at the end-of-text token.

use super::config::TextConfig;
use crate::model::layers::{Encoder, LayerNorm, Mode, embedding, layer_norm};
use candle_core::{DType, Result, Tensor};
use candle_nn::{Embedding, Module, VarBuilder};
use candle_transformers::utils::build_additive_causal_mask;

/// The wrong `eos_token_id` of old configurations, for which transformers uses legacy pooling
/// (huggingface/transformers#24773).
pub(super) const LEGACY_EOS: u32 = 2;

/// The text tower without projection; weights under `text_model.`.
#[derive(Clone, Debug)]
pub(super) struct TextTower {
    token_embedding: Embedding,
    position_embedding: Embedding,
    encoder: Encoder,
    norm_after: LayerNorm,
    eos_token_id: u32,
    is_bidirectional: bool,
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
            is_bidirectional: config.is_bidirectional,
        })
    }

    /// The pooled output [B, width] of token ids [B, T] (u32) with right padding.
    ///
    /// No padding mask is needed: if attention is causal, since the text is pooled at its first end token, before all
    /// padding; otherwise since padding is attended to as in training.
    pub fn pooled(&self, ids: &Tensor) -> Result<Tensor> {
        let (batch, length) = ids.dims2()?;
        let longest = self.position_embedding.embeddings().dim(0)?;
        if length > longest {
            candle_core::bail!("expected texts of at most {longest} tokens, found {length}");
        }
        let positions = self.position_embedding.embeddings().narrow(0, 0, length)?;
        let states = self.token_embedding.forward(ids)?.broadcast_add(&positions)?;
        let causal = || build_additive_causal_mask(length, 0, None, ids.device(), DType::F32);
        let mask = (!self.is_bidirectional).then(causal).transpose()?;
        let hidden = self.encoder.forward(&states, mask.as_ref())?;
        let end_indices = Tensor::new(self.end_indices(ids)?, ids.device())?;
        let pooled = hidden.reshape((batch * length, ()))?.index_select(&end_indices, 0)?;
        self.norm_after.forward(&pooled)
    }

    /// Indices of the end tokens in the flattened states [B · T].
    fn end_indices(&self, ids: &Tensor) -> Result<Vec<u32>> {
        let rows = ids.to_vec2::<u32>()?;
        let mut end_indices = Vec::with_capacity(rows.len());
        let mut start = 0;
        for (number, row) in rows.iter().enumerate() {
            let mark = if self.eos_token_id == LEGACY_EOS { row.iter().max() } else { Some(&self.eos_token_id) };
            let Some(end) = row.iter().position(|id| Some(id) == mark) else {
                candle_core::bail!("text {number} has no end-of-text token {}", self.eos_token_id);
            };
            end_indices.push((start + end) as u32);
            start += row.len();
        }
        Ok(end_indices)
    }
}
