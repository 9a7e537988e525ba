//! Questions of a person's own about a case: a document put in by hand, a hit without its caption or image, images like
//! one that is shown.

use crate::run::Ablation;
use std::path::PathBuf;

/// A document to read a case with, shown whole or with something withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// Row of the document in `corpus.jsonl`.
    pub row: usize,
    /// `random_documents` does not matter here.
    pub ablation: Ablation,
}

/// The image that others are to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageLike {
    /// The image of the case itself.
    Case,
    /// That of the document in this row.
    Document(usize),
    File(PathBuf),
}
