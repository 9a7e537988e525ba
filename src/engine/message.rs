//! What the explorer asks of the engine and what comes back.

use super::Shown;
use super::probe::{ImageLike, Probe};
use crate::index::CaptionResult;
use crate::reader::Prediction;
use crate::retriever::Hit;

/// Number of a request: a later one is larger, and answers to an earlier one may be dropped.
pub type Ticket = u64;

/// A wish. A newer `Open` replaces one that is still waiting and cancels the one in work; so does a newer search.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Retrieve for this case (position in `Dataset::cases`), then read each hit.
    Open { case: usize },
    /// Work through these cases when nothing else is wanted, in this order; replaces the list given before.
    Ahead { cases: Vec<usize> },
    /// Read this case with this document once; asked in order, before any work ahead.
    Probe { case: usize, probe: Probe },
    /// Search images like this one among those that the case may see.
    SearchImages { ticket: Ticket, case: usize, like: ImageLike, limit: usize },
    /// Search captions.
    SearchCaptions { ticket: Ticket, query: String, limit: usize },
}

/// Who answers, for the status line and for the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineDescription {
    /// "standard retriever" or "trained retriever", for where there is little room.
    pub heads: String,
    pub retriever: String,
    pub reader: String,
    pub device: String,
    /// "Flat, 420 documents".
    pub index: String,
    /// Fingerprint of dataset, retriever, reader, prompts and K together: what an annotation was made on.
    pub run_fingerprint: String,
}

/// What the engine reports. Answers about a case are valid whenever they arrive, whatever was asked since.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Models and index are loaded.
    Ready(EngineDescription),
    /// A line about long work: "indexing 120 of 420".
    Progress(String),
    /// The hits of a case, before they are read.
    Hits { case: usize, hits: Vec<Hit> },
    /// The reader's answer to a case with the hit in this slot (0 is the first).
    Prediction { case: usize, slot: usize, prediction: Prediction },
    /// The reader's answer to a case without a document; `None` in a stored run where it was not asked for one.
    ClosedBook { case: usize, prediction: Option<Prediction> },
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
