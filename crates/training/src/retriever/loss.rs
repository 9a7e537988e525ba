//! The LVLM-aware loss: candidates that lead the reader to the gold answer should score higher (docs/method.md,
//! "Loss").
//!
//! ```text
//! ℓ_i    the reader's score of the gold answer, given candidate i
//! p_ret  = softmax(s / τ)
//! p*     = softmax(ℓ / τ_reader + log p_ret)     the posterior over candidates given the answer; no gradient
//! L      = KL(p* ‖ p_ret)
//! ```
//!
//! At temperatures of 1 this is the loss of the reference. At other temperatures the prior keeps its own temperature
//! here, so that a reader without preference gives no gradient; the reference divides ℓ and prior together by the
//! reader's.

use anyhow::Result;
use candle_core::{D, Tensor};
use candle_nn::ops::log_softmax;
use dissent_core::data::LabelIndex;
use dissent_core::run::LabelScores;

/// The definition of ℓ (docs/method.md, "Loss").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderScore {
    /// log p(gold) over the task's labels.
    LogProbability,
    /// As in the reference: softmax taken twice, so that ℓ is p(gold) up to a bounded term.
    DoubleSoftmax,
}

/// Order of the two distributions in the divergence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Direction {
    /// KL(p* ‖ p_ret), as in the reference's code.
    PosteriorFirst,
    /// KL(p_ret ‖ p*), as in the paper's figure.
    RetrieverFirst,
}

/// Reduction of a batch to one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Sum over candidates, mean over cases.
    BatchMean,
    /// Mean over cases and candidates, as in the reference.
    Mean,
}

/// Settings of the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossSettings {
    pub reader_score: ReaderScore,
    /// Temperature τ of the retriever's scores.
    pub temperature: f64,
    /// Temperature τ of the reader's scores.
    pub reader_temperature: f64,
    /// Does p* use the present retriever as its prior?
    pub prior: bool,
    pub direction: Direction,
    pub reduction: Reduction,
    /// Factor on the gradient. Adam cancels it except for its ε, which matters for small gradients.
    pub scale: f64,
}

impl LossSettings {
    /// Settings of the reference's scripts.
    pub const REFERENCE: Self = Self {
        reader_score: ReaderScore::DoubleSoftmax,
        temperature: 1.0,
        reader_temperature: 1.0,
        prior: true,
        direction: Direction::PosteriorFirst,
        reduction: Reduction::Mean,
        scale: 1000.0,
    };
    /// A log-likelihood per case, with temperatures at which cosines distinguish candidates.
    pub const CLEAN: Self = Self {
        reader_score: ReaderScore::LogProbability,
        temperature: 0.2,
        reader_temperature: 0.3,
        reduction: Reduction::BatchMean,
        scale: 1.0,
        ..Self::REFERENCE
    };
}

/// ℓ of one answer. A single score is the gold answer's own log-probability (open answers, several labels at once) and
/// is returned unchanged.
pub fn reader_score(kind: ReaderScore, scores: &LabelScores, gold: LabelIndex) -> f32 {
    let values = scores.log_probabilities();
    if let [only] = *values {
        return only;
    }
    let probabilities = scores.probabilities();
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    match kind {
        ReaderScore::LogProbability => {
            let sum: f32 = values.iter().map(|value| (value - largest).exp()).sum();
            values[gold] - largest - sum.ln()
        }
        ReaderScore::DoubleSoftmax => {
            let sum: f32 = probabilities.iter().map(|value| value.exp()).sum();
            probabilities[gold] - sum.ln()
        }
    }
}

/// The loss of `scores` ⟨q, e_i⟩ `[B, N]` given the reader's ℓ `[B, N]`: a scalar. The gradient flows only through
/// `scores`.
///
/// # Errors
/// Fails if the shapes differ.
pub(crate) fn retriever_loss(scores: &Tensor, reader: &Tensor, settings: &LossSettings) -> Result<Tensor> {
    let (cases, candidates) = scores.dims2()?;
    let retriever = log_softmax(&(scores / settings.temperature)?, D::Minus1)?;
    let mut posterior = (log_softmax(reader, D::Minus1)? / settings.reader_temperature)?;
    if settings.prior {
        posterior = (posterior + retriever.detach())?;
    }
    let posterior = log_softmax(&posterior, D::Minus1)?.detach();
    let (first, second) = match settings.direction {
        Direction::PosteriorFirst => (&posterior, &retriever),
        Direction::RetrieverFirst => (&retriever, &posterior),
    };
    let terms = (first.exp()? * (first - second)?)?.sum_all()?;
    let count = match settings.reduction {
        Reduction::BatchMean => cases,
        Reduction::Mean => cases * candidates,
    };
    Ok((terms / count as f64)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    const SCORES: [f64; 3] = [0.80, 0.70, 0.60];
    const GOLD: [f32; 3] = [0.9, 0.2, 0.5];

    fn close(actual: &[f64], expected: &[f64]) {
        assert_eq!(actual.len(), expected.len());
        for (a, b) in actual.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{actual:?} is not {expected:?}");
        }
    }

    /// ℓ of three candidates whose p(gold) is [`GOLD`], for two labels.
    fn reader(kind: ReaderScore) -> Vec<f64> {
        let score = |gold: &f32| reader_score(kind, &LabelScores::exact(vec![gold.ln(), (1.0 - gold).ln()]), 0);
        GOLD.iter().map(|gold| f64::from(score(gold))).collect()
    }

    /// Loss, and its gradient with respect to the scores.
    fn loss(scores: &[f64], reader: &[f64], settings: &LossSettings) -> (f64, Vec<f64>) {
        let count = scores.len();
        let scores = Var::from_slice(scores, (1, count), &Device::Cpu).unwrap();
        let reader = Tensor::from_slice(reader, (1, count), &Device::Cpu).unwrap();
        let loss = retriever_loss(scores.as_tensor(), &reader, settings).unwrap();
        let store = loss.backward().unwrap();
        let gradient = store.get(scores.as_tensor()).unwrap().to_vec2::<f64>().unwrap().remove(0);
        (loss.to_scalar().unwrap(), gradient)
    }

    /// The values of docs/method.md, "Loss"; f32 label scores hold them to 1e-6.
    #[test]
    fn the_reference_mode_matches_the_reference() {
        let reader = reader(ReaderScore::DoubleSoftmax);
        close(&reader, &[-0.371_101, -1.037_488, -std::f64::consts::LN_2]);
        let (value, gradient) = loss(&SCORES, &reader, &LossSettings::REFERENCE);
        close(&[value], &[0.012_299_7]);
        close(&gradient, &[-0.039_581_6, 0.035_476_0, 0.004_105_6]);
    }

    #[test]
    fn the_clean_mode_matches_its_vectors() {
        let reader = reader(ReaderScore::LogProbability);
        close(&reader, &[0.9_f64.ln(), 0.2_f64.ln(), 0.5_f64.ln()]);
        let settings = LossSettings { temperature: 1.0, reader_temperature: 1.0, ..LossSettings::CLEAN };
        let (value, gradient) = loss(&SCORES, &reader, &settings);
        close(&[value], &[0.153_493]);
        // p_ret − p*.
        close(&gradient, &[0.367_165 - 0.603_892, 0.332_225 - 0.121_428, 0.300_610 - 0.274_681]);
    }

    #[test]
    fn a_reader_that_does_not_care_gives_no_gradient() {
        for settings in [LossSettings::REFERENCE, LossSettings::CLEAN] {
            for direction in [Direction::PosteriorFirst, Direction::RetrieverFirst] {
                let settings = LossSettings { direction, ..settings };
                let (value, gradient) = loss(&SCORES, &[-0.7; 3], &settings);
                close(&[value], &[0.0]);
                close(&gradient, &[0.0; 3]);
            }
        }
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let reader = reader(ReaderScore::LogProbability);
        for direction in [Direction::PosteriorFirst, Direction::RetrieverFirst] {
            for prior in [false, true] {
                let settings = LossSettings { prior, direction, ..LossSettings::CLEAN };
                let (_, gradient) = loss(&SCORES, &reader, &settings);
                // The prior stays fixed: it must not change with the scores.
                let prior_at = Tensor::from_slice(&SCORES, (1, 3), &Device::Cpu).unwrap();
                let value_at = |scores: &[f64]| held_loss(scores, &prior_at, &reader, &settings);
                for place in 0..3 {
                    let mut moved = SCORES;
                    moved[place] += 1e-5;
                    let above = value_at(&moved);
                    moved[place] -= 2e-5;
                    let slope = (above - value_at(&moved)) / 2e-5;
                    assert!((slope - gradient[place]).abs() < 1e-6, "{settings:?} {place}: {slope} {gradient:?}");
                }
            }
        }
    }

    /// The loss written out, with the prior at fixed scores.
    fn held_loss(scores: &[f64], prior_at: &Tensor, reader: &[f64], settings: &LossSettings) -> f64 {
        let normalised = |values: Vec<f64>| {
            let sum: f64 = values.iter().map(|value| value.exp()).sum();
            values.iter().map(|value| value - sum.ln()).collect::<Vec<f64>>()
        };
        let tempered = |values: &[f64]| normalised(values.iter().map(|value| value / settings.temperature).collect());
        let retriever = tempered(scores);
        let prior = tempered(&prior_at.to_vec2::<f64>().unwrap()[0]);
        let weight = if settings.prior { 1.0 } else { 0.0 };
        let posterior: Vec<f64> =
            reader.iter().zip(&prior).map(|(l, p)| l / settings.reader_temperature + weight * p).collect();
        let posterior = normalised(posterior);
        let (first, second) = match settings.direction {
            Direction::PosteriorFirst => (&posterior, &retriever),
            Direction::RetrieverFirst => (&retriever, &posterior),
        };
        first.iter().zip(second).map(|(a, b)| a.exp() * (a - b)).sum()
    }

    #[test]
    fn an_answer_with_one_score_is_its_own_likelihood() {
        assert_eq!(reader_score(ReaderScore::LogProbability, &LabelScores::exact(vec![-3.5]), 0), -3.5);
    }
}
