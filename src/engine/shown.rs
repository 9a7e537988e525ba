//! What the reader was really given with a document: it travels with a prediction that was made on anything but the document's
//! own image and caption.

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

impl From<Option<String>> for Given {
    fn from(document: Option<String>) -> Self {
        document.map_or(Self::Withheld, Self::Document)
    }
}
