//! A hit: a retrieved document with head, rank and score.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The index that a query searched. The *image head* searches image vectors, the *caption head* caption vectors (paper,
/// dual-head retriever; docs/method.md, "Heads"). `Lexical` searches captions for words, `Person` marks a document that
/// the user added by hand, `Random` one that was drawn in place of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Head {
    Image,
    Caption,
    Lexical,
    Person,
    Random,
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Image => "image",
            Self::Caption => "caption",
            Self::Lexical => "lexical",
            Self::Person => "person",
            Self::Random => "random",
        })
    }
}

/// How one head found a document.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub head: Head,
    /// Rank within that head, from 1.
    pub rank: usize,
    /// Inner product of unit vectors (cosine similarity), or BM25 for the lexical head; `None` in a run of software
    /// that did not write scores.
    pub score: Option<f32>,
}

/// A retrieved document. A document that both heads found is one hit with two provenances, the first head's first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Row of the document in `corpus.jsonl`.
    pub row: usize,
    /// Id of the document.
    pub document: String,
    pub provenances: Vec<Provenance>,
}

impl Hit {
    /// The provenance that decides the hit's place in the list.
    pub fn first(&self) -> &Provenance {
        &self.provenances[0]
    }
}
