//! A document: one corpus item, an image with its caption.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One line of `corpus.jsonl`. Its row (first line is 0) is its number in the FAISS indices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub id: String,
    /// Image file, relative to the dataset directory.
    #[serde(alias = "img_path")]
    pub image: PathBuf,
    #[serde(alias = "text")]
    pub caption: String,
    #[serde(default, alias = "dataset_source", skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Patient or study, as in a case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}
