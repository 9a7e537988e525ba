//! A hit: a retrieved document with head, rank and score.

use super::head_name::{HeadName, HeadNameError};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The search that found a document. The *image head* searches image vectors, the *caption head* caption vectors (paper,
/// dual-head retriever; docs/method.md, "Heads"). `Lexical` searches captions for words, `Person` marks a document that
/// the user added by hand, `Random` one that was drawn in place of a hit. `Named` is a retriever or reranker outside of this
/// program, by the tag of its hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Head {
    Image,
    Caption,
    Lexical,
    Person,
    Random,
    Named(HeadName),
}

/// Heads of this program.
const OWN_HEADS: [(Head, &str); 5] = [
    (Head::Image, "image"),
    (Head::Caption, "caption"),
    (Head::Lexical, "lexical"),
    (Head::Person, "person"),
    (Head::Random, "random"),
];

impl Head {
    /// The name in files and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Named(name) => name.as_str(),
            own => OWN_HEADS.iter().find(|(head, _)| *head == own).map_or("", |(_, name)| name),
        }
    }
}

impl FromStr for Head {
    type Err = HeadNameError;

    fn from_str(name: &str) -> Result<Self, HeadNameError> {
        match OWN_HEADS.iter().find(|(_, own)| *own == name) {
            Some((head, _)) => Ok(*head),
            None => HeadName::new(name).map(Self::Named),
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Head {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// How one head found a document.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub head: Head,
    /// Rank within that head, from 1.
    pub rank: usize,
    /// Inner product of unit vectors (cosine similarity), BM25 for the lexical head, or what a named head gave; `None` in a
    /// run of software that did not write scores.
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
