//! What a reader is asked and what it answers.

use crate::data::{Picture, Task};
use crate::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The retrieved document as the reader sees it.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// `None` leaves the image out of the prompt (an ablation).
    pub image: Option<Arc<Picture>>,
    /// `None` leaves its place in the prompt empty (an ablation).
    pub caption: Option<String>,
}

/// One question to the reader: a case with one document, or without any (closed-book).
#[derive(Clone, Debug)]
pub struct ReadRequest {
    pub task: Arc<Task>,
    pub question: String,
    pub query: Arc<Picture>,
    pub evidence: Option<Evidence>,
}

/// log p(label | prompt), one per label in the task's order, summed over the label's tokens, not normalised over the
/// label set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelScores(pub Vec<f32>);

impl LabelScores {
    /// Position of the largest log-probability; the lower index wins a tie.
    pub fn arg_max(&self) -> usize {
        let mut best = 0;
        for (index, value) in self.0.iter().enumerate() {
            if *value > self.0[best] {
                best = index;
            }
        }
        best
    }

    /// Probabilities over the label set (softmax of the log-probabilities), summing to 1.
    pub fn probabilities(&self) -> Vec<f32> {
        let largest = self.0.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exponentials: Vec<f32> = self.0.iter().map(|value| (value - largest).exp()).collect();
        let sum: f32 = exponentials.iter().sum();
        exponentials.iter().map(|value| value / sum).collect()
    }
}

/// Why a reader gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// The answer is no longer wanted.
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// An engine that answers: candle in this process, a server, or a stored run.
pub trait Reader: Send {
    /// Short name for status lines.
    fn name(&self) -> &str;

    /// Of weights, tokenizer and image processor: the same fingerprint gives the same answers.
    fn fingerprint(&self) -> &Fingerprint;

    /// Scores every label for each request, in order. `cancelled` is asked between batches.
    fn score(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError>;
}
