//! What the reader was really given with a document: it travels with a prediction that was made on anything but the document's
//! own image and caption.

use crate::data::Dataset;
use serde::{Deserialize, Serialize};

/// Image and caption of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub image: Given,
    pub caption: Given,
}

/// One part of the evidence, as `{"document": "d7"}` or `"withheld"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Given {
    /// That of the document with this id.
    Document(String),
    Withheld,
}

impl Shown {
    /// What was given with the document in `row`: its image unless that was withheld, and the caption of the document in
    /// `caption_row`. `None` where both are its own.
    pub fn unless_own(dataset: &Dataset, row: usize, caption_row: Option<usize>, without_image: bool) -> Option<Self> {
        let given = |row: Option<usize>| {
            let document = row.and_then(|row| dataset.corpus.get(row));
            document.map_or(Given::Withheld, |document| Given::Document(document.id.clone()))
        };
        let is_own = caption_row == Some(row) && !without_image;
        (!is_own).then(|| Self { image: given((!without_image).then_some(row)), caption: given(caption_row) })
    }
}
