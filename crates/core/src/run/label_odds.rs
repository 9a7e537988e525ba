//! A reader's log-odds of yes against no for each label of a task with several labels at once.

use super::LabelScores;
use crate::data::{LabelIndex, LabelSet};
use anyhow::{Result, bail};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// log p(yes | prompt) − log p(no | prompt) of each label in the task's order.
///
/// Where a server names only one of the two answers, the log-odds are a bound. Files write it as an object:
/// `[2.1, {"at_most": -4.5}]`.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelOdds {
    values: Vec<f32>,
    /// Positions of the labels whose log-odds are a bound: of values below 0 an upper one, of others a lower one.
    bounds: Vec<LabelIndex>,
    thresholds: Thresholds,
}

/// A label with larger log-odds is in the set.
#[derive(Clone, Debug, PartialEq)]
enum Thresholds {
    OfAll(f32),
    OfEach(Arc<[f32]>),
}

impl LabelOdds {
    /// The log-odds of all labels, from the scores of yes and no for each.
    ///
    /// # Errors
    /// Fails if a label does not have exactly two scores.
    pub fn of_scores(scores: &[LabelScores], threshold: f32) -> Result<Self> {
        let mut values = Vec::with_capacity(scores.len());
        let mut bounds = Vec::new();
        for (label, scores) in scores.iter().enumerate() {
            let [yes, no] = scores.log_probabilities() else {
                bail!("expected the scores of yes and no, found {}", scores.log_probabilities().len());
            };
            values.push(yes - no);
            if scores.has_bounds() {
                bounds.push(label);
            }
        }
        Ok(Self { values, bounds, thresholds: Thresholds::OfAll(threshold) })
    }

    /// Exact log-odds of all labels.
    pub fn exact(values: Vec<f32>, threshold: f32) -> Self {
        Self::bounded(values, Vec::new(), threshold)
    }

    /// Log-odds of all labels; those at the positions `bounds` are a bound.
    pub fn bounded(values: Vec<f32>, bounds: Vec<LabelIndex>, threshold: f32) -> Self {
        Self { values, bounds, thresholds: Thresholds::OfAll(threshold) }
    }

    /// The weighted sum of log-odds. `None` if there are none, or for different numbers of labels.
    pub fn weighted_sum<'a>(odds: impl IntoIterator<Item = (&'a Self, f32)>) -> Option<Self> {
        let mut odds = odds.into_iter();
        let (first, weight) = odds.next()?;
        let mut sum = first.clone();
        sum.values.iter_mut().for_each(|value| *value *= weight);
        for (other, weight) in odds {
            if other.values.len() != sum.values.len() {
                return None;
            }
            for (value, other) in sum.values.iter_mut().zip(&other.values) {
                *value += weight * other;
            }
            // A sum that contains a bound is one, too.
            let new: Vec<LabelIndex> =
                other.bounds.iter().copied().filter(|label| !sum.bounds.contains(label)).collect();
            sum.bounds.extend(new);
        }
        Some(sum)
    }

    /// The same with another threshold.
    #[must_use]
    pub fn with_threshold(self, threshold: f32) -> Self {
        Self { thresholds: Thresholds::OfAll(threshold), ..self }
    }

    /// The same with a threshold for each label, in the task's order.
    #[must_use]
    pub fn with_threshold_of_each(self, thresholds: &Arc<[f32]>) -> Self {
        Self { thresholds: Thresholds::OfEach(thresholds.clone()), ..self }
    }

    /// One value per label in the task's order.
    pub fn log_odds(&self) -> &[f32] {
        &self.values
    }

    /// Whether the log-odds of this label are a bound.
    pub fn is_bound(&self, label: LabelIndex) -> bool {
        self.bounds.contains(&label)
    }

    /// Whether any log-odds are a bound.
    pub fn has_bounds(&self) -> bool {
        !self.bounds.is_empty()
    }

    /// The probability of yes for a label, between yes and no.
    pub fn probability_of_yes(&self, label: LabelIndex) -> Option<f32> {
        Some(sigmoid(*self.values.get(label)?))
    }

    /// The labels whose probability of yes is above the threshold. A label without one is in no set.
    pub fn label_set(&self) -> LabelSet {
        let threshold = |label: LabelIndex| match &self.thresholds {
            Thresholds::OfAll(threshold) => *threshold,
            Thresholds::OfEach(thresholds) => thresholds.get(label).copied().unwrap_or(f32::INFINITY),
        };
        LabelSet::of((0..self.values.len()).filter(|label| self.values[*label] > threshold(*label)))
    }

    /// The probability of a set: the product over all labels of the probability of its yes or no.
    pub fn probability_of(&self, set: LabelSet) -> f32 {
        let of_label = |(label, value): (LabelIndex, &f32)| sigmoid(if set.contains(label) { *value } else { -value });
        self.values.iter().enumerate().map(of_label).product()
    }
}

fn sigmoid(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// One value in a file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Exactly(f32),
    Bound(Bound),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bound {
    AtMost(f32),
    AtLeast(f32),
}

impl Serialize for LabelOdds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = self.values.iter().enumerate().map(|(label, value)| {
            if !self.is_bound(label) {
                Written::Exactly(*value)
            } else if *value < 0.0 {
                Written::Bound(Bound::AtMost(*value))
            } else {
                Written::Bound(Bound::AtLeast(*value))
            }
        });
        serializer.collect_seq(written)
    }
}

impl<'de> Deserialize<'de> for LabelOdds {
    /// Reads values with the threshold of equal odds.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut odds = Self::exact(Vec::new(), 0.0);
        for (label, written) in Vec::<Written>::deserialize(deserializer)?.into_iter().enumerate() {
            let (value, is_bound) = match written {
                Written::Exactly(value) => (value, false),
                Written::Bound(Bound::AtMost(value) | Bound::AtLeast(value)) => (value, true),
            };
            if !value.is_finite() {
                return Err(D::Error::custom(format!("label_log_odds: expected finite numbers, found {value}")));
            }
            odds.values.push(value);
            if is_bound {
                odds.bounds.push(label);
            }
        }
        Ok(odds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_in_the_set_if_yes_is_likelier_than_the_threshold() {
        let scores = [(0.6_f32, 0.2_f32), (0.1, 0.7), (0.3, 0.3)];
        let scores = scores.map(|(yes, no)| LabelScores::exact(vec![yes.ln(), no.ln()]));
        let odds = LabelOdds::of_scores(&scores, 0.0).unwrap();
        assert_eq!(odds.label_set(), LabelSet::of([0]));
        assert!((odds.probability_of_yes(0).unwrap() - 0.75).abs() < 1e-6);
        assert!((odds.probability_of(LabelSet::of([0])) - 0.75 * 0.875 * 0.5).abs() < 1e-6);
        let low = odds.with_threshold((0.1_f32 / 0.9).ln());
        assert_eq!(low.label_set(), LabelSet::of([0, 1, 2]));
        let each = low.with_threshold_of_each(&Arc::from([2.0, -3.0]));
        assert_eq!(each.label_set(), LabelSet::of([1]), "the third has no threshold");
        assert!(LabelOdds::of_scores(&[LabelScores::exact(vec![-1.0])], 0.0).is_err());
    }

    #[test]
    fn the_weighted_sum_is_the_late_fusion_of_each_yes_and_no() {
        let one = LabelOdds::exact(vec![2.0, -1.0], 0.0);
        let other = LabelOdds { bounds: vec![1], ..LabelOdds::exact(vec![-1.0, -3.0], 0.0) };
        let sum = LabelOdds::weighted_sum([(&one, 0.25), (&other, 0.75)]).unwrap();
        assert_eq!(sum.log_odds(), [-0.25, -2.5]);
        assert!(sum.is_bound(1) && !sum.is_bound(0));
        assert_eq!(LabelOdds::weighted_sum([]), None);
    }

    #[test]
    fn a_bound_is_told_from_a_value_in_files() {
        let odds = LabelOdds { bounds: vec![1, 2], ..LabelOdds::exact(vec![0.5, -7.25, 3.0], 0.0) };
        let text = serde_json::to_string(&odds).unwrap();
        assert_eq!(text, r#"[0.5,{"at_most":-7.25},{"at_least":3.0}]"#);
        assert_eq!(serde_json::from_str::<LabelOdds>(&text).unwrap(), odds);
        for wrong in ["[null]", r#"[{"below":1}]"#, "[1e99]"] {
            assert!(serde_json::from_str::<LabelOdds>(wrong).is_err(), "{wrong}");
        }
    }
}
