//! What a reader is asked and what it answers.

use dissent_core::data::{Picture, Task};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::LabelScores;
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

    /// Answers each request in the reader's own words, in order: the likeliest token each time, one line, 32 tokens at most.
    /// Labels are not looked at. `cancelled` is asked between batches.
    fn generate(&mut self, requests: &[ReadRequest], cancelled: &dyn Fn() -> bool) -> Result<Vec<String>, ReaderError>;
}
