//! Calibration: confidence against accuracy.

use serde::Serialize;

/// Number of bins of the expected calibration error (Guo et al. 2017, §2).
const BINS: usize = 15;

/// Cases of similar confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// The bin holds confidences above `low` and up to `high`.
    pub low: f64,
    pub high: f64,
    pub n: usize,
    /// Mean of the largest probability; 0 if `n` is 0.
    pub confidence: f64,
    /// Share of right answers; 0 if `n` is 0.
    pub accuracy: f64,
}

/// Agreement of probabilities with the share of right answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Expected calibration error: Σ n_b / n · |accuracy_b − confidence_b| over 15 bins of equal width.
    pub expected_error: f64,
    /// Brier's score over all labels (Brier 1950): the mean of Σ (p − [label is gold])², between 0 and 2.
    pub brier: f64,
    pub bins: Vec<ReliabilityBin>,
}

impl Calibration {
    /// Calibration for `probabilities[case][label]`, which sum to 1 over labels, and the gold label of each case.
    /// Returns `None` without a case.
    pub fn of(probabilities: &[Vec<f64>], gold: &[usize]) -> Option<Self> {
        ConfidentCases::of(probabilities, gold).calibration(&vec![1; gold.len()])
    }
}

/// Per-case values for calibration, computed once for many resamples of the same cases.
#[derive(Debug)]
pub struct ConfidentCases {
    cases: Vec<ConfidentCase>,
}

#[derive(Debug)]
struct ConfidentCase {
    bin: usize,
    confidence: f64,
    is_right: bool,
    /// Σ (p − [label is gold])².
    squares: f64,
}

impl ConfidentCases {
    /// Prepares the same input as [`Calibration::of`].
    pub fn of(probabilities: &[Vec<f64>], gold: &[usize]) -> Self {
        let mut cases = Vec::with_capacity(gold.len());
        for (values, gold) in probabilities.iter().zip(gold) {
            let mut best = 0;
            let mut squares = 0.0;
            for (label, value) in values.iter().enumerate() {
                squares += (value - f64::from(u8::from(label == *gold))).powi(2);
                if *value > values[best] {
                    best = label;
                }
            }
            let confidence = values[best];
            let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
            cases.push(ConfidentCase { bin, confidence, is_right: best == *gold, squares });
        }
        Self { cases }
    }

    /// Calibration if each case counts `weights[case]` times; `None` if none counts.
    pub fn calibration(&self, weights: &[u32]) -> Option<Calibration> {
        let mut n = 0;
        let mut squares = 0.0;
        let mut sums = [(0_usize, 0.0_f64, 0_usize); BINS];
        for (case, weight) in self.cases.iter().zip(weights) {
            let weight = *weight as usize;
            let (count, total, right) = &mut sums[case.bin];
            *count += weight;
            *total += weight as f64 * case.confidence;
            *right += weight * usize::from(case.is_right);
            squares += weight as f64 * case.squares;
            n += weight;
        }
        if n == 0 {
            return None;
        }
        let mut bins = Vec::with_capacity(BINS);
        let mut expected_error = 0.0;
        for (position, (count, total, right)) in sums.into_iter().enumerate() {
            let edge = |position: usize| position as f64 / BINS as f64;
            let of_bin = |value: f64| if count == 0 { 0.0 } else { value / count as f64 };
            let (confidence, accuracy) = (of_bin(total), of_bin(right as f64));
            expected_error += count as f64 / n as f64 * (accuracy - confidence).abs();
            bins.push(ReliabilityBin { low: edge(position), high: edge(position + 1), n: count, confidence, accuracy });
        }
        Some(Calibration { expected_error, brier: squares / n as f64, bins })
    }
}
