//! The text model: token embedding, blocks, final norm, output matrix.

use super::cache::KvCache;
use super::config::TextConfig;
use super::gemma::embedding_scale;
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
    /// Only in Gemma 2 and 3.
    norm_after_attention: Option<RmsNorm>,
    feed_forward_norm: RmsNorm,
    feed_forward: FeedForward,
    norm_after_feed_forward: Option<RmsNorm>,
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
        let norm = |name: &str| norm_of(config, config.hidden, &weights.pp(name), mode);
        let mut attention = Attention::new(shape, &weights.pp("self_attn"), mode)?;
        if let Some(gemma) = &config.gemma {
            attention = attention.with_scale(gemma.query_scalar.powf(-0.5));
            if gemma.has_head_norms {
                let norm = |name: &str| norm_of(config, config.head_size, &weights.pp("self_attn").pp(name), mode);
                attention = attention.with_head_norms(norm("q_norm")?, norm("k_norm")?);
            }
        }
        if config.query_key_norm {
            let norm = |name: &str| {
                RmsNorm::new(config.head_size, config.norm_epsilon, weights.pp(name).plain(), mode)?.in_f32()
            };
            attention = attention.with_head_norms(norm("self_attn.q_norm")?, norm("self_attn.k_norm")?);
        }
        let has_norms_after = config.gemma.as_ref().is_some_and(|gemma| gemma.has_norms_after);
        let before_feed_forward =
            if has_norms_after { "pre_feedforward_layernorm" } else { "post_attention_layernorm" };
        let norm_after = |name: &str| has_norms_after.then(|| norm(name)).transpose();
        Ok(Self {
            attention_norm: norm("input_layernorm")?,
            attention,
            norm_after_attention: norm_after("post_attention_layernorm")?,
            feed_forward_norm: norm(before_feed_forward)?,
            feed_forward: FeedForward::new(feed_forward, &weights.pp("mlp"))?,
            norm_after_feed_forward: norm_after("post_feedforward_layernorm")?,
        })
    }

    fn in_mode(&self, mode: Mode) -> Self {
        Self {
            attention_norm: self.attention_norm.in_mode(mode),
            attention: self.attention.in_mode(mode),
            norm_after_attention: self.norm_after_attention.as_ref().map(|norm| norm.in_mode(mode)),
            feed_forward_norm: self.feed_forward_norm.in_mode(mode),
            feed_forward: self.feed_forward.clone(),
            norm_after_feed_forward: self.norm_after_feed_forward.as_ref().map(|norm| norm.in_mode(mode)),
        }
    }

    fn forward(
        &self,
        input: &Tensor,
        rope: &Rope,
        mask: Option<&Tensor>,
        cache: Option<&mut Option<KeysAndValues>>,
    ) -> Result<Tensor> {
        let mut attended = self.attention.forward(&self.attention_norm.forward(input)?, rope, mask, cache)?;
        if let Some(norm) = &self.norm_after_attention {
            attended = norm.forward(&attended)?;
        }
        let input = (input + attended)?;
        let mut fed = self.feed_forward.forward(&self.feed_forward_norm.forward(&input)?)?;
        if let Some(norm) = &self.norm_after_feed_forward {
            fed = norm.forward(&fed)?;
        }
        input + fed
    }
}

/// The decoder's kind of RMSNorm.
fn norm_of(config: &TextConfig, size: usize, weights: &LayerWeights, mode: Mode) -> Result<RmsNorm> {
    match config.gemma {
        None => RmsNorm::new(size, config.norm_epsilon, weights.plain(), mode),
        Some(_) => RmsNorm::around_one(size, config.norm_epsilon, weights.plain(), weights.is_quantised(), mode),
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
        let norm = norm_of(config, config.hidden, &inner.pp("norm"), mode)?;
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
        let rows = self.embedding.rows(ids)?;
        match self.config.gemma {
            None => Ok(rows),
            // The factor is rounded to the type of the rows, as in transformers.
            Some(_) => rows * embedding_scale(self.config.hidden),
        }
    }

    /// Maps inputs of the last T slots of `rows` to hidden states `[B, T, hidden]` before the final norm. An input is
    /// `[B, T, hidden]`, or `[B, T, feature_width]` with the values that are added after each of the first layers.
    pub fn forward(&self, inputs: &Tensor, rows: &[RowLayout], cache: Option<&mut KvCache>) -> Result<Tensor> {
        let (_, added, width) = inputs.dims3()?;
        let (dtype, device) = (inputs.dtype(), inputs.device());
        let TextConfig { hidden: columns, sliding_window, .. } = self.config;
        let is_any = |windowed: bool| (0..self.blocks.len()).any(|layer| self.config.is_windowed(layer) == windowed);
        let mask_of = |window| attention_mask(rows, added, window, dtype, device);
        let windowed_mask = if is_any(true) { mask_of(sliding_window)? } else { None };
        let full_mask = if is_any(false) { mask_of(None)? } else { None };
        let positions = rope_positions(rows, added);
        let lengths: Vec<usize> = rows.iter().map(RowLayout::next_position).collect();
        let frequencies = self.config.frequencies_of(&lengths);
        let axes = self.config.rope_axes();
        let rope = Rope::of_positions(&positions, &frequencies, &axes, dtype, device)?;
        let local_rope = match self.config.local_frequencies() {
            None => None,
            Some(frequencies) => Some(Rope::of_positions(&positions, &[frequencies], &axes, dtype, device)?),
        };
        let mut hidden = if width == columns { inputs.clone() } else { inputs.narrow(2, 0, columns)?.contiguous()? };
        let mut layers = cache.map(|cache| {
            cache.layers.resize(self.blocks.len(), None);
            cache.layers.iter_mut()
        });
        for (number, block) in self.blocks.iter().enumerate() {
            let layer = layers.as_mut().and_then(Iterator::next);
            let (mask, rope) = match &local_rope {
                Some(local) if self.config.is_windowed(number) => (windowed_mask.as_ref(), local),
                None if self.config.is_windowed(number) => (windowed_mask.as_ref(), &rope),
                _ => (full_mask.as_ref(), &rope),
            };
            hidden = block.forward(&hidden, rope, mask, layer)?;
            let start = (number + 1) * columns;
            if start < width {
                hidden = (hidden + inputs.narrow(2, start, columns)?)?;
            }
        }
        Ok(hidden)
    }

    /// Maps hidden states `[N, hidden]` before the final norm to logits `[N, vocabulary]`.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        Linear::new(self.output.clone(), None).forward(&self.norm.forward(hidden)?)
    }
}
