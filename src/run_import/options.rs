//! Options for what the files of a reference run leave out.

use crate::data::Split;
use std::path::PathBuf;

/// Options of [`super::import_reference_run`].
#[derive(Clone, Debug)]
pub struct ReferenceRunOptions {
    /// The file of fused answers, one line per case.
    pub fused: Option<PathBuf>,
    /// A file of answers without a document, one line per case.
    pub closed_book: Option<PathBuf>,
    /// Folder of relative image paths; default: the folder of the predictions.
    pub images: Option<PathBuf>,
    /// Labels in the order of the logits; default: the different gold answers, sorted.
    pub labels: Vec<String>,
    /// Id of the task.
    pub task: String,
    pub split: Split,
    /// Name of the run.
    pub run: String,
    /// The heads that found the candidates; default: read from the file's name.
    pub heads: Option<CandidateHeads>,
}

/// The heads that found a file's candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CandidateHeads {
    Image,
    Caption,
    /// The first half from the image head, the second from the caption head.
    Both,
}
