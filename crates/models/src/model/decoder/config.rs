//! The configuration of a decoder.

use super::gemma::GemmaOptions;
use super::rope_scaling::{Frequencies, RopeScaling, frequencies};
use crate::model::layers::Activation;

/// Configuration of a Llama-like decoder: RoPE, gated MLPs and RMSNorm. Fields correspond to `text_config` in transformers.
#[derive(Clone, Debug, PartialEq)]
pub struct TextConfig {
    pub vocabulary: usize,
    pub hidden: usize,
    pub intermediate: usize,
    pub layers: usize,
    pub heads: usize,
    pub key_value_heads: usize,
    pub head_size: usize,
    pub activation: Activation,
    /// What Gemma does otherwise; `None` for decoders like Llama's.
    pub gemma: Option<GemmaOptions>,
    /// `max_position_embeddings`: the longest sequence in tokens.
    pub positions: usize,
    pub norm_epsilon: f64,
    pub rope_theta: f64,
    /// The change of RoPE for sequences longer than in pretraining.
    pub rope_scaling: Option<RopeScaling>,
    /// M-RoPE (Qwen2-VL): numbers of RoPE pairs that encode the temporal, row and column position of an image token.
    /// `None` for RoPE over the sequence position.
    pub mrope_sections: Option<[usize; 3]>,
    /// True if the pairs of M-RoPE take turns (Qwen3-VL); false if those of one axis are neighbours.
    pub mrope_interleaved: bool,
    /// True if the query, key and value projections have a bias.
    pub attention_bias: bool,
    /// True if an RMSNorm is applied to each head of queries and keys (Qwen3).
    pub query_key_norm: bool,
    /// Number of first layers after which further image features are added (DeepStack, Meng et al. 2024).
    pub deepstack_layers: usize,
    /// Number of tokens that a token attends to, including itself; `None` for full causal attention.
    pub sliding_window: Option<usize>,
    /// The first layer that uses the sliding window (`max_window_layers`).
    pub first_windowed_layer: usize,
    pub bos_token: Option<u32>,
    pub eos_token: Option<u32>,
    pub pad_token: Option<u32>,
}

/// Upper bound of every size: a hostile configuration is refused before memory is allocated.
const MOST: usize = 1 << 24;
/// Upper bound of the number of blocks.
const MOST_LAYERS: usize = 1 << 10;

impl TextConfig {
    /// A decoder like Llama's without any of the options and special tokens. Its sizes are 0, which [`Self::check`] refuses
    /// unless the family sets them.
    pub(in crate::model) fn without_options() -> Self {
        Self {
            vocabulary: 0,
            hidden: 0,
            intermediate: 0,
            layers: 0,
            heads: 0,
            key_value_heads: 0,
            head_size: 0,
            activation: Activation::Silu,
            gemma: None,
            positions: 0,
            norm_epsilon: 0.0,
            rope_theta: 0.0,
            rope_scaling: None,
            mrope_sections: None,
            mrope_interleaved: false,
            attention_bias: false,
            query_key_norm: false,
            deepstack_layers: 0,
            sliding_window: None,
            first_windowed_layer: 0,
            bos_token: None,
            eos_token: None,
            pad_token: None,
        }
    }

    /// Checks that all sizes are in range and consistent. `place` is prepended to field names in messages.
    ///
    /// # Errors
    /// Fails at the first invalid field and names it.
    pub fn check(&self, place: &str) -> Result<(), String> {
        let heads = self.key_value_heads;
        divides(&format!("{place}num_key_value_heads"), heads, "num_attention_heads", self.heads)?;
        if self.head_size == 0 || !self.head_size.is_multiple_of(2) {
            return Err(format!("{place}expected an even head size, found {}", self.head_size));
        }
        for (name, size) in [
            ("vocab_size", self.vocabulary),
            ("hidden_size", self.hidden),
            ("intermediate_size", self.intermediate),
            ("head_dim", self.head_size),
            ("num_attention_heads", self.heads),
        ] {
            in_range(&format!("{place}{name}"), size, MOST)?;
        }
        in_range(&format!("{place}num_hidden_layers"), self.layers, MOST_LAYERS)?;
        if self.deepstack_layers > self.layers {
            let (found, layers) = (self.deepstack_layers, self.layers);
            return Err(format!("expected deepstack features for at most {layers} decoder layers, found {found}"));
        }
        if let Some(scaling) = &self.rope_scaling {
            scaling.check(self.head_size, place)?;
        }
        if let Some(gemma) = &self.gemma {
            gemma.check(self.layers, place)?;
        }
        if let Some(sections) = self.mrope_sections
            && sections.iter().try_fold(0_usize, |sum, section| sum.checked_add(*section)) != Some(self.head_size / 2)
        {
            let pairs = self.head_size / 2;
            return Err(format!(
                "{place}mrope_section: expected three numbers with the sum {pairs}, found {sections:?}"
            ));
        }
        Ok(())
    }

    /// The longest supported sequence in tokens, with RoPE scaling taken into account.
    pub fn longest(&self) -> usize {
        self.rope_scaling.as_ref().map_or(self.positions, |scaling| scaling.longest(self.positions))
    }

    /// True if the layer with this number attends through the sliding window.
    pub(super) fn is_windowed(&self, layer: usize) -> bool {
        match &self.gemma {
            _ if self.sliding_window.is_none() => false,
            Some(gemma) => !gemma.attends_to_all.get(layer).copied().unwrap_or(false),
            None => layer >= self.first_windowed_layer,
        }
    }

    /// RoPE frequencies of windowed layers, if these have a base of their own.
    pub(super) fn local_frequencies(&self) -> Option<Frequencies> {
        let theta = self.gemma.as_ref()?.local_rope_theta?;
        Some(Frequencies { inv_freq: frequencies(self.head_size, theta), scale: 1.0 })
    }

    /// Number of values of one image feature: the input embedding and what is added after each of the first layers.
    pub(in crate::model) fn feature_width(&self) -> usize {
        self.hidden * (1 + self.deepstack_layers)
    }

    /// For each RoPE pair, which of a token's three positions it encodes.
    pub(super) fn rope_axes(&self) -> Vec<usize> {
        let axis_of = |pair: usize| match self.mrope_sections {
            None => 0,
            Some([_, row, column]) if self.mrope_interleaved => match pair % 3 {
                1 if pair < 3 * row => 1,
                2 if pair < 3 * column => 2,
                _ => 0,
            },
            Some([time, row, _]) => usize::from(pair >= time) + usize::from(pair >= time + row),
        };
        (0..self.head_size / 2).map(axis_of).collect()
    }

    /// RoPE frequencies for a sequence of `length` tokens.
    pub(super) fn frequencies(&self, length: usize) -> Frequencies {
        match &self.rope_scaling {
            None => Frequencies { inv_freq: frequencies(self.head_size, self.rope_theta), scale: 1.0 },
            Some(scaling) => scaling.frequencies(self.head_size, self.rope_theta, self.positions, length),
        }
    }

    /// For each RoPE pair, the factor by which scaling divides its frequency in a sequence of `length` tokens.
    pub(in crate::model) fn rope_divisors(&self, length: usize) -> Vec<f64> {
        let plain = frequencies(self.head_size, self.rope_theta);
        let scaled = self.frequencies(length).inv_freq;
        plain.iter().zip(scaled).map(|(plain, scaled)| f64::from(*plain) / f64::from(scaled)).collect()
    }

    /// RoPE frequencies for sequences of these lengths; a single entry if they are the same for all.
    pub(super) fn frequencies_of(&self, lengths: &[usize]) -> Vec<Frequencies> {
        let first = lengths.first().copied().unwrap_or(0);
        if !self.rope_scaling.as_ref().is_some_and(RopeScaling::depends_on_length) {
            return vec![self.frequencies(first)];
        }
        let each: Vec<Frequencies> = lengths.iter().map(|length| self.frequencies(*length)).collect();
        if each.windows(2).all(|pair| pair[0] == pair[1]) { vec![self.frequencies(first)] } else { each }
    }
}

/// Fails unless `part` divides `whole`.
pub(in crate::model) fn divides(part_name: &str, part: usize, whole_name: &str, whole: usize) -> Result<(), String> {
    if whole == 0 || !whole.is_multiple_of(part) {
        return Err(format!("{part_name} ({part}) must divide {whole_name} ({whole})"));
    }
    Ok(())
}

/// Fails unless `size` is in 1…`most`.
pub(in crate::model) fn in_range(name: &str, size: usize, most: usize) -> Result<(), String> {
    if size == 0 || size > most {
        return Err(format!("{name}: expected 1 to {most}, found {size}"));
    }
    Ok(())
}

/// Fails unless `layers` is a plausible number of transformer blocks.
pub(in crate::model) fn layers_in_range(name: &str, layers: usize) -> Result<(), String> {
    in_range(name, layers, MOST_LAYERS)
}
