//! A document: one corpus item, an image with its caption.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// One line of `corpus.jsonl`, to be written or imported. Its row (first line is 0) is its number in the FAISS indices.
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

/// A document of a [`super::Corpus`], whose texts stay where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentView<'a> {
    pub id: &'a str,
    /// Image file, relative to the dataset directory.
    pub image: &'a Path,
    pub caption: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a str>,
    /// Patient or study, as in a case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<&'a str>,
}

impl Document {
    /// This document, as a corpus shows it.
    pub fn view(&self) -> DocumentView<'_> {
        DocumentView {
            id: &self.id,
            image: &self.image,
            caption: &self.caption,
            source: self.source.as_deref(),
            group: self.group.as_deref(),
        }
    }
}

impl DocumentView<'_> {
    /// A copy that owns its texts.
    pub fn to_document(self) -> Document {
        Document {
            id: self.id.into(),
            image: self.image.into(),
            caption: self.caption.into(),
            source: self.source.map(str::to_owned),
            group: self.group.map(str::to_owned),
        }
    }
}
