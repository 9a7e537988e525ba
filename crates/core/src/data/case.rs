//! A case: one query image with its question and its gold answer.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// The part of a dataset that a case belongs to. The test split is never used to choose anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Split {
    Train,
    #[serde(alias = "val", alias = "valid")]
    #[cfg_attr(feature = "clap", value(alias = "val"))]
    Validation,
    Test,
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

/// One line of `cases.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub id: String,
    /// Id of a task in `dataset.toml`.
    pub task: String,
    pub split: Split,
    /// Image file, relative to the dataset directory.
    #[serde(alias = "image_path")]
    pub image: PathBuf,
    /// The case's own question; default: the task's question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Gold answer: a label id of the task, several with commas between them or as a JSON list
    /// ([`Task::answer_text_of_set`](super::Task::answer_text_of_set)), or words.
    #[serde(alias = "answers")]
    pub answer: String,
    /// Labels of which nobody knows whether they belong to the answer; only where several labels are answered at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// Patient or study. A case never retrieves a document of its own group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}
