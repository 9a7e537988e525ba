//! Events of the pipeline and the worker threads.

use super::costs::{HostedReader, ServerUsage};
use super::explaining::{ExplainOutcome, ExplainProgress, ExplainRequest};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{CaseAnswer, Hit, Prediction, Probe, Shown};
use dissent_retrieval::index::CaptionResult;

/// Number of a request. Later requests have larger numbers; answers to an earlier one may be dropped.
pub type Ticket = u64;

/// Called with a line about slow work, such as loading models or building the index.
pub type Progress<'a> = &'a dyn Fn(String);

/// The models that answer, for the status line and the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelDescription {
    /// "standard retriever" or "trained retriever", for narrow places.
    pub heads: String,
    pub retriever: String,
    pub reader: String,
    pub device: String,
    /// For example "exact search, 420 images".
    pub index: String,
    /// Fingerprint of dataset, retriever, reader, prompts and K together: annotations record it.
    pub run_fingerprint: String,
    /// Fingerprint of the reader: its answers in the cache have it in their keys.
    pub reader_fingerprint: Fingerprint,
    /// Where the reader is if it may cost money, and what a case takes there.
    pub hosted: Option<HostedReader>,
    /// Its probabilities are shares of sampled answers (≈).
    pub is_sampled: bool,
}

/// An event of the engine. Answers about a case are valid whenever they arrive, even if other cases were opened since.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Models and index are loaded.
    Ready(ModelDescription),
    /// A line about slow work, for example "indexing 120 of 420".
    Progress(String),
    /// The whole answer to a case in a stored run.
    Stored(CaseAnswer),
    /// The hits of a case, before the reader sees them.
    Hits { case: usize, hits: Vec<Hit> },
    /// The reader's answer to a case with the hit in this slot, from 0.
    Prediction { case: usize, slot: usize, prediction: Prediction },
    /// The reader's answer to a case without a document. It comes last.
    ClosedBook { case: usize, prediction: Prediction },
    /// Results of a search for captions or images, best first.
    SearchResults { ticket: Ticket, results: Vec<CaptionResult> },
    /// A search failed.
    SearchFailed { ticket: Ticket, message: String },
    /// The reader's answer to a probe, or an error message. `shown` names the documents whose image and caption were
    /// shown, `None` if both were the document's own. A probe is not a hit's prediction and does not count in any
    /// figure of the case.
    Probed { case: usize, probe: Probe, shown: Option<Shown>, outcome: Result<Prediction, String> },
    /// How far an explanation is.
    Explaining { ticket: Ticket, progress: ExplainProgress },
    /// An explanation, what it would cost, or why there is none.
    Explained { ticket: Ticket, request: ExplainRequest, outcome: Result<ExplainOutcome, String> },
    /// What was asked of servers since the start; reported after each work that asked one.
    Usage(ServerUsage),
    /// An error with a case or, if `None`, with the engine itself; other work continues.
    Failed { case: Option<usize>, message: String },
}
