//! The shape of a decoder.

use super::rope_scaling::frequencies;
use super::rope_scaling::{Frequencies, RopeScaling};
use crate::model::layers::Activation;

/// A decoder with apply_rope queries and keys, gated feed-forward blocks and root-mean-square norms.
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
    /// Longest sequence in tokens.
    pub positions: usize,
    pub norm_epsilon: f64,
    pub rope_theta: f64,
    /// Changes the rotation of models for longer texts.
    pub rope_scaling: Option<RopeScaling>,
    /// Pairs of a head that turn by time, by row and by column of an image (Qwen2-VL's M-RoPE); all by the token's place
    /// if absent.
    pub rotary_sections: Option<[usize; 3]>,
    /// Queries, keys and values have a bias.
    pub attention_bias: bool,
    /// A token sees this many tokens, itself among them; all earlier ones if absent.
    pub sliding_window: Option<usize>,
    /// The first layer that the window holds for.
    pub first_windowed_layer: usize,
    pub beginning_token: Option<u32>,
    pub end_token: Option<u32>,
    pub padding_token: Option<u32>,
}

/// More of anything than a model has: the sizes of a hostile configuration are refused before memory is asked for.
const MOST: usize = 1 << 24;
/// More blocks than a model has.
const MOST_LAYERS: usize = 1 << 10;

impl TextConfig {
    /// Refuses sizes that make no decoder; `place` begins the message.
    ///
    /// # Errors
    /// A field out of range, with its name in the file.
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
        if let Some(scaling) = &self.rope_scaling {
            scaling.check(self.head_size, place)?;
        }
        if let Some(sections) = self.rotary_sections
            && sections.iter().try_fold(0_usize, |sum, section| sum.checked_add(*section)) != Some(self.head_size / 2)
        {
            let pairs = self.head_size / 2;
            return Err(format!(
                "{place}mrope_section: expected three numbers with the sum {pairs}, found {sections:?}"
            ));
        }
        Ok(())
    }

    /// Tokens of the longest prompt.
    pub fn longest(&self) -> usize {
        self.rope_scaling.as_ref().map_or(self.positions, |scaling| scaling.longest(self.positions))
    }

    /// The rotation of a text of `length` tokens.
    pub(super) fn frequencies(&self, length: usize) -> Frequencies {
        match &self.rope_scaling {
            None => Frequencies { inv_freq: frequencies(self.head_size, self.rope_theta), scale: 1.0 },
            Some(scaling) => scaling.frequencies(self.head_size, self.rope_theta, self.positions, length),
        }
    }

    /// What the scaling divides the turn of each pair of a head by, in a text of `length` tokens.
    pub(in crate::model) fn slowed_by(&self, length: usize) -> Vec<f64> {
        let plain = frequencies(self.head_size, self.rope_theta);
        let scaled = self.frequencies(length).inv_freq;
        plain.iter().zip(scaled).map(|(plain, scaled)| f64::from(*plain) / f64::from(scaled)).collect()
    }

    /// The rotation of each text of these lengths; one for all where it is the same.
    pub(super) fn frequencies_of(&self, lengths: &[usize]) -> Vec<Frequencies> {
        let first = lengths.first().copied().unwrap_or(0);
        if !self.rope_scaling.as_ref().is_some_and(RopeScaling::depends_on_length) {
            return vec![self.frequencies(first)];
        }
        let each: Vec<Frequencies> = lengths.iter().map(|length| self.frequencies(*length)).collect();
        if each.windows(2).all(|pair| pair[0] == pair[1]) { vec![self.frequencies(first)] } else { each }
    }
}

/// An error unless `part` divides `whole`.
pub(in crate::model) fn divides(part_name: &str, part: usize, whole_name: &str, whole: usize) -> Result<(), String> {
    if whole == 0 || !whole.is_multiple_of(part) {
        return Err(format!("{part_name} ({part}) must divide {whole_name} ({whole})"));
    }
    Ok(())
}

/// An error unless `size` is from 1 to `most`.
pub(in crate::model) fn in_range(name: &str, size: usize, most: usize) -> Result<(), String> {
    if size == 0 || size > most {
        return Err(format!("{name}: expected 1 to {most}, found {size}"));
    }
    Ok(())
}

/// An error unless `layers` is a number of blocks that a tower has.
pub(in crate::model) fn layers_in_range(name: &str, layers: usize) -> Result<(), String> {
    in_range(name, layers, MOST_LAYERS)
}
