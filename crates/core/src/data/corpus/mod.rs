//! The documents of a dataset. Their texts lie one after the other, in memory or in a mapped file ([`layout`]); a document is a
//! view of them.

mod footer;
mod kept_file;
mod layout;
mod stored_documents;
#[cfg(test)]
mod tests;

use super::jsonl::for_each_document;
use super::{Document, DocumentView, Problem};
use crate::text::printable::message_of;
pub(super) use kept_file::Kept;
use kept_file::{LARGE, Opened, folder_of, open_or_write};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use stored_documents::{Damaged, InMemory, StoredDocuments};

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
    documents: Arc<Documents>,
    models: Vec<String>,
}

/// The documents of a corpus.
struct Documents {
    stored: StoredDocuments,
    /// What the file is made of if they are in a file.
    kept: Option<Kept>,
    /// The documents in memory once the file was found damaged; `None` if they cannot be had.
    again: OnceLock<Option<StoredDocuments>>,
}

impl Documents {
    fn in_memory(stored: StoredDocuments) -> Self {
        Self { stored, kept: None, again: OnceLock::new() }
    }

    /// The answer of the stored documents, or if they are damaged, of `corpus.jsonl`.
    fn ask<'a, T>(&'a self, ask: &dyn Fn(&'a StoredDocuments) -> Result<T, Damaged>) -> Option<T> {
        if let Ok(answer) = ask(&self.stored) {
            return Some(answer);
        }
        let again = self.again.get_or_init(|| self.kept.as_ref()?.read_again(self.stored.len()));
        ask(again.as_ref()?).ok()
    }
}

/// The valid lines of `corpus.jsonl` in memory, and the problems of the others.
fn parse(path: &Path) -> (StoredDocuments, Vec<Problem>) {
    let mut documents = InMemory::new();
    let problems = for_each_document(path, &mut |_, document| documents.push(&document.view()));
    (documents.finish(), problems)
}

/// What was read from `corpus.jsonl`.
pub(super) struct ReadCorpus {
    pub corpus: Corpus,
    pub problems: Vec<Problem>,
    /// What the user should know.
    pub remark: Option<String>,
}

impl Corpus {
    /// Reads the valid lines of `corpus.jsonl`; those of a large one from the file that is kept of them.
    pub(super) fn read(path: &Path) -> ReadCorpus {
        let is_large = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > LARGE);
        match path.parent().filter(|_| is_large).and_then(folder_of) {
            Some(folder) => Self::read_kept(path, &folder),
            None => Self::read_into_memory(path, None),
        }
    }

    /// Reads the documents that are kept in this folder.
    fn read_kept(path: &Path, folder: &Path) -> ReadCorpus {
        match open_or_write(path, folder) {
            Ok(Opened { documents, kept, problems, remark }) => {
                let documents = Documents { stored: documents, kept: Some(kept), again: OnceLock::new() };
                ReadCorpus { corpus: Self { documents: Arc::new(documents), models: Vec::new() }, problems, remark }
            }
            Err(error) => {
                let why = format!("all documents are in memory, and parsed at each start: {}", message_of(&error));
                Self::read_into_memory(path, Some(why))
            }
        }
    }

    fn read_into_memory(path: &Path, remark: Option<String>) -> ReadCorpus {
        let (documents, problems) = parse(path);
        let documents = Arc::new(Documents::in_memory(documents));
        ReadCorpus { corpus: Self { documents, models: Vec::new() }, problems, remark }
    }

    /// A corpus in memory.
    pub fn of(documents: &[Document]) -> Self {
        let mut stored = InMemory::new();
        for document in documents {
            stored.push(&document.view());
        }
        Self { documents: Arc::new(Documents::in_memory(stored.finish())), models: Vec::new() }
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
        self.documents.stored.len()
    }

    /// The document in a row. A model has no image and no caption.
    ///
    /// # Panics
    /// Panics if there is no such row.
    pub fn document(&self, row: usize) -> DocumentView<'_> {
        let documents = self.document_count();
        match row.checked_sub(documents) {
            None => match self.documents.ask(&|stored| stored.document(row)) {
                Some(document) => document,
                None => DocumentView { id: "", image: Path::new(""), caption: LOST, source: None, group: None },
            },
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
        self.documents.ask(&|stored| stored.row_of(id)).flatten()
    }

    /// The row of the model with this name.
    pub fn model_row_of(&self, name: &str) -> Option<usize> {
        Some(self.document_count() + self.models.iter().position(|model| model == name)?)
    }

    /// The different sources, in the order of their first documents.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.documents.stored.sources()
    }

    /// Copies of all rows, to be changed or written.
    pub fn to_documents(&self) -> Vec<Document> {
        self.iter().map(DocumentView::to_document).collect()
    }

    /// What is kept of a large corpus.
    pub(super) fn kept(&self) -> Option<&Kept> {
        self.documents.kept.as_ref()
    }

    /// Adds a row for a model.
    pub(super) fn add_model(&mut self, name: &str) {
        self.models.push(name.to_owned());
    }
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
