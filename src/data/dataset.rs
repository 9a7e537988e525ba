//! The dataset directory: `dataset.toml`, `cases.jsonl`, `corpus.jsonl`, `images/`.

use super::{Case, Document, Task};
use std::path::PathBuf;

/// A dataset read into memory; images stay on disk.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The directory.
    pub root: PathBuf,
    pub name: String,
    pub licence: Option<String>,
    /// Shown to the user wherever the dataset is explored.
    pub note: Option<String>,
    pub tasks: Vec<Task>,
    pub cases: Vec<Case>,
    pub corpus: Vec<Document>,
}
