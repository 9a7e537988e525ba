//! Captions searched by words. The server finds candidates by its own BM25 over stems; their captions are then scored here as
//! the embedded engine scores them, with the whole corpus's statistics, so that both give the same results: a server's scores
//! differ in rounding, and milvus-lite counts words by segment.

use super::MilvusStore;
use super::collection::{MOST_RESULTS, SearchCall};
use super::columns::{CAPTION, Columns, ID, IMAGE, ROW, SOURCE, STEM_WEIGHTS, server_word};
use super::expression::{between, covering, in_rows, joined, of_filter, of_term};
use crate::index::{
    CaptionResult, CaptionSearch, CorpusStatistics, IndexError, QueryShape, SearchScope, StoredDocument, TextIndex,
};
use anyhow::{Context, Result};
use std::collections::HashMap;
use tantivy::query::Query;

/// Name in messages.
pub(super) const ENGINE: &str = "a Milvus store";
/// Fewest candidates: a server's order is nearly the exact one.
const FEWEST_CANDIDATES: usize = 200;
/// Rows of the first window when a query has no word to search for.
const FIRST_WINDOW: usize = 1024;
/// Scores of a server that differ less are equal.
const SAME_SCORE: f32 = 1e-4;

/// The fields of a candidate.
const DOCUMENT: [&str; 5] = [ROW, ID, SOURCE, IMAGE, CAPTION];

impl CaptionSearch for MilvusStore {
    fn search_words(&self, query: &str, limit: usize, scope: SearchScope) -> Result<Vec<CaptionResult>, IndexError> {
        self.refuse_without_words(query)?;
        let parsed = self.captions.parse_without_vocabulary(ENGINE, query, false)?;
        self.best(&*parsed, limit, scope)
    }

    fn search_text(&self, text: &str, limit: usize, scope: SearchScope) -> Result<Vec<CaptionResult>, IndexError> {
        self.refuse_without_words(text)?;
        self.best(&self.captions.plain_query(text), limit, scope)
    }
}

impl MilvusStore {
    fn refuse_without_words(&self, query: &str) -> Result<(), IndexError> {
        if self.inputs.words {
            return Ok(());
        }
        Err(IndexError::Unsupported {
            engine: ENGINE,
            query: query.to_owned(),
            reason: format!("the server is {}; words need Milvus 2.5 or later", self.version),
        })
    }

    fn best(&self, query: &dyn Query, limit: usize, scope: SearchScope) -> Result<Vec<CaptionResult>, IndexError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let shape = self.captions.shape(query);
        let words = self.words_of(scope)?;
        let clauses = of_filter(scope.filter).into_iter().map(Some);
        let filter =
            joined(clauses.chain([covering(&shape), words.as_ref().and_then(|words| covering(&words.shape))]), "and");
        let totals = (self.inputs.documents as u64, self.content.tokens);
        let statistics = self.captions.statistics(query, totals, &mut |term| self.frequency(term))?;
        let limits =
            Wanted { query, statistics: &statistics, limit, scope, words: words.as_ref().map(|words| &*words.query) };
        if shape.needs_a_word() {
            return Ok(self.best_by_words(&shape, filter, &limits)?);
        }
        self.best_in_order(&shape, filter, &limits)
    }

    /// The query of the filter's words and its shape.
    pub(super) fn words_of(&self, scope: SearchScope) -> Result<Option<FilterWords>, IndexError> {
        let Some(words) = scope.filter.words.as_deref() else { return Ok(None) };
        self.refuse_without_words(words)?;
        let parsed = self.captions.parse_without_vocabulary(ENGINE, words, true)?;
        let shape = self.captions.shape(&*parsed);
        Ok(Some(FilterWords { query: parsed, shape }))
    }

    fn best_by_words(&self, shape: &QueryShape, filter: Option<String>, wanted: &Wanted) -> Result<Vec<CaptionResult>> {
        let words: Vec<String> = shape.words().into_iter().map(server_word).collect();
        let mut count = wanted.limit.saturating_mul(4).clamp(FEWEST_CANDIDATES, MOST_RESULTS);
        loop {
            let call = SearchCall {
                field: STEM_WEIGHTS,
                metric: "BM25",
                params: "{}".into(),
                expr: filter.clone(),
                limit: count,
                output: &DOCUMENT,
            };
            let mut found = self.connection.search_stems(&self.name, &words.join(" "), &call)?;
            let lowest = found.scores.last().copied();
            let is_all = found.rows.len() < count || count == MOST_RESULTS;
            let by_server: HashMap<usize, f32> = found.rows.iter().copied().zip(found.scores.iter().copied()).collect();
            let results = wanted.among(documents_of(&mut found.columns, Some(&found.rows))?)?;
            // Captions as good as the last one may not have been fetched.
            let last = results.get(wanted.limit - 1).and_then(|last| by_server.get(&last.row));
            let is_settled = last
                .zip(lowest)
                .is_some_and(|(last, lowest)| (last - lowest).abs() > SAME_SCORE * last.abs().max(lowest.abs()));
            if is_all || is_settled {
                return Ok(results);
            }
            count = (count * 4).min(MOST_RESULTS);
        }
    }

    /// For a query that a caption without its words can match, such as `*` or `source:us`: documents in the order of their rows.
    fn best_in_order(
        &self,
        shape: &QueryShape,
        filter: Option<String>,
        wanted: &Wanted,
    ) -> Result<Vec<CaptionResult>, IndexError> {
        let ranks = !shape.words().is_empty();
        let (mut documents, mut start, mut window) = (Vec::new(), 0, FIRST_WINDOW);
        while start < self.inputs.documents {
            let expr = joined([Some(between(start, start + window)), filter.clone()], "and").unwrap_or_default();
            documents.extend(documents_of(&mut self.connection.query(&self.name, &expr, &DOCUMENT)?, None)?);
            start += window;
            window = (window * 2).min(MOST_RESULTS);
            // Without a word to rank them the first rows are the best.
            if !ranks {
                let results = wanted.among(documents.clone())?;
                if results.len() == wanted.limit {
                    return Ok(results);
                }
            } else if documents.len() > MOST_RESULTS {
                return Err(IndexError::Unsupported {
                    engine: ENGINE,
                    query: shape.words().join(" "),
                    reason: format!(
                        "more than {MOST_RESULTS} documents match without its words, and all of them would have to be ranked; \
                         put + before a word"
                    ),
                });
            }
        }
        Ok(wanted.among(documents)?)
    }

    /// Number of documents with a term, remembered.
    fn frequency(&self, term: &tantivy::Term) -> Result<u64> {
        let term = self.captions.term(term).context("a query names a field that is not stored")?;
        let expr = of_term(&term);
        let mut known = self.frequencies.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(count) = known.get(&expr) {
            return Ok(*count);
        }
        let count = self.connection.count(&self.name, &expr)?;
        known.insert(expr, count);
        Ok(count)
    }

    /// The documents in these rows, by row.
    pub(super) fn documents_in(&self, rows: &[usize]) -> Result<Vec<StoredDocument>> {
        documents_of(&mut self.connection.query(&self.name, &in_rows(rows), &DOCUMENT)?, None)
    }

    /// The documents that pass a filter, by row.
    pub(super) fn documents_where(&self, expr: &str) -> Result<Vec<StoredDocument>> {
        documents_of(&mut self.connection.query(&self.name, expr, &DOCUMENT)?, None)
    }
}

/// The words of a filter as a query, and its shape for the server.
pub(super) struct FilterWords {
    pub query: Box<dyn Query>,
    pub shape: QueryShape,
}

/// What the candidates of a search are measured by.
struct Wanted<'a> {
    query: &'a dyn Query,
    statistics: &'a CorpusStatistics,
    limit: usize,
    scope: SearchScope<'a>,
    /// The filter's words.
    words: Option<&'a dyn Query>,
}

impl Wanted<'_> {
    /// The best of these documents.
    fn among(&self, documents: Vec<StoredDocument>) -> Result<Vec<CaptionResult>> {
        let index = TextIndex::of_candidates(&documents)?;
        let rows = self.words.map(|words| index.rows_matching(words)).transpose()?;
        let allowed = |row: usize| rows.as_ref().is_none_or(|rows| rows.contains(&row)) && (self.scope.allowed)(row);
        index.top_candidates(self.query, self.statistics, self.limit, &allowed)
    }
}

/// The documents of an answer, by row. A search has the rows beside its columns.
fn documents_of(columns: &mut Columns, rows: Option<&[usize]>) -> Result<Vec<StoredDocument>> {
    if columns.0.is_empty() {
        return Ok(Vec::new());
    }
    let rows = match rows {
        Some(rows) => rows.to_vec(),
        None => columns.longs(ROW)?.into_iter().map(|row| row as usize).collect(),
    };
    let [ids, sources, images, captions] = [ID, SOURCE, IMAGE, CAPTION].map(|name| columns.texts(name));
    let texts = ids?.into_iter().zip(sources?).zip(images?).zip(captions?);
    let mut documents: Vec<StoredDocument> = rows
        .into_iter()
        .zip(texts)
        .map(|(row, (((id, source), image), caption))| StoredDocument { row, id, source, image, caption })
        .collect();
    documents.sort_by_key(|document| document.row);
    Ok(documents)
}
