//! The interface of readers: requests and answers.

use super::generation::{MOST_TOKENS, TOKENS_PER_LABEL};
use anyhow::anyhow;
use dissent_core::data::{Label, LabelIndex, Picture, Task, TaskKind};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{LabelSamples, LabelScores, Prediction, TokenUsage};
use serde::{Deserialize, Serialize};
use std::ops::Range;
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

impl ReadRequest {
    /// The same question about each label of the task on its own, to be answered with yes or no (docs/method.md, "Sets of
    /// labels"). The prompts are the same up to the label's name.
    pub fn about_each_label(&self) -> Vec<Self> {
        let sets = &self.task.prompt.sets;
        let labels = [&sets.yes, &sets.no].map(|word| Label::new(word, word)).to_vec();
        let task = Arc::new(Task { kind: TaskKind::ClosedVqa, labels, ..Task::clone(&self.task) });
        let ask = |label: &Label| Self {
            task: task.clone(),
            question: sets.question_about(&self.question, &label.name),
            ..self.clone()
        };
        self.task.labels.iter().map(ask).collect()
    }

    /// Whether the other request is about the same images and caption, and asks the same task.
    pub(super) fn shows_the_same(&self, other: &Self) -> bool {
        if !Arc::ptr_eq(&self.task, &other.task) {
            return false;
        }
        let evidence = |request: &Self| {
            let evidence = request.evidence.as_ref()?;
            let image = evidence.image.as_ref().map(|image| image.fingerprint.clone());
            Some((image, evidence.caption.clone()))
        };
        self.query.fingerprint == other.query.fingerprint && evidence(self) == evidence(other)
    }

    /// Most tokens of an answer in words.
    pub(super) fn most_tokens(&self) -> usize {
        match self.task.kind {
            // A set may hold every label.
            TaskKind::MultiLabel => MOST_TOKENS + TOKENS_PER_LABEL * self.task.labels.len(),
            _ => MOST_TOKENS,
        }
    }
}

/// How much each input contributes to the log-odds between two labels.
#[derive(Clone, Debug, PartialEq)]
pub struct InputContributions {
    /// Of each token of the caption, with its bytes of the caption; empty if no caption was shown.
    pub caption: Vec<(Range<usize>, f32)>,
    /// Of each patch of the document's image; `None` if none was shown, or the model cuts images into tiles.
    pub document: Option<PatchContributions>,
    /// Of each patch of the query image.
    pub query: Option<PatchContributions>,
}

/// Values on a grid of patches, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchContributions {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<f32>,
}

/// Answers to one question by a reader without log-probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampledAnswer {
    /// How many answers named each label.
    pub samples: LabelSamples,
    /// The beginning of the first answer that names no label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnamed_text: Option<String>,
}

impl From<SampledAnswer> for Prediction {
    /// Chooses the most frequent outcome; if that is no label, the prediction has a text that names none.
    fn from(answer: SampledAnswer) -> Self {
        let prediction = Self::from(answer.samples);
        let text = answer.unnamed_text.filter(|_| prediction.answer.is_none());
        Self { text, ..prediction }
    }
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

    /// Scores variants of one request, each of which is asked once: a word left out, a region covered. The answers are those
    /// of [`Self::score`], but images and beginnings of these prompts are not kept for later.
    fn score_variants(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        self.score(requests, cancelled)
    }

    /// Does it give sampled answers ([`Self::sample`]) and no log-probabilities?
    fn is_sampled(&self) -> bool {
        false
    }

    /// Samples answers to each request, in order, and counts the labels that they name.
    ///
    /// # Errors
    /// Fails if the reader gives log-probabilities.
    fn sample(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<SampledAnswer>, ReaderError> {
        let _ = (requests, cancelled);
        Err(anyhow!("reader {}: it gives log-probabilities, which sampling would only estimate", self.name()).into())
    }

    /// What was asked of a server so far; `None` for a model in this process.
    fn usage(&self) -> Option<TokenUsage> {
        None
    }

    /// Estimates by gradients what each token of the caption and each patch of the images contributes to the log-odds
    /// of `answer` over `runner_up`.
    ///
    /// # Errors
    /// Fails if the model is not in this process or has no gradients.
    fn contributions(
        &mut self,
        request: &ReadRequest,
        answer: LabelIndex,
        runner_up: LabelIndex,
    ) -> Result<InputContributions, ReaderError> {
        let _ = (request, answer, runner_up);
        Err(anyhow!("reader {}: gradients need a model in this process; use occlusion", self.name()).into())
    }

    /// Generates a text answer to each request, in order, by greedy decoding: one line of at most 32 tokens, longer
    /// for a set of labels. `cancelled` is called between batches.
    fn generate(&mut self, requests: &[ReadRequest], cancelled: &dyn Fn() -> bool) -> Result<Vec<String>, ReaderError>;
}
