//! One answer of a reader.

use super::LabelScores;

/// What the reader said to a case with one document, or without any.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Position of the answered label in the task; `None` where the generated text names none of them, which counts as
    /// an answer of its own (reference.md §5.2).
    pub label: Option<usize>,
    /// `None` in a run of other software that wrote no log-probabilities.
    pub scores: Option<LabelScores>,
    /// The generated text, in a run of other software; dissent scores labels and generates nothing.
    pub text: Option<String>,
}

impl Prediction {
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
