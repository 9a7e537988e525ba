//! Fusion weights learned from the validation split: the worth of each head and rank, and how far to trust a
//! confident prediction, which the retriever's scores cannot tell.

use super::ScoredHit;
use super::fusion::normalised_scores;
use dissent_core::run::Head;
use serde::Serialize;

/// Steps of gradient descent, each over all cases.
const STEPS: usize = 300;
const LEARNING_RATE: f64 = 0.5;
/// Weight decay towards coefficients of 0, which give the mean log-probability.
const DECAY: f64 = 1e-3;
/// Fewest cases to learn from.
const FEWEST: usize = 20;

/// λ = softmax(place + a · score + b · confidence) over the predictions of a case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnedWeights {
    /// Deciding head and rank, with their coefficient.
    places: Vec<(Head, usize, f64)>,
    /// Coefficient of the score that score-weighted fusion uses.
    score: f64,
    /// Coefficient of the probability of the prediction's own answer.
    confidence: f64,
}

/// One case as numbers.
struct Sample {
    /// Per prediction: index of its place, score, confidence.
    features: Vec<(usize, f64, f64)>,
    /// `[prediction][label]` log p.
    log_probabilities: Vec<Vec<f64>>,
    gold: usize,
}

impl LearnedWeights {
    /// Minimises the mean of −log p(gold) of the fused distribution by gradient descent. `cases` are those of the
    /// validation split with their gold labels. Returns `None` if fewer than 20 of them have predictions with
    /// log-probabilities.
    pub fn learn(cases: &[(Vec<ScoredHit>, usize)]) -> Option<Self> {
        let mut places: Vec<(Head, usize)> = Vec::new();
        let mut samples = Vec::new();
        for (found, gold) in cases {
            samples.extend(sample_of(found, *gold, &mut places));
        }
        if samples.len() < FEWEST {
            return None;
        }
        // The coefficients of the places, then of the score, then of the confidence.
        let mut coefficients = vec![0.0; places.len() + 2];
        for _ in 0..STEPS {
            let mut gradient: Vec<f64> = coefficients.iter().map(|value| DECAY * value).collect();
            for sample in &samples {
                add_gradient(sample, &coefficients, 1.0 / samples.len() as f64, &mut gradient);
            }
            for (value, slope) in coefficients.iter_mut().zip(&gradient) {
                *value -= LEARNING_RATE * slope;
            }
        }
        let confidence = coefficients.pop()?;
        let score = coefficients.pop()?;
        let places = places.into_iter().zip(coefficients).map(|((head, rank), value)| (head, rank, value)).collect();
        Some(Self { places, score, confidence })
    }

    /// λ of each prediction; a place that did not occur in training has coefficient 0. Returns `None` without
    /// log-probabilities.
    pub(super) fn of(&self, found: &[ScoredHit]) -> Option<Vec<f32>> {
        let mut places: Vec<(Head, usize)> = self.places.iter().map(|(head, rank, _)| (*head, *rank)).collect();
        let sample = sample_of(found, 0, &mut places)?;
        let mut coefficients: Vec<f64> = self.places.iter().map(|(_, _, value)| *value).collect();
        coefficients.resize(places.len(), 0.0);
        coefficients.extend([self.score, self.confidence]);
        Some(weights_of(&sample, &coefficients).into_iter().map(|weight| weight as f32).collect())
    }
}

fn sample_of(found: &[ScoredHit], gold: usize, places: &mut Vec<(Head, usize)>) -> Option<Sample> {
    let scores = normalised_scores(found)?;
    let mut sample = Sample { features: Vec::new(), log_probabilities: Vec::new(), gold };
    for ((provenances, prediction), score) in found.iter().zip(scores) {
        let first = provenances.first()?;
        let place = (first.head, first.rank);
        let number = places.iter().position(|known| *known == place).unwrap_or_else(|| {
            places.push(place);
            places.len() - 1
        });
        sample.features.push((number, f64::from(score), f64::from(prediction.probability()?)));
        let values = prediction.scores.as_ref()?.log_probabilities();
        sample.log_probabilities.push(values.iter().map(|value| f64::from(*value)).collect());
    }
    Some(sample)
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = values.iter().map(|value| (value - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|value| value / sum).collect()
}

fn weights_of(sample: &Sample, coefficients: &[f64]) -> Vec<f64> {
    let [.., by_score, by_confidence] = coefficients else { return Vec::new() };
    let worth = |(place, score, confidence): &(usize, f64, f64)| {
        coefficients[*place] + by_score * score + by_confidence * confidence
    };
    softmax(&sample.features.iter().map(worth).collect::<Vec<f64>>())
}

/// Loss of one case, −log softmax(Σ λ · log p)[gold].
#[cfg(test)]
fn loss(sample: &Sample, coefficients: &[f64]) -> f64 {
    -fused(sample, &weights_of(sample, coefficients))[sample.gold].ln()
}

fn fused(sample: &Sample, weights: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; sample.log_probabilities.first().map_or(0, Vec::len)];
    for (values, weight) in sample.log_probabilities.iter().zip(weights) {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += weight * value;
        }
    }
    softmax(&sums)
}

fn add_gradient(sample: &Sample, coefficients: &[f64], share: f64, gradient: &mut [f64]) {
    let weights = weights_of(sample, coefficients);
    let mut by_label = fused(sample, &weights);
    by_label[sample.gold] -= 1.0;
    let by_weight: Vec<f64> = (sample.log_probabilities.iter())
        .map(|values| values.iter().zip(&by_label).map(|(value, slope)| value * slope).sum())
        .collect();
    let mean: f64 = by_weight.iter().zip(&weights).map(|(slope, weight)| slope * weight).sum();
    let last = gradient.len();
    for ((place, score, confidence), (slope, weight)) in sample.features.iter().zip(by_weight.iter().zip(&weights)) {
        let by_worth = share * weight * (slope - mean);
        gradient[*place] += by_worth;
        gradient[last - 2] += by_worth * score;
        gradient[last - 1] += by_worth * confidence;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dissent_core::run::Provenance;
    use dissent_core::run::{LabelScores, Prediction};

    fn said(probability: f32) -> Prediction {
        Prediction::from(LabelScores::exact(vec![probability.ln(), (1.0 - probability).ln()]))
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let sample = Sample {
            features: vec![(0, 1.0, 0.9), (1, 0.4, 0.6), (2, -0.3, 0.7)],
            log_probabilities: vec![vec![-0.1, -2.3, -4.0], vec![-0.9, -0.5, -2.0], vec![-1.2, -3.0, -0.36]],
            gold: 1,
        };
        let coefficients = [0.3, -0.2, 0.1, 0.7, -0.5];
        let mut gradient = vec![0.0; 5];
        add_gradient(&sample, &coefficients, 1.0, &mut gradient);
        for position in 0..5 {
            let moved = |by: f64| {
                let mut coefficients = coefficients;
                coefficients[position] += by;
                loss(&sample, &coefficients)
            };
            let expected = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!((gradient[position] - expected).abs() < 1e-7, "{position}: {} {expected}", gradient[position]);
        }
    }

    #[test]
    fn a_head_that_is_always_right_is_trusted() {
        let at = |head| [Provenance { head, rank: 1, score: Some(0.5) }];
        let (image, caption) = (at(Head::Image), at(Head::Caption));
        let predictions: Vec<(Prediction, Prediction, usize)> = (0..40)
            .map(|case| {
                let gold = case % 2;
                let good = if gold == 0 { 0.7 } else { 0.3 };
                (said(if case % 4 < 2 { 0.9 } else { 0.1 }), said(good), gold)
            })
            .collect();
        let cases: Vec<(Vec<ScoredHit>, usize)> = predictions
            .iter()
            .map(|(bad, good, gold)| (vec![(image.as_slice(), bad), (caption.as_slice(), good)], *gold))
            .collect();
        let learned = LearnedWeights::learn(&cases).unwrap();
        let weights = learned.of(&cases[0].0).unwrap();
        assert!(weights[1] > 0.8, "{weights:?} {learned:?}");
        assert_eq!(LearnedWeights::learn(&cases[..19]), None, "too few");
    }
}
