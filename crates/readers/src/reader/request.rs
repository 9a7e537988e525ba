//! The interface of readers: requests and answers.

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

/// The reason why a reader gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// The request was cancelled.
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// A reader: candle in this process, or a server.
pub trait Reader: Send {
    /// Short name for the status line.
    fn name(&self) -> &str;

    /// Fingerprint of weights, tokenizer and image processor; readers with the same fingerprint give the same answers.
    fn fingerprint(&self) -> &Fingerprint;

    /// Scores every label for each request, in order. `cancelled` is called between batches.
    fn score(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError>;

    /// Generates a text answer to each request, in order, by greedy decoding: one line of at most 32 tokens. Labels are
    /// ignored. `cancelled` is called between batches.
    fn generate(&mut self, requests: &[ReadRequest], cancelled: &dyn Fn() -> bool) -> Result<Vec<String>, ReaderError>;
}
