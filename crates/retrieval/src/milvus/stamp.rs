//! What a collection records of itself, in two of its properties: what it is filled from, written when it is made, and what
//! is in it, written when it is complete. A collection without the second is unfinished, and nobody searches it.

use super::kind::StoreIndexKind;
use super::recall::RecallSample;
use crate::index::{EncoderStamp, TOKENIZER, VectorSide};
use dissent_core::data::CONVERSION_VERSION;
use dissent_core::files::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};

/// Increased when fields or their meaning change.
pub(super) const VERSION: u32 = 1;
pub(super) const INPUTS_PROPERTY: &str = "dissent.inputs";
pub(super) const CONTENT_PROPERTY: &str = "dissent.content";

/// What a collection is filled from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Inputs {
    pub version: u32,
    pub documents: usize,
    pub corpus: Fingerprint,
    pub tokenizer: String,
    pub conversion: String,
    pub encoder: EncoderStamp,
    pub image: StoreIndexKind,
    pub caption: StoreIndexKind,
    /// Whether captions can be searched by words: old servers cannot.
    pub words: bool,
}

impl Inputs {
    pub fn new(documents: usize, corpus: Fingerprint, encoder: EncoderStamp, flat_limit: usize, words: bool) -> Self {
        let kind = StoreIndexKind::choose(documents, flat_limit);
        Self {
            version: VERSION,
            documents,
            corpus,
            tokenizer: TOKENIZER.into(),
            conversion: CONVERSION_VERSION.into(),
            encoder,
            image: kind,
            caption: kind,
            words,
        }
    }

    /// Whether documents have vectors on this side.
    pub fn has_side(&self, side: VectorSide) -> bool {
        self.encoder.only.is_none_or(|only| only == side)
    }

    /// The kind of index on this side.
    pub fn kind(&self, side: VectorSide) -> StoreIndexKind {
        match side {
            VectorSide::Image => self.image,
            VectorSide::Caption => self.caption,
        }
    }

    /// The beginning of the collection's name, the same for the same inputs. The probe of an encoder's server is left out: it
    /// differs from run to run where its fingerprint does not.
    pub fn name(&self, alias: &str) -> String {
        let kinds = [self.image.to_string(), self.caption.to_string()];
        let print = Fingerprint::of_parts([
            "milvus 1",
            self.corpus.as_str(),
            self.encoder.fingerprint.as_str(),
            &self.tokenizer,
            &self.conversion,
            &kinds[0],
            &kinds[1],
        ]);
        format!("{alias}__{print}")
    }

    /// Whether a collection of these inputs is one of the others: equal but for the server's probe.
    pub fn is_same(&self, other: &Self) -> bool {
        let without_probe = |inputs: &Self| {
            let mut inputs = inputs.clone();
            inputs.encoder.probe = None;
            inputs
        };
        without_probe(self) == without_probe(other)
    }
}

/// What is in a complete collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Content {
    /// Date of completion, RFC 3339 in UTC.
    pub date: String,
    /// Of the contents of all images and captions.
    pub contents: Fingerprint,
    /// Words of all captions, for BM25.
    pub tokens: u64,
    /// Documents whose image could not be read.
    pub left_out: usize,
    pub sample: RecallSample,
}
