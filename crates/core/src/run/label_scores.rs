//! A reader's log-probability of each label.

use crate::data::LabelIndex;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Stored log-probability of a masked label in place of minus infinity, because run files hold finite numbers only. Its
/// probability is 0 either way.
pub const MASKED_LOG_PROBABILITY: f32 = -10_000.0;

/// Log-probability log p(label | prompt) of each label in the task's order, summed over the label's tokens, not
/// normalised over the label set.
///
/// Some servers return only the likeliest tokens. A label that is not among them has an *upper bound* instead of a
/// value. Files write a bound as an object, so that nobody takes it for a value: `[-0.12, {"at_most": -6.9}]`.
///
/// ```
/// use dissent_core::run::LabelScores;
///
/// // The labels Yes and No; other texts have half of the probability.
/// let scores = LabelScores::exact(vec![0.4_f32.ln(), 0.1_f32.ln()]);
/// assert_eq!(scores.arg_max(), 0);
/// assert!((scores.probabilities()[0] - 0.8).abs() < 1e-6);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LabelScores {
    log_probabilities: Vec<f32>,
    /// Positions of the labels whose log-probability is an upper bound.
    bounds: Vec<LabelIndex>,
}

impl LabelScores {
    /// The exact log-probabilities of all labels.
    pub fn exact(log_probabilities: Vec<f32>) -> Self {
        Self { log_probabilities, bounds: Vec::new() }
    }

    /// The log-probabilities of all labels; those at the positions `bounds` are upper bounds.
    pub fn bounded(log_probabilities: Vec<f32>, bounds: Vec<LabelIndex>) -> Self {
        Self { log_probabilities, bounds }
    }

    /// One log-probability per label in the task's order; some may be upper bounds ([`Self::is_bound`]).
    pub fn log_probabilities(&self) -> &[f32] {
        &self.log_probabilities
    }

    /// Is the log-probability of this label an upper bound?
    pub fn is_bound(&self, label: LabelIndex) -> bool {
        self.bounds.contains(&label)
    }

    /// Is any log-probability an upper bound? The probabilities of the other labels are then lower bounds.
    pub fn has_bounds(&self) -> bool {
        !self.bounds.is_empty()
    }

    /// Position of the largest log-probability; on a tie a value wins over a bound, then the lower position wins.
    pub fn arg_max(&self) -> LabelIndex {
        let mut best = 0;
        for (index, value) in self.log_probabilities.iter().enumerate() {
            let largest = self.log_probabilities[best];
            let wins_tie = *value == largest && self.is_bound(best) && !self.is_bound(index);
            if *value > largest || wins_tie {
                best = index;
            }
        }
        best
    }

    /// Probabilities over the label set (softmax of the log-probabilities), summing to 1.
    pub fn probabilities(&self) -> Vec<f32> {
        let values = &self.log_probabilities;
        let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exponentials: Vec<f32> = values.iter().map(|value| (value - largest).exp()).collect();
        let sum: f32 = exponentials.iter().sum();
        exponentials.iter().map(|value| value / sum).collect()
    }
}

impl Serialize for LabelScores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = serializer.serialize_seq(Some(self.log_probabilities.len()))?;
        for (label, value) in self.log_probabilities.iter().enumerate() {
            if self.is_bound(label) {
                entries.serialize_element(&AtMost { at_most: *value })?;
            } else {
                entries.serialize_element(value)?;
            }
        }
        entries.end()
    }
}

#[derive(Serialize)]
struct AtMost {
    at_most: f32,
}

impl<'de> Deserialize<'de> for LabelScores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = LabelScores;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of log-probabilities")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut scores = LabelScores::exact(Vec::new());
        while let Some(Entry { value, is_bound }) = entries.next_element()? {
            if is_bound {
                scores.bounds.push(scores.log_probabilities.len());
            }
            scores.log_probabilities.push(value);
        }
        Ok(scores)
    }
}

struct Entry {
    value: f32,
    is_bound: bool,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a log-probability, or {\"at_most\": …} where only a bound is known")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Entry, E> {
        Ok(Entry { value: value as f32, is_bound: false })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Entry, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Entry, E> {
        self.visit_f64(value as f64)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Entry, A::Error> {
        let mut value = None;
        while let Some(field) = fields.next_key::<String>()? {
            if field != "at_most" {
                return Err(Error::unknown_field(&field, &["at_most"]));
            }
            value = Some(fields.next_value()?);
        }
        let value = value.ok_or_else(|| Error::missing_field("at_most"))?;
        Ok(Entry { value, is_bound: true })
    }
}

#[cfg(test)]
mod tests {
    use crate::run::label_scores::*;

    #[test]
    fn a_bound_is_told_from_a_value_in_files() {
        let exact = LabelScores::exact(vec![-0.5, -3.0]);
        assert_eq!(serde_json::to_string(&exact).unwrap(), "[-0.5,-3.0]");
        let bounded = LabelScores::bounded(vec![-0.5, -7.25], vec![1]);
        let text = serde_json::to_string(&bounded).unwrap();
        assert_eq!(text, r#"[-0.5,{"at_most":-7.25}]"#);
        assert_eq!(serde_json::from_str::<LabelScores>(&text).unwrap(), bounded);
        assert_eq!(serde_json::from_str::<LabelScores>("[-1, 0, -0.5]").unwrap().log_probabilities, [-1.0, 0.0, -0.5]);
        for wrong in [r#"[{"at_least":-7.25}]"#, "[{}]", "[\"-1\"]", "[null]"] {
            assert!(serde_json::from_str::<LabelScores>(wrong).is_err(), "{wrong}");
        }
    }
}
