//! The embedded engines as a [`DocumentStore`]: FAISS for vectors, Tantivy for captions.

use super::document_store::{Capabilities, CaptionSearch, DocumentFilter, DocumentStore, SearchScope, StoredDocument};
use super::{CaptionResult, Index, IndexError, LeftOut, TOKENIZER, TextIndex, VectorKind, VectorSide};
use anyhow::Result;
use dissent_core::files::fingerprint::Fingerprint;
use std::collections::HashSet;

impl CaptionSearch for TextIndex {
    fn search_words(&self, query: &str, limit: usize, scope: SearchScope) -> Result<Vec<CaptionResult>, IndexError> {
        let rows = scope.filter.words.as_deref().map(|words| self.rows_with_words(words, None)).transpose()?;
        let allowed = |row: usize| rows.as_ref().is_none_or(|rows| rows.contains(&row)) && (scope.allowed)(row);
        self.search(query, scope.filter.source.as_deref(), limit, &allowed)
    }

    fn search_text(&self, text: &str, limit: usize, scope: SearchScope) -> Result<Vec<CaptionResult>, IndexError> {
        let rows = rows_of(self, scope.filter)?;
        let allowed = |row: usize| rows.as_ref().is_none_or(|rows| rows.contains(&row)) && (scope.allowed)(row);
        Ok(self.search_plain(text, limit, &allowed)?)
    }
}

/// The rows with the words and of the source of a filter; `None` if it names neither. Group, image and id are left to
/// `allowed`: asking Tantivy for the rows would cost more than comparing the few that are found.
fn rows_of(text: &TextIndex, filter: &DocumentFilter) -> Result<Option<HashSet<usize>>, IndexError> {
    let (words, source) = (filter.words.as_deref(), filter.source.as_deref());
    if words.is_none() && source.is_none() {
        return Ok(None);
    }
    text.rows_with_words(words.unwrap_or("*"), source).map(Some)
}

impl DocumentStore for Index {
    fn search(&self, side: VectorSide, query: &[f32], limit: usize, scope: SearchScope) -> Result<Vec<(usize, f32)>> {
        let rows = rows_of(self.text(), scope.filter)?;
        let allowed = |row: usize| rows.as_ref().is_none_or(|rows| rows.contains(&row)) && (scope.allowed)(row);
        self.side(side).search(query, limit, &allowed)
    }

    fn captions(&self) -> &dyn CaptionSearch {
        self.text()
    }

    fn documents(&self, ids: &[&str]) -> Result<Vec<StoredDocument>> {
        self.text().documents(ids)
    }

    fn document_vectors(&self, side: VectorSide, rows: &[usize]) -> Result<Vec<Option<Vec<f32>>>> {
        rows.iter().map(|row| Index::document_vector(self, side, *row)).collect()
    }

    fn has_side(&self, side: VectorSide) -> bool {
        Index::has_side(self, side)
    }

    fn count(&self) -> usize {
        Index::documents(self)
    }

    fn left_out(&self) -> &[LeftOut] {
        Index::left_out(self)
    }

    fn dimension(&self) -> usize {
        Index::dimension(self)
    }

    fn encoder_name(&self) -> &str {
        Index::encoder_name(self)
    }

    fn encoder_fingerprint(&self) -> &Fingerprint {
        Index::encoder_fingerprint(self)
    }

    fn fingerprint(&self) -> Fingerprint {
        Index::fingerprint(self)
    }

    fn capabilities(&self) -> Capabilities {
        let is_flat = |side| self.side(side).kind() == VectorKind::Flat;
        Capabilities {
            exact_vectors: is_flat(VectorSide::Image) && is_flat(VectorSide::Caption),
            words: true,
            phrases: true,
            varied_words: true,
            highlights: true,
            // Only by source and words.
            filters: true,
        }
    }

    fn report(&self) -> Result<Vec<(&'static str, String)>> {
        Ok(vec![
            ("images", self.side(VectorSide::Image).description()),
            ("captions", self.side(VectorSide::Caption).description()),
            ("words", TOKENIZER.into()),
        ])
    }

    fn summary(&self) -> String {
        Index::summary(self)
    }

    fn place(&self) -> String {
        self.folder().display().to_string()
    }
}
