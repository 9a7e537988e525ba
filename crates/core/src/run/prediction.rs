//! One answer of a reader.

use super::{LabelOdds, LabelSamples, LabelScores};
use crate::data::{Answer, LabelIndex, Task};
use std::sync::Arc;

/// The reader's answer to a case with one document, or without any.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// `None` if the generated text is empty or names none of the labels, which counts as an answer of its own
    /// (docs/method.md, "Parsing").
    pub answer: Option<Answer>,
    /// `None` for an open answer and a set of labels, and in a run of other software that wrote no log-probabilities.
    pub scores: Option<LabelScores>,
    /// For a set of labels each of which the reader answered with yes or no. `scores` is `None` then.
    pub odds: Option<LabelOdds>,
    /// How often each label was answered, by a reader without log-probabilities. `scores` and `odds` are `None` then.
    pub samples: Option<LabelSamples>,
    /// The generated text of an open answer, of a set of labels in words, or of any answer in a run of other software. Labels are scored, so they
    /// have no text.
    pub text: Option<String>,
}

impl Prediction {
    /// An open answer.
    pub fn in_words(text: String) -> Self {
        Self { answer: Answer::from_words(&text), scores: None, odds: None, samples: None, text: Some(text) }
    }

    /// A set of labels in a reader's words.
    pub fn set_in_words(text: String, task: &Task) -> Self {
        Self {
            answer: task.set_in_words(&text).map(Answer::Set),
            scores: None,
            odds: None,
            samples: None,
            text: Some(text),
        }
    }

    /// The same answer with another threshold for each label of a set; unchanged if there are no log-odds.
    #[must_use]
    pub fn with_threshold_of_each(self, thresholds: &Arc<[f32]>) -> Self {
        match self.odds {
            Some(odds) => {
                let odds = odds.with_threshold_of_each(thresholds);
                Self { answer: Some(Answer::Set(odds.label_set())), odds: Some(odds), ..self }
            }
            None => self,
        }
    }

    /// Position of the answered label in the task; `None` for an open answer, and if the text names no label.
    pub fn label(&self) -> Option<LabelIndex> {
        self.answer?.label()
    }

    /// Is this the gold answer? An answer that names no label never is.
    pub fn is_right(&self, gold: Option<Answer>) -> bool {
        self.answer.is_some() && self.answer == gold
    }

    /// Probability of the answered label within the label set, or of the answered set of labels
    /// ([`LabelOdds::probability_of`]); `None` without log-probabilities. Of a sampled answer it is the share of the samples
    /// that gave it. Where it is shown, [`Self::probability_sign`] stands before it.
    pub fn probability(&self) -> Option<f32> {
        if let Some(samples) = &self.samples {
            return samples.share(self.label());
        }
        if let (Some(odds), Some(Answer::Set(set))) = (&self.odds, self.answer) {
            return Some(odds.probability_of(set));
        }
        self.scores.as_ref()?.probabilities().get(self.label()?).copied()
    }

    /// Is that probability a share of samples, marked `≈`?
    pub fn is_sampled(&self) -> bool {
        self.samples.is_some()
    }

    /// The sign before the probability: `≈` for a share of samples, `≥` for a lower bound, else a space.
    pub fn probability_sign(&self) -> &'static str {
        match (self.is_sampled(), self.is_at_least()) {
            (true, _) => "≈",
            (false, true) => "≥",
            (false, false) => " ",
        }
    }

    /// The 95 % interval of that share; `None` if the probability is no share of samples.
    pub fn interval(&self) -> Option<(f32, f32)> {
        self.samples.as_ref()?.interval(self.label())
    }

    /// Is that probability a lower bound? It is if the log-probabilities of other labels are upper bounds.
    pub fn is_at_least(&self) -> bool {
        self.scores.as_ref().is_some_and(LabelScores::has_bounds)
            || self.odds.as_ref().is_some_and(LabelOdds::has_bounds)
    }
}

impl From<LabelScores> for Prediction {
    /// Chooses the label with the largest log-probability.
    fn from(scores: LabelScores) -> Self {
        Self {
            answer: Some(Answer::Label(scores.arg_max())),
            scores: Some(scores),
            odds: None,
            samples: None,
            text: None,
        }
    }
}

impl From<LabelSamples> for Prediction {
    /// Chooses the most frequent outcome, which may be that no label is named.
    fn from(samples: LabelSamples) -> Self {
        Self { answer: samples.answer(), scores: None, odds: None, samples: Some(samples), text: None }
    }
}

impl From<LabelOdds> for Prediction {
    /// Chooses the labels above the threshold.
    fn from(odds: LabelOdds) -> Self {
        Self { answer: Some(Answer::Set(odds.label_set())), scores: None, odds: Some(odds), samples: None, text: None }
    }
}
