//! A document that a user puts in by hand, or a hit that is read again with something withheld.

use super::Ablation;

/// A document to read a case with, shown whole or with something withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// Row of the document in `corpus.jsonl`.
    pub row: usize,
    /// `random_documents` has no effect here.
    pub ablation: Ablation,
}
