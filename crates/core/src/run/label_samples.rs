//! How often a reader gave each label when it was asked the same question several times.

use crate::data::{Answer, LabelIndex};
use serde::{Deserialize, Serialize};

/// The normal quantile of an interval that covers 95 %.
const QUANTILE: f32 = 1.959_964;
/// Shares that differ only by rounding are equal.
const ROUNDING: f32 = 1e-6;

/// The answers of a reader that gives no log-probabilities: the same question was asked several times at a temperature, and
/// the answers are counted. An answer that names no label is an outcome of its own.
///
/// The shares estimate what [`super::LabelScores`] would be, so every place that shows one marks it with `≈`. Figures that
/// need log-probabilities do not use them.
///
/// ```
/// use dissent_core::run::LabelSamples;
///
/// // Four answers: Yes, Yes, No, and one that names no label.
/// let samples = LabelSamples::of_counts(&[2, 1], 1);
/// assert_eq!(samples.share(Some(0)), Some(0.5));
/// assert_eq!(samples.share(None), Some(0.25));
/// let (low, high) = samples.interval(Some(0)).unwrap();
/// assert!((low - 0.150).abs() < 1e-3 && (high - 0.850).abs() < 1e-3);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Counts", into = "Counts")]
pub struct LabelSamples {
    /// Answers that named each label, in the task's order. Fusing makes fractions of them.
    named: Vec<f32>,
    /// Answers that named no label.
    unnamed: f32,
}

/// The form in files: `{"counts": [2, 1], "no_label": 1}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    counts: Vec<u32>,
    no_label: u32,
}

impl LabelSamples {
    /// The number of answers that named each label, and of those that named none.
    pub fn of_counts(counts: &[u32], unnamed: u32) -> Self {
        Self { named: counts.iter().map(|count| *count as f32).collect(), unnamed: unnamed as f32 }
    }

    /// Number of labels.
    pub fn labels(&self) -> usize {
        self.named.len()
    }

    /// Number of answers. Fused shares have the number of independent answers that would vary as much.
    pub fn size(&self) -> f32 {
        self.named.iter().sum::<f32>() + self.unnamed
    }

    /// Number of answers that named each label, in the task's order.
    pub fn counts(&self) -> impl Iterator<Item = u32> {
        self.named.iter().map(|count| count.round() as u32)
    }

    /// Number of answers that named no label.
    pub fn unnamed(&self) -> u32 {
        self.unnamed.round() as u32
    }

    /// The share of a label, or with `None` of the answers that name no label; `None` for a label that does not exist and if
    /// nothing was counted.
    pub fn share(&self, label: Option<LabelIndex>) -> Option<f32> {
        let count = match label {
            Some(label) => *self.named.get(label)?,
            None => self.unnamed,
        };
        let size = self.size();
        (size > 0.0).then(|| count / size)
    }

    /// The 95 % interval of [`Self::share`] by Wilson's formula, which holds for few answers and for shares of 0 and 1.
    pub fn interval(&self, label: Option<LabelIndex>) -> Option<(f32, f32)> {
        let (share, size) = (self.share(label)?, self.size());
        let square = QUANTILE * QUANTILE;
        let middle = (share + square / (2.0 * size)) / (1.0 + square / size);
        let spread = (share * (1.0 - share) / size + square / (4.0 * size * size)).sqrt();
        let half = QUANTILE / (1.0 + square / size) * spread;
        Some(((middle - half).max(0.0), (middle + half).min(1.0)))
    }

    /// The most frequent outcome. In a tie, a label comes before no label, and the first label in the task's order comes
    /// first.
    pub fn answer(&self) -> Option<Answer> {
        let mut best: Option<(LabelIndex, f32)> = None;
        for (label, count) in self.named.iter().enumerate() {
            if best.is_none_or(|(_, most)| *count > most + ROUNDING) {
                best = Some((label, *count));
            }
        }
        let (label, count) = best?;
        (count + ROUNDING >= self.unnamed && count > 0.0).then_some(Answer::Label(label))
    }

    /// The weighted mean of the shares. Its size is such that its interval has the variance of that mean: 1 / Σ w² / n.
    /// `None` if there are none, none has a weight, or they are of different numbers of labels.
    pub fn weighted_mean<'a>(samples: impl IntoIterator<Item = (&'a Self, f32)>) -> Option<Self> {
        let mut mean: Option<Self> = None;
        let (mut weights, mut inverse_size) = (0.0, 0.0);
        for (one, weight) in samples {
            let size = one.size();
            if size <= 0.0 {
                return None;
            }
            let mean = mean.get_or_insert_with(|| Self { named: vec![0.0; one.named.len()], unnamed: 0.0 });
            if mean.named.len() != one.named.len() {
                return None;
            }
            for (sum, count) in mean.named.iter_mut().zip(&one.named) {
                *sum += weight * count / size;
            }
            mean.unnamed += weight * one.unnamed / size;
            weights += weight;
            inverse_size += weight * weight / size;
        }
        let mean = mean.filter(|_| weights > 0.0 && inverse_size > 0.0)?;
        // Shares times size, so that the sum is the size.
        let scale = weights / inverse_size;
        Some(Self { named: mean.named.iter().map(|sum| sum * scale).collect(), unnamed: mean.unnamed * scale })
    }
}

impl TryFrom<Counts> for LabelSamples {
    type Error = String;

    fn try_from(counts: Counts) -> Result<Self, String> {
        let all = counts.counts.iter().chain([&counts.no_label]);
        let sum = all.fold(0_u32, |sum, count| sum.saturating_add(*count));
        // Larger numbers are not exact in f32.
        if sum == 0 || sum > 1 << 24 {
            return Err(format!("label_samples: expected between 1 and 16777216 answers, found {sum}"));
        }
        Ok(Self::of_counts(&counts.counts, counts.no_label))
    }
}

impl From<LabelSamples> for Counts {
    fn from(samples: LabelSamples) -> Self {
        Self { counts: samples.counts().collect(), no_label: samples.unnamed() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_wilson() {
        // statsmodels.stats.proportion.proportion_confint(count, n, method="wilson")
        for (count, rest, low, high) in
            [(5, 0, 0.565_518, 1.0), (0, 5, 0.0, 0.434_482), (3, 2, 0.230_724, 0.882_379), (7, 3, 0.396_778, 0.892_209)]
        {
            let interval = LabelSamples::of_counts(&[count, rest], 0).interval(Some(0)).unwrap();
            assert!((interval.0 - low).abs() < 1e-5 && (interval.1 - high).abs() < 1e-5, "{count}: {interval:?}");
        }
    }

    #[test]
    fn an_answer_without_a_label_is_an_outcome() {
        let of = |counts: &[u32], unnamed| LabelSamples::of_counts(counts, unnamed).answer();
        assert_eq!(of(&[1, 3], 1), Some(Answer::Label(1)));
        assert_eq!(of(&[2, 2], 1), Some(Answer::Label(0)), "the first label in a tie");
        assert_eq!(of(&[0, 2], 2), Some(Answer::Label(1)), "a label before no label");
        assert_eq!(of(&[1, 1], 3), None);
        assert_eq!(of(&[0, 0], 5), None);
    }

    #[test]
    fn the_weighted_mean_has_the_size_of_its_variance() {
        let one = LabelSamples::of_counts(&[5, 0], 0);
        let other = LabelSamples::of_counts(&[1, 3], 1);
        let mean = LabelSamples::weighted_mean([(&one, 0.5), (&other, 0.5)]).unwrap();
        assert!((mean.share(Some(0)).unwrap() - 0.6).abs() < 1e-6 && (mean.share(None).unwrap() - 0.1).abs() < 1e-6);
        assert!((mean.size() - 10.0).abs() < 1e-4);
        let skewed = LabelSamples::weighted_mean([(&one, 0.9), (&other, 0.1)]).unwrap();
        assert!((skewed.size() - 5.0 / 0.82).abs() < 1e-3, "{}", skewed.size());
        assert_eq!(LabelSamples::weighted_mean([]), None);
        assert_eq!(LabelSamples::weighted_mean([(&one, 0.5), (&LabelSamples::of_counts(&[1], 0), 0.5)]), None);
    }

    #[test]
    fn files_have_counts() {
        let samples = LabelSamples::of_counts(&[4, 0], 1);
        let text = serde_json::to_string(&samples).unwrap();
        assert_eq!(text, r#"{"counts":[4,0],"no_label":1}"#);
        assert_eq!(serde_json::from_str::<LabelSamples>(&text).unwrap(), samples);
        for wrong in [
            r#"{"counts":[0],"no_label":0}"#,
            r#"{"counts":[-1],"no_label":2}"#,
            r#"{"counts":[0.5],"no_label":1}"#,
            "[1]",
        ] {
            assert!(serde_json::from_str::<LabelSamples>(wrong).is_err(), "{wrong}");
        }
    }
}
