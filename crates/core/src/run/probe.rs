//! A probe: a document that the user adds by hand, or a hit that is read again with an ablation.

use super::Ablation;

/// A document to read a case with, whole or with part of it withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// Row of the document in `corpus.jsonl`.
    pub row: usize,
    /// `random_documents` has no effect here.
    pub ablation: Ablation,
}
