//! One answer of a reader.

use super::LabelScores;
use crate::data::{Answer, LabelIndex};

/// The reader's answer to a case with one document, or without any.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// `None` if the generated text is empty or names none of the labels, which counts as an answer of its own
    /// (docs/method.md, "Parsing").
    pub answer: Option<Answer>,
    /// `None` for an open answer, and in a run of other software that wrote no log-probabilities.
    pub scores: Option<LabelScores>,
    /// The generated text of an open answer, or of any answer in a run of other software. Labels are scored, so they
    /// have no text.
    pub text: Option<String>,
}

impl Prediction {
    /// An open answer.
    pub fn in_words(text: String) -> Self {
        Self { answer: Answer::from_words(&text), scores: None, text: Some(text) }
    }

    /// Position of the answered label in the task; `None` for an open answer, and if the text names no label.
    pub fn label(&self) -> Option<LabelIndex> {
        self.answer?.label()
    }

    /// Is this the gold answer? An answer that names no label never is.
    pub fn is_right(&self, gold: Option<Answer>) -> bool {
        self.answer.is_some() && self.answer == gold
    }

    /// Probability of the answered label within the label set; `None` without log-probabilities.
    pub fn probability(&self) -> Option<f32> {
        self.scores.as_ref()?.probabilities().get(self.label()?).copied()
    }

    /// Is that probability a lower bound? It is if the log-probabilities of other labels are upper bounds.
    pub fn is_at_least(&self) -> bool {
        self.scores.as_ref().is_some_and(LabelScores::has_bounds)
    }
}

impl From<LabelScores> for Prediction {
    /// Chooses the label with the largest log-probability.
    fn from(scores: LabelScores) -> Self {
        Self { answer: Some(Answer::Label(scores.arg_max())), scores: Some(scores), text: None }
    }
}
