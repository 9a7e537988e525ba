//! One answer of a reader.

use super::LabelScores;
use crate::data::answer_number;

/// What the reader said to a case with one document, or without any.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Position of the answered label in the task, or the number of an open answer ([`answer_number`]); `None` where the
    /// generated text names none of the labels, or nothing, which counts as an answer of its own (docs/method.md, "Parsing").
    pub label: Option<usize>,
    /// `None` where the answer is open, or in a run of other software that wrote no log-probabilities.
    pub scores: Option<LabelScores>,
    /// The generated text, of an open answer or in a run of other software; labels are scored and nothing is generated.
    pub text: Option<String>,
}

impl Prediction {
    /// An open answer.
    pub fn in_words(text: String) -> Self {
        Self { label: answer_number(&text), scores: None, text: Some(text) }
    }

    /// Probability of the answered label within the label set, where both are known.
    pub fn probability(&self) -> Option<f32> {
        self.scores.as_ref()?.probabilities().get(self.label?).copied()
    }

    /// Is that probability the least there may be, because of other labels only a bound is known?
    pub fn is_at_least(&self) -> bool {
        self.scores.as_ref().is_some_and(LabelScores::has_bounds)
    }
}

impl From<LabelScores> for Prediction {
    /// The label with the largest log-probability.
    fn from(scores: LabelScores) -> Self {
        Self { label: Some(scores.arg_max()), scores: Some(scores), text: None }
    }
}
