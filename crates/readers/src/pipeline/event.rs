//! What the pipeline and the worker threads report.

use dissent_core::run::{CaseAnswer, Hit, Prediction, Probe, Shown};
use dissent_retrieval::index::CaptionResult;

/// Number of a request: a later one is larger, and answers to an earlier one may be dropped.
pub type Ticket = u64;

/// Called with a line about long work while models are loaded and the index is built.
pub type Progress<'a> = &'a dyn Fn(String);

/// Who answers, for the status line and for the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelDescription {
    /// "standard retriever" or "trained retriever", for where there is little room.
    pub heads: String,
    pub retriever: String,
    pub reader: String,
    pub device: String,
    /// "exact search, 420 images".
    pub index: String,
    /// Fingerprint of dataset, retriever, reader, prompts and K together: what an annotation was made on.
    pub run_fingerprint: String,
}

/// What the engine reports. Answers about a case are valid whenever they arrive, whatever was asked since.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Models and index are loaded.
    Ready(ModelDescription),
    /// A line about long work: "indexing 120 of 420".
    Progress(String),
    /// The whole answer to a case in a stored run.
    Stored(CaseAnswer),
    /// The hits of a case, before they are read.
    Hits { case: usize, hits: Vec<Hit> },
    /// The reader's answer to a case with the hit in this slot (0 is the first).
    Prediction { case: usize, slot: usize, prediction: Prediction },
    /// The reader's answer to a case without a document. It comes last.
    ClosedBook { case: usize, prediction: Prediction },
    /// Captions or images that were found, best first.
    SearchResults { ticket: Ticket, results: Vec<CaptionResult> },
    /// A search could not be made.
    SearchFailed { ticket: Ticket, message: String },
    /// The reader's answer to a probe, or why there is none.
    /// `shown` names the documents whose image and caption it was given; `None` where those were the document's own. It is no
    /// hit's prediction and counts in no figure of the case.
    Probed { case: usize, probe: Probe, shown: Option<Shown>, outcome: Result<Prediction, String> },
    /// Something went wrong with a case, or (`None`) with the engine itself; the rest goes on.
    Failed { case: Option<usize>, message: String },
}
