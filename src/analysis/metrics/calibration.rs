//! Does the reader know what it does not know? Confidence against accuracy.

use serde::Serialize;

/// Bins of the expected calibration error (Guo et al. 2017, §2).
const BINS: usize = 15;

/// Cases of about the same confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Confidence above `low` and up to `high`.
    pub low: f64,
    pub high: f64,
    pub n: usize,
    /// Mean of the largest probability; 0 where `n` is.
    pub confidence: f64,
    /// Share of right answers; 0 where `n` is.
    pub accuracy: f64,
}

/// How well probabilities tell the share of right answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Expected calibration error: Σ n_b / n · |accuracy_b − confidence_b| over 15 bins of equal width.
    pub expected_error: f64,
    /// Brier's score over all labels (Brier 1950): the mean of Σ (p − [label is gold])², between 0 and 2.
    pub brier: f64,
    pub bins: Vec<ReliabilityBin>,
}

impl Calibration {
    /// Of `probabilities[case][label]`, which sum to 1 over labels, and the gold label of each case. `None` without a
    /// case.
    pub fn of(probabilities: &[Vec<f64>], gold: &[usize]) -> Option<Self> {
        let n = probabilities.len();
        if n == 0 {
            return None;
        }
        let mut squares = 0.0;
        let mut sums = [(0_usize, 0.0_f64, 0_usize); BINS];
        for (values, gold) in probabilities.iter().zip(gold) {
            let mut best = 0;
            for (label, value) in values.iter().enumerate() {
                squares += (value - f64::from(u8::from(label == *gold))).powi(2);
                if *value > values[best] {
                    best = label;
                }
            }
            let confidence = values[best];
            let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
            let (count, total, right) = &mut sums[bin];
            *count += 1;
            *total += confidence;
            *right += usize::from(best == *gold);
        }
        let mut bins = Vec::with_capacity(BINS);
        let mut expected_error = 0.0;
        for (position, (count, total, right)) in sums.into_iter().enumerate() {
            let edge = |edge: usize| edge as f64 / BINS as f64;
            let of_bin = |value: f64| if count == 0 { 0.0 } else { value / count as f64 };
            let (confidence, accuracy) = (of_bin(total), of_bin(right as f64));
            expected_error += count as f64 / n as f64 * (accuracy - confidence).abs();
            bins.push(ReliabilityBin { low: edge(position), high: edge(position + 1), n: count, confidence, accuracy });
        }
        Some(Self { expected_error, brier: squares / n as f64, bins })
    }
}
