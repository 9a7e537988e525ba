//! The text tower (`text_model`): a bidirectional transformer, pooled at its last position.

use super::config::TextConfig;
use crate::model::dual_encoder;
use crate::model::layers::{Encoder, LayerNorm, Linear, Mode, embedding, layer_norm, linear};
use candle_core::{Result, Tensor};
use candle_nn::{Embedding, Module, VarBuilder};

/// The text tower; weights under `text_model.`.
#[derive(Clone, Debug)]
pub(in crate::model) struct TextTower {
    token_embedding: Embedding,
    position_embedding: Embedding,
    encoder: Encoder,
    norm_after: LayerNorm,
    head: Linear,
}

impl TextTower {
    pub fn new(config: &TextConfig, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let shape = config.encoder();
        let width = shape.width;
        let deviation = (width as f64).powf(-0.5);
        let embeddings = vars.pp("embeddings");
        let table = |count: usize, name: &str| embedding(count, width, deviation, &embeddings.pp(name));
        Ok(Self {
            token_embedding: table(config.vocab_size, "token_embedding")?,
            position_embedding: table(config.max_position_embeddings, "position_embedding")?,
            encoder: Encoder::new(&shape, mode, &vars.pp("encoder"))?,
            norm_after: layer_norm(width, shape.epsilon, mode, &vars.pp("final_layer_norm"))?,
            head: linear(width, config.projection(), deviation, &vars.pp("head"))?,
        })
    }
}

impl dual_encoder::TextTower for TextTower {
    /// Padding is not masked, as in training.
    fn features(&self, ids: &Tensor) -> Result<Tensor> {
        let length = ids.dim(1)?;
        let longest = self.position_embedding.embeddings().dim(0)?;
        if length > longest {
            candle_core::bail!("expected texts of at most {longest} tokens, found {length}");
        }
        let positions = self.position_embedding.embeddings().narrow(0, 0, length)?;
        let states = self.token_embedding.forward(ids)?.broadcast_add(&positions)?;
        let last = self.encoder.forward(&states, None)?.narrow(1, length - 1, 1)?.squeeze(1)?;
        self.head.forward(&self.norm_after.forward(&last)?)
    }
}
