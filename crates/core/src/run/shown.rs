//! The image and caption that the reader saw. Stored with a prediction if they are not the document's own.

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
    /// The image or caption of the document with this id.
    Document(String),
    Withheld,
}

impl Shown {
    /// Image and caption shown with the document in `row`: its image unless withheld, and the caption of the document
    /// in `caption_row`. `None` if both are its own.
    pub fn unless_own(dataset: &Dataset, row: usize, caption_row: Option<usize>, without_image: bool) -> Option<Self> {
        let given = |row: Option<usize>| {
            let document = row.and_then(|row| dataset.corpus.get(row));
            document.map_or(Given::Withheld, |document| Given::Document(document.id.to_owned()))
        };
        let is_own = caption_row == Some(row) && !without_image;
        (!is_own).then(|| Self { image: given((!without_image).then_some(row)), caption: given(caption_row) })
    }
}
