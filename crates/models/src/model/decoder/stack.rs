//! The text model: token embedding, blocks, final norm, output matrix.

use super::cache::KvCache;
use super::config::TextConfig;
use super::layers::{Attention, AttentionShape, FeedForward, FeedForwardShape, KeysAndValues, RmsNorm, init_std};
use super::layout::{RowLayout, attention_mask, rope_positions};
use super::rotary::Rope;
use super::weights::LayerWeights;
use crate::model::layers::{Linear, Matrix, Mode};
use candle_core::{Module, Result, Tensor};
use candle_nn::Init;

/// One pre-norm transformer block.
#[derive(Clone, Debug)]
struct Block {
    attention_norm: RmsNorm,
    attention: Attention,
    feed_forward_norm: RmsNorm,
    feed_forward: FeedForward,
}

impl Block {
    fn new(config: &TextConfig, weights: &LayerWeights, mode: Mode) -> Result<Self> {
        let shape = AttentionShape {
            hidden: config.hidden,
            heads: config.heads,
            key_value_heads: config.key_value_heads,
            head_size: config.head_size,
            bias: config.attention_bias,
            blocks: config.layers,
        };
        let feed_forward = FeedForwardShape {
            hidden: config.hidden,
            intermediate: config.intermediate,
            activation: config.activation,
            bias: false,
            blocks: config.layers,
        };
        let norm = |name: &str| RmsNorm::new(config.hidden, config.norm_epsilon, weights.pp(name).plain(), mode);
        Ok(Self {
            attention_norm: norm("input_layernorm")?,
            attention: Attention::new(shape, &weights.pp("self_attn"), mode)?,
            feed_forward_norm: norm("post_attention_layernorm")?,
            feed_forward: FeedForward::new(feed_forward, &weights.pp("mlp"))?,
        })
    }

    fn in_mode(&self, mode: Mode) -> Self {
        Self {
            attention_norm: self.attention_norm.in_mode(mode),
            attention: self.attention.in_mode(mode),
            feed_forward_norm: self.feed_forward_norm.in_mode(mode),
            feed_forward: self.feed_forward.clone(),
        }
    }

    fn forward(
        &self,
        input: &Tensor,
        rope: &Rope,
        mask: Option<&Tensor>,
        cache: Option<&mut Option<KeysAndValues>>,
    ) -> Result<Tensor> {
        let attended = self.attention.forward(&self.attention_norm.forward(input)?, rope, mask, cache)?;
        let input = (input + attended)?;
        let fed = self.feed_forward.forward(&self.feed_forward_norm.forward(&input)?)?;
        input + fed
    }
}

/// The blocks with the embedding before and the output matrix after them.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    embedding: Matrix,
    blocks: Vec<Block>,
    norm: RmsNorm,
    /// `[vocabulary, hidden]`.
    output: Matrix,
    config: TextConfig,
}

impl Stack {
    /// `inner` holds `embed_tokens`, `layers` and `norm`; `outer` holds `lm_head`, unless the output matrix is the
    /// embedding (`tied`).
    pub fn new(
        config: &TextConfig,
        tied: bool,
        inner: &LayerWeights,
        outer: &LayerWeights,
        mode: Mode,
    ) -> Result<Self> {
        let start = Init::Randn { mean: 0.0, stdev: init_std(config.hidden) };
        let embedding = inner.matrix((config.vocabulary, config.hidden), "embed_tokens.weight", start)?;
        // A quantised file may store tied weights twice, with more bits for the output.
        let output = if tied && !outer.has_stored("lm_head.weight") {
            embedding.clone()
        } else {
            outer.matrix((config.vocabulary, config.hidden), "lm_head.weight", start)?
        };
        let mut blocks = Vec::with_capacity(config.layers);
        for layer in 0..config.layers {
            blocks.push(Block::new(config, &inner.pp(format!("layers.{layer}")), mode)?);
        }
        let norm = RmsNorm::new(config.hidden, config.norm_epsilon, inner.pp("norm").plain(), mode)?;
        Ok(Self { embedding, blocks, norm, output, config: config.clone() })
    }

    /// The same weights in another mode; they are shared, not copied.
    pub fn in_mode(&self, mode: Mode) -> Self {
        let blocks = self.blocks.iter().map(|block| block.in_mode(mode)).collect();
        Self { blocks, norm: self.norm.in_mode(mode), ..self.clone() }
    }

    /// Whether the weights come from a quantised file.
    pub fn is_quantised(&self) -> bool {
        matches!(self.embedding, Matrix::Quantised(_)) || matches!(self.output, Matrix::Quantised(_))
    }

    /// The configuration.
    pub fn config(&self) -> &TextConfig {
        &self.config
    }

    /// Looks up embeddings: token ids `[N]` to `[N, hidden]`.
    pub fn embed(&self, ids: &Tensor) -> Result<Tensor> {
        self.embedding.rows(ids)
    }

    /// Maps embeddings `[B, T, hidden]` of the last T slots of `rows` to hidden states `[B, T, hidden]` before the final norm.
    pub fn forward(&self, embeddings: &Tensor, rows: &[RowLayout], cache: Option<&mut KvCache>) -> Result<Tensor> {
        let (_, added, _) = embeddings.dims3()?;
        let (dtype, device) = (embeddings.dtype(), embeddings.device());
        let TextConfig { mrope_sections, sliding_window, first_windowed_layer, .. } = self.config;
        let windowed_mask = attention_mask(rows, added, sliding_window, dtype, device)?;
        let full_mask = if sliding_window.is_some() && first_windowed_layer > 0 {
            attention_mask(rows, added, None, dtype, device)?
        } else {
            None
        };
        let positions = rope_positions(rows, added);
        let lengths: Vec<usize> = rows.iter().map(RowLayout::next_position).collect();
        let frequencies = self.config.frequencies_of(&lengths);
        let rope = Rope::of_positions(&positions, &frequencies, mrope_sections, dtype, device)?;
        let mut hidden = embeddings.clone();
        let mut layers = cache.map(|cache| {
            cache.layers.resize(self.blocks.len(), None);
            cache.layers.iter_mut()
        });
        for (number, block) in self.blocks.iter().enumerate() {
            let sees_all = sliding_window.is_some() && number < first_windowed_layer;
            let mask = if sees_all { full_mask.as_ref() } else { windowed_mask.as_ref() };
            let layer = layers.as_mut().and_then(Iterator::next);
            hidden = block.forward(&hidden, &rope, mask, layer)?;
        }
        Ok(hidden)
    }

    /// Maps hidden states `[N, hidden]` before the final norm to logits `[N, vocabulary]`.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        Linear::new(self.output.clone(), None).forward(&self.norm.forward(hidden)?)
    }
}
