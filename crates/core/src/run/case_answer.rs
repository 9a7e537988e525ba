//! Everything the models say about one case, whole, as a run holds it. What is answered so far is
//! `dissent_evaluation::PartialCaseAnswer`.

use super::{Hit, Prediction};

/// Hits, one prediction per hit, and the closed-book one.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseAnswer {
    /// Position in `Dataset::cases`.
    pub case: usize,
    /// Empty if the case was read closed-book only.
    pub hits: Vec<Hit>,
    /// One per hit.
    pub predictions: Vec<Prediction>,
    /// `None` in a run of software that did not ask without a document.
    pub closed_book: Option<Prediction>,
    /// The fused answer of other software, as it wrote it.
    pub recorded_fusion: Option<Prediction>,
}
