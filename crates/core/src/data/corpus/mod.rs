//! The documents of a dataset. Their texts lie one after the other, in memory or in a mapped file ([`layout`]); a document is a
//! view of them.

mod footer;
mod layout;
mod stored_documents;

use super::jsonl::for_each_document;
use super::{Document, DocumentView, Problem};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use stored_documents::{InMemory, StoredDocuments};

/// The rows of a corpus in order.
#[derive(Clone)]
pub struct Rows<'a> {
    corpus: &'a Corpus,
    rows: Range<usize>,
}

impl<'a> Iterator for Rows<'a> {
    type Item = DocumentView<'a>;

    fn next(&mut self) -> Option<DocumentView<'a>> {
        self.rows.next().map(|row| self.corpus.document(row))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl ExactSizeIterator for Rows<'_> {}

/// What the caption says if a document can neither be read from its file nor from `corpus.jsonl`.
const LOST: &str = "[this document is damaged on disk, and corpus.jsonl has changed; start again]";

/// The documents of a dataset in the order of `corpus.jsonl`, and after them the rows of
/// [`super::Dataset::add_models`]. A clone shares the documents.
#[derive(Clone)]
pub struct Corpus {
    stored: Arc<StoredDocuments>,
    models: Vec<String>,
}

/// What was read from `corpus.jsonl`.
pub(super) struct ReadCorpus {
    pub corpus: Corpus,
    pub problems: Vec<Problem>,
}

impl Corpus {
    /// Reads the valid lines of `corpus.jsonl`.
    pub(super) fn read(path: &Path) -> ReadCorpus {
        let mut stored = InMemory::new();
        let problems = for_each_document(path, &mut |_, document| stored.push(&document.view()));
        ReadCorpus { corpus: Self { stored: Arc::new(stored.finish()), models: Vec::new() }, problems }
    }

    /// A corpus in memory.
    pub fn of(documents: &[Document]) -> Self {
        let mut stored = InMemory::new();
        documents.iter().for_each(|document| stored.push(&document.view()));
        Self { stored: Arc::new(stored.finish()), models: Vec::new() }
    }

    /// Number of rows, those of models among them.
    pub fn len(&self) -> usize {
        self.document_count() + self.models.len()
    }

    /// Are there no rows?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of documents.
    pub fn document_count(&self) -> usize {
        self.stored.len()
    }

    /// The document in a row. A model has no image and no caption.
    ///
    /// # Panics
    /// Panics if there is no such row.
    pub fn document(&self, row: usize) -> DocumentView<'_> {
        let documents = self.document_count();
        match row.checked_sub(documents) {
            None => self.stored.document(row).unwrap_or_else(|_| lost()),
            Some(model) => {
                DocumentView { id: &self.models[model], image: Path::new(""), caption: "", source: None, group: None }
            }
        }
    }

    /// The document in a row; `None` if there is no such row.
    pub fn get(&self, row: usize) -> Option<DocumentView<'_>> {
        (row < self.len()).then(|| self.document(row))
    }

    /// All rows in order.
    pub fn iter(&self) -> Rows<'_> {
        Rows { corpus: self, rows: 0..self.len() }
    }

    /// The first row with this id, of a document or else of a model.
    pub fn row_of(&self, id: &str) -> Option<usize> {
        self.document_row_of(id).or_else(|| self.model_row_of(id))
    }

    /// The row of the document with this id.
    pub fn document_row_of(&self, id: &str) -> Option<usize> {
        self.stored.row_of(id).unwrap_or_default()
    }

    /// The row of the model with this name.
    pub fn model_row_of(&self, name: &str) -> Option<usize> {
        Some(self.document_count() + self.models.iter().position(|model| model == name)?)
    }

    /// The different sources, in the order of their first documents.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.stored.sources()
    }

    /// Copies of all rows, to be changed or written.
    pub fn to_documents(&self) -> Vec<Document> {
        self.iter().map(DocumentView::to_document).collect()
    }

    /// Adds a row for a model.
    pub(super) fn add_model(&mut self, name: &str) {
        self.models.push(name.to_owned());
    }
}

fn lost() -> DocumentView<'static> {
    DocumentView { id: "", image: Path::new(""), caption: LOST, source: None, group: None }
}

impl Default for Corpus {
    fn default() -> Self {
        Self::of(&[])
    }
}

impl<'a> IntoIterator for &'a Corpus {
    type Item = DocumentView<'a>;
    type IntoIter = Rows<'a>;

    fn into_iter(self) -> Rows<'a> {
        self.iter()
    }
}

impl PartialEq for Corpus {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Corpus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Corpus({} documents, models {:?})", self.document_count(), self.models)
    }
}
