//! The interface of a store of documents: the embedded engines of [`super::Index`], or a server.
//!
//! A search has two filters. [`DocumentFilter`] is one that an engine can apply by itself, so that a server need not send
//! what nobody may see. `allowed` decides in the end: it also compares the contents of images, which no engine knows, and a
//! store fetches more until enough documents have passed it.

use super::{CaptionResult, IndexError, LeftOut, VectorSide};
use anyhow::Result;
use dissent_core::data::Case;
use dissent_core::files::fingerprint::Fingerprint;

/// What may be found, by fields that every engine stores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentFilter {
    /// No document of this group.
    pub not_group: Option<String>,
    /// No document with this image path, as in corpus.jsonl.
    pub not_image: Option<String>,
    /// Not the document with this id.
    pub not_id: Option<String>,
    /// Only documents of this source.
    pub source: Option<String>,
    /// Only documents whose captions contain all these words (and phrases).
    pub words: Option<String>,
}

impl DocumentFilter {
    /// The part of [`dissent_core::data::Dataset::may_retrieve`] that fields can express.
    pub fn for_case(case: &Case) -> Self {
        Self {
            not_group: case.group.clone(),
            // A path that is not UTF-8 has no equal in a store.
            not_image: case.image.to_str().map(str::to_owned),
            not_id: Some(case.id.clone()),
            ..Self::default()
        }
    }
}

/// Which documents a search may return.
#[derive(Clone, Copy)]
pub struct SearchScope<'a> {
    pub filter: &'a DocumentFilter,
    /// Whether the document in this corpus row may be returned.
    pub allowed: &'a dyn Fn(usize) -> bool,
}

/// The captions of a corpus, searched by words. It needs no encoder.
pub trait CaptionSearch: Send + Sync {
    /// The best `limit` captions for a query (words, "a phrase", -word, +word, word~, word*, source:NAME, AND, OR, NOT), by
    /// BM25; best first, the lower row first for equal scores.
    ///
    /// # Errors
    /// Fails with [`IndexError::Query`] if the query is invalid, and with [`IndexError::Unsupported`] if this engine cannot
    /// answer it.
    fn search_words(&self, query: &str, limit: usize, scope: SearchScope) -> Result<Vec<CaptionResult>, IndexError>;

    /// Like [`Self::search_words`] for plain text, in which no character has a special meaning.
    ///
    /// # Errors
    /// Fails like [`Self::search_words`].
    fn search_text(&self, text: &str, limit: usize, scope: SearchScope) -> Result<Vec<CaptionResult>, IndexError>;
}

/// A document as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// Row in the corpus.
    pub row: usize,
    pub id: String,
    /// Empty if it has none.
    pub source: String,
    /// Path of its image, as in corpus.jsonl; the image itself is not stored.
    pub image: String,
    pub caption: String,
}

/// What an engine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Vectors are compared one by one, so that nothing is missed.
    pub exact_vectors: bool,
    /// Captions are searched by words.
    pub words: bool,
    /// "A phrase".
    pub phrases: bool,
    /// `word~` and `word*`.
    pub varied_words: bool,
    /// The places of the words in a caption.
    pub highlights: bool,
    /// [`DocumentFilter`] is applied by the engine and not only afterwards.
    pub filters: bool,
}

impl Capabilities {
    /// Name and presence of each, for a report.
    pub fn named(&self) -> [(&'static str, bool); 6] {
        [
            ("exact search of vectors", self.exact_vectors),
            ("words", self.words),
            ("phrases", self.phrases),
            ("word~ and word*", self.varied_words),
            ("highlights", self.highlights),
            ("filters", self.filters),
        ]
    }
}

/// The documents of one corpus with the vectors of one encoder. Rows are those of the corpus.
pub trait DocumentStore: Send + Sync {
    /// The best `limit` documents on one side for a unit vector: row and cosine similarity, best first, the lower row first for
    /// equal scores.
    ///
    /// # Errors
    /// Fails if the query has another dimension, is not finite or not of length 1, or the store cannot be read.
    fn search(&self, side: VectorSide, query: &[f32], limit: usize, scope: SearchScope) -> Result<Vec<(usize, f32)>>;

    /// The captions.
    fn captions(&self) -> &dyn CaptionSearch;

    /// The documents with these ids, by row; ids that the store does not have are left out.
    ///
    /// # Errors
    /// Fails if the store cannot be read.
    fn documents(&self, ids: &[&str]) -> Result<Vec<StoredDocument>>;

    /// The vectors of documents, in the order of `rows`; `None` for one whose image was left out, or if the store has no vectors
    /// on this side.
    ///
    /// # Errors
    /// Fails if a row is not in the corpus or the store cannot be read.
    fn document_vectors(&self, side: VectorSide, rows: &[usize]) -> Result<Vec<Option<Vec<f32>>>>;

    /// Whether documents have vectors on this side.
    fn has_side(&self, side: VectorSide) -> bool;

    /// Number of documents, including those whose image was left out.
    fn count(&self) -> usize;

    /// Documents whose image could not be read.
    fn left_out(&self) -> &[LeftOut];

    /// Length of the vectors.
    fn dimension(&self) -> usize;

    /// Name of what made the vectors.
    fn encoder_name(&self) -> &str;

    /// Fingerprint of what made the vectors.
    fn encoder_fingerprint(&self) -> &Fingerprint;

    /// Equal fingerprints give equal results.
    fn fingerprint(&self) -> Fingerprint;

    /// What the engine can do.
    fn capabilities(&self) -> Capabilities;

    /// What it is, by name and value, for a report; a server measures what its search misses.
    ///
    /// # Errors
    /// Fails if the store cannot be read.
    fn report(&self) -> Result<Vec<(&'static str, String)>>;

    /// Text such as "exact search, 420 images".
    fn summary(&self) -> String;

    /// Where it is, for messages: a folder or an address.
    fn place(&self) -> String;
}
