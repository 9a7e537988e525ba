//! The Mistral decoder: token embedding, blocks, final norm, output matrix.

use super::cache::KvCache;
use super::config::{PixtralConfig, TextConfig};
use super::layers::{Attention, AttentionShape, FeedForward, FeedForwardShape, KeysAndValues, RmsNorm, spread};
use super::layout::{RowLayout, attention_mask, rotation_positions};
use super::rotary::Rotation;
use crate::model::layers::Mode;
use candle_core::{Result, Tensor};
use candle_nn::{Init, VarBuilder};

/// One block of the decoder.
#[derive(Clone, Debug)]
struct Block {
    attention_norm: RmsNorm,
    attention: Attention,
    feed_forward_norm: RmsNorm,
    feed_forward: FeedForward,
}

impl Block {
    fn new(config: &TextConfig, weights: &VarBuilder, mode: Mode) -> Result<Self> {
        let shape = AttentionShape {
            hidden: config.hidden,
            heads: config.heads,
            key_value_heads: config.key_value_heads,
            head_size: config.head_size,
            blocks: config.layers,
        };
        let feed_forward = FeedForwardShape {
            hidden: config.hidden,
            intermediate: config.intermediate,
            activation: config.activation,
            blocks: config.layers,
        };
        let norm = |name: &str| RmsNorm::new(config.hidden, config.norm_epsilon, &weights.pp(name), mode);
        Ok(Self {
            attention_norm: norm("input_layernorm")?,
            attention: Attention::new(shape, &weights.pp("self_attn"), mode)?,
            feed_forward_norm: norm("post_attention_layernorm")?,
            feed_forward: FeedForward::new(feed_forward, &weights.pp("mlp"))?,
        })
    }

    fn forward(
        &self,
        input: &Tensor,
        rotation: &Rotation,
        mask: Option<&Tensor>,
        cache: Option<&mut Option<KeysAndValues>>,
    ) -> Result<Tensor> {
        let attended = self.attention.forward(&self.attention_norm.forward(input)?, rotation, mask, cache)?;
        let input = (input + attended)?;
        let fed = self.feed_forward.forward(&self.feed_forward_norm.forward(&input)?)?;
        input + fed
    }
}

/// Weights under `language_model.`.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    embedding: Tensor,
    blocks: Vec<Block>,
    norm: RmsNorm,
    /// `[vocabulary, hidden]`.
    output: Tensor,
    config: TextConfig,
}

impl Decoder {
    pub fn new(config: &PixtralConfig, weights: &VarBuilder, mode: Mode) -> Result<Self> {
        let text = &config.text;
        let inner = weights.pp("model");
        let start = Init::Randn { mean: 0.0, stdev: spread(text.hidden) };
        let embedding = inner.get_with_hints((text.vocabulary, text.hidden), "embed_tokens.weight", start)?;
        let output = if config.tied_embeddings {
            embedding.clone()
        } else {
            weights.get_with_hints((text.vocabulary, text.hidden), "lm_head.weight", start)?
        };
        let mut blocks = Vec::with_capacity(text.layers);
        for layer in 0..text.layers {
            blocks.push(Block::new(text, &inner.pp(format!("layers.{layer}")), mode)?);
        }
        let norm = RmsNorm::new(text.hidden, text.norm_epsilon, &inner.pp("norm"), mode)?;
        Ok(Self { embedding, blocks, norm, output, config: text.clone() })
    }

    /// `[N]` token ids to `[N, hidden]`.
    pub fn embed(&self, ids: &Tensor) -> Result<Tensor> {
        self.embedding.index_select(ids, 0)
    }

    /// `[B, T, hidden]` embeddings, the last T slots of `rows`, to `[B, T, hidden]` before the final norm.
    pub fn forward(&self, embeddings: &Tensor, rows: &[RowLayout], cache: Option<&mut KvCache>) -> Result<Tensor> {
        let (_, added, _) = embeddings.dims3()?;
        let (dtype, device) = (embeddings.dtype(), embeddings.device());
        let mask = attention_mask(rows, added, self.config.sliding_window, dtype, device)?;
        let positions = rotation_positions(rows, added);
        let TextConfig { head_size, rope_theta, .. } = self.config;
        let rotation = Rotation::of_positions(&positions, head_size, rope_theta, dtype, device)?;
        let mut hidden = embeddings.clone();
        let Some(cache) = cache else {
            for block in &self.blocks {
                hidden = block.forward(&hidden, &rotation, mask.as_ref(), None)?;
            }
            return Ok(hidden);
        };
        cache.layers.resize(self.blocks.len(), None);
        for (block, layer) in self.blocks.iter().zip(&mut cache.layers) {
            hidden = block.forward(&hidden, &rotation, mask.as_ref(), Some(layer))?;
        }
        Ok(hidden)
    }

    /// `[N, hidden]` before the final norm to `[N, vocabulary]`.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        self.norm.forward(hidden)?.matmul(&self.output.t()?)
    }
}
