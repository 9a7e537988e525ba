//! Scores documents that another engine found as the index of the whole corpus would score them: their captions are indexed in
//! memory, and the statistics of BM25 are those of the corpus.

use super::text::{register_tokenizers, schema};
use super::tokenizer::{stems, words_of};
use super::{CaptionResult, IndexError, StoredDocument, TextIndex};
use anyhow::{Context, Result};
use std::collections::{HashMap, HashSet};
use tantivy::directory::RamDirectory;
use tantivy::query::{Bm25StatisticsProvider, Query};
use tantivy::schema::Field;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{IndexReader, ReloadPolicy, Term, doc};

/// Memory of the writer: the least that Tantivy takes.
const WRITER_BYTES: usize = 15 << 20;

/// The words of a caption as they are indexed: stems, in their order, with repetitions.
pub(crate) fn stemmed_words(caption: &str) -> Vec<String> {
    words_of(&mut stems(), caption)
}

/// What BM25 needs to know of the whole corpus.
#[derive(Clone, Debug, Default)]
pub(crate) struct CorpusStatistics {
    pub documents: u64,
    /// Words of all captions.
    pub tokens: u64,
    /// Number of documents with each term of the query.
    pub frequencies: HashMap<Term, u64>,
    /// The field of captions; the others have one term a document.
    pub caption: Option<Field>,
}

impl Bm25StatisticsProvider for CorpusStatistics {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        Ok(if self.caption == Some(field) { self.tokens } else { self.documents })
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        Ok(self.frequencies.get(term).copied().unwrap_or_default())
    }
}

impl TextIndex {
    /// An index in memory of these documents, which must be in the order of their rows. Equal scores are in this order.
    pub(crate) fn of_candidates(documents: &[StoredDocument]) -> Result<Self> {
        let (schema, fields) = schema();
        let tokenizers = TokenizerManager::default();
        register_tokenizers(&tokenizers);
        let builder = tantivy::Index::builder().schema(schema).tokenizers(tokenizers);
        let mut writer = builder
            .single_segment_index_writer(RamDirectory::create(), WRITER_BYTES)
            .context("cannot index captions in memory")?;
        for document in documents {
            writer
                .add_document(doc!(
                    fields.row => document.row as u64,
                    fields.id => document.id.as_str(),
                    fields.source => document.source.as_str(),
                    fields.image => document.image.as_str(),
                    fields.caption => document.caption.as_str(),
                ))
                .context("cannot index a caption in memory")?;
        }
        let index = writer.finalize().context("cannot index captions in memory")?;
        let reader: IndexReader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .context("cannot read captions in memory")?;
        Ok(Self { index, reader, fields })
    }

    /// The statistics for a query, with the number of documents of each of its terms from `frequency`.
    pub(crate) fn statistics(
        &self,
        query: &dyn Query,
        (documents, tokens): (u64, u64),
        frequency: &mut dyn FnMut(&Term) -> Result<u64>,
    ) -> Result<CorpusStatistics> {
        let mut terms: HashSet<Term> = HashSet::new();
        query.query_terms(&mut |term, _| {
            terms.insert(term.clone());
        });
        let mut frequencies = HashMap::with_capacity(terms.len());
        for term in terms {
            let count = frequency(&term)?;
            frequencies.insert(term, count);
        }
        Ok(CorpusStatistics { documents, tokens, frequencies, caption: Some(self.fields.caption) })
    }

    /// The best candidates for a query, scored with the statistics of the corpus.
    pub(crate) fn top_candidates(
        &self,
        query: &dyn Query,
        statistics: &CorpusStatistics,
        limit: usize,
        allowed: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<CaptionResult>> {
        self.top_by(query, statistics, limit, allowed)
    }

    /// Parses a query for an engine that has no list of all words.
    ///
    /// # Errors
    /// Fails with [`IndexError::Query`] if it is invalid, and with [`IndexError::Unsupported`] for `word~` and `word*`.
    pub(crate) fn parse_without_vocabulary(
        &self,
        engine: &'static str,
        query: &str,
        all_words: bool,
    ) -> Result<Box<dyn Query>, IndexError> {
        let asked = std::cell::Cell::new(false);
        let parsed = self.parse_with(query, all_words, &|| {
            asked.set(true);
            Vec::new()
        })?;
        if asked.get() {
            return Err(IndexError::Unsupported {
                engine,
                query: query.to_owned(),
                reason:
                    "~ and * compare a word with all words of the corpus, which a store does not list; write the words \
                         themselves with OR between them"
                        .into(),
            });
        }
        Ok(parsed)
    }
}
