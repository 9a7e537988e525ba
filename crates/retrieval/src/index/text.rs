//! Tantivy: full-text search over captions, and stored fields (id, source, image path).

use super::query_line::{check_length, check_limits, without_apostrophes};
use super::text_files::{check_entries, in_words, refused};
use super::tokenizer::{STEMS, WORDS, stands_alone, stems, words, words_of};
use super::variants::written_out;
use super::{IndexError, StoredDocument};
use anyhow::{Context, Result};
use dissent_core::data::Corpus;
use dissent_core::text::printable::beginning;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use tantivy::collector::{DocSetCollector, TopDocs};
use tantivy::query::{
    AllQuery, Bm25StatisticsProvider, BooleanQuery, BoostQuery, Occur, PhraseQuery, Query, QueryParser,
    QueryParserError, TermQuery,
};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value,
};
use tantivy::snippet::SnippetGenerator;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{IndexReader, ReloadPolicy, TantivyDocument, Term, doc};

/// One result of a caption search.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptionResult {
    /// Row of the document in the corpus.
    pub row: usize,
    /// BM25 score.
    pub score: f32,
    /// Byte ranges of the caption that match.
    pub highlights: Vec<std::ops::Range<usize>>,
}

/// Maximum number of characters of a query in a message.
const SHOWN_CHARACTERS: usize = 60;
/// Memory of the writer before it starts a new segment.
const WRITER_BYTES: usize = 64 << 20;

/// The fields of a document.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub row: Field,
    pub id: Field,
    pub source: Field,
    pub image: Field,
    pub caption: Field,
    /// Unstemmed words of the caption.
    word: Field,
}

/// The captions of a corpus, searched by words.
pub struct TextIndex {
    pub(super) index: tantivy::Index,
    pub(super) reader: IndexReader,
    pub(super) fields: Fields,
}

impl TextIndex {
    /// Writes an index of the corpus into the new folder `folder`.
    ///
    /// # Errors
    /// Fails if the folder cannot be written.
    pub fn write(folder: &Path, corpus: &Corpus) -> Result<()> {
        let in_folder = || format!("cannot write the caption index {} (is the disk full?)", folder.display());
        std::fs::create_dir(folder).with_context(in_folder)?;
        let (schema, fields) = schema();
        let index = tantivy::Index::create_in_dir(folder, schema).map_err(in_words).with_context(in_folder)?;
        register_tokenizers(index.tokenizers());
        // One thread keeps the documents in the corpus's order, which decides between equal scores.
        let mut writer = index.writer_with_num_threads(1, WRITER_BYTES).map_err(in_words).with_context(in_folder)?;
        for (row, document) in corpus.iter().enumerate() {
            writer
                .add_document(doc!(
                    fields.row => row as u64,
                    fields.id => document.id,
                    fields.source => document.source.unwrap_or_default(),
                    fields.image => document.image.to_string_lossy().as_ref(),
                    fields.caption => document.caption,
                    fields.word => document.caption,
                ))
                .map_err(in_words)
                .with_context(in_folder)?;
        }
        writer.commit().map_err(in_words).with_context(in_folder)?;
        writer.wait_merging_threads().map_err(in_words).with_context(in_folder)
    }

    /// Opens the folder of an index of `documents` captions.
    ///
    /// # Errors
    /// Fails with [`IndexError::Damaged`] if a file is missing or broken.
    pub fn open(folder: &Path, documents: usize) -> Result<Self, IndexError> {
        let damaged = |error: tantivy::TantivyError| refused(folder, &error);
        check_entries(folder)?;
        let index = tantivy::Index::open_in_dir(folder).map_err(damaged)?;
        // Tantivy trusts lengths in a damaged file.
        if let Some(file) = index.validate_checksum().map_err(damaged)?.into_iter().next() {
            return Err(IndexError::damaged(&folder.join(file), "its checksum is wrong"));
        }
        register_tokenizers(index.tokenizers());
        let (schema, fields) = schema();
        if index.schema() != schema {
            return Err(IndexError::damaged(
                folder,
                "expected the fields row, id, source, image, caption, word, found others",
            ));
        }
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(damaged)?;
        let found = IndexReader::searcher(&reader).num_docs();
        if found != documents as u64 {
            return Err(IndexError::damaged(folder, format!("expected {documents} documents, found {found}")));
        }
        Ok(Self { index, reader, fields })
    }

    /// The best `limit` captions for a query in Tantivy's syntax (words, "a phrase", -word, source:NAME,
    /// AND, OR, NOT; word~ and word~2 for words that differ in one or two letters, word* for prefixes), of one source if
    /// one is given and among the `allowed` corpus rows; best first, the lower row first for equal scores.
    ///
    /// ```
    /// use dissent_core::data::Dataset;
    /// use dissent_retrieval::index::TextIndex;
    ///
    /// let corpus = Dataset::open("../../sample-data/dataset".as_ref())?.corpus;
    /// let folder = tempfile::tempdir()?;
    /// TextIndex::write(&folder.path().join("text"), &corpus)?;
    /// let index = TextIndex::open(&folder.path().join("text"), corpus.len())?;
    /// let found = index.search("indistinct \"deep central\" -benign", None, 5, &|_row| true)?;
    /// assert!(corpus.document(found[0].row).caption.ends_with("biopsy malignant"));
    /// # anyhow::Ok(())
    /// ```
    ///
    /// # Errors
    /// Fails with [`IndexError::Query`] if the query is invalid.
    pub fn search(
        &self,
        query: &str,
        source: Option<&str>,
        limit: usize,
        allowed: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<CaptionResult>, IndexError> {
        let parsed = self.parse(query, false)?;
        Ok(self.top(&*self.of_source(parsed, source), limit, allowed)?)
    }

    /// Like [`TextIndex::search`] for plain text, in which no character has a special meaning.
    ///
    /// # Errors
    /// Fails if the index cannot be read.
    pub fn search_plain(
        &self,
        text: &str,
        limit: usize,
        allowed: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<CaptionResult>> {
        self.top(&self.plain_query(text), limit, allowed)
    }

    /// The query of [`Self::search_plain`].
    pub(crate) fn plain_query(&self, text: &str) -> BooleanQuery {
        // If every character is a word, neighbours are searched as pairs: 右肺 is not 右 and 肺.
        let mut looked_for: BTreeSet<Vec<String>> = BTreeSet::new();
        let mut before: Option<(std::ops::Range<usize>, String)> = None;
        let mut alone = None;
        stems().token_stream(text).process(&mut |token| {
            if !token.text.starts_with(stands_alone) {
                looked_for.insert(vec![token.text.clone()]);
                looked_for.extend(alone.take());
                before = None;
                return;
            }
            match before.take() {
                // One character, such as a squared unit, can give several tokens.
                Some((place, character)) if place.end == token.offset_from || place.start == token.offset_from => {
                    looked_for.insert(vec![character, token.text.clone()]);
                    alone = None;
                }
                _ => looked_for.extend(alone.replace(vec![token.text.clone()])),
            }
            before = Some((token.offset_from..token.offset_to, token.text.clone()));
        });
        looked_for.extend(alone);
        let clauses = looked_for
            .iter()
            .map(|words| -> (Occur, Box<dyn Query>) {
                let mut terms = words.iter().map(|word| Term::from_field_text(self.fields.caption, word));
                match (terms.next(), terms.next()) {
                    (Some(first), Some(second)) => (Occur::Should, Box::new(PhraseQuery::new(vec![first, second]))),
                    (first, _) => {
                        let term = first.unwrap_or_else(|| Term::from_field_text(self.fields.caption, ""));
                        (Occur::Should, Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)))
                    }
                }
            })
            .collect();
        BooleanQuery::new(clauses)
    }

    /// The corpus rows whose captions contain all these words (and phrases), of one source if one is given.
    ///
    /// # Errors
    /// Fails with [`IndexError::Query`] if the words are invalid.
    pub fn rows_with_words(&self, words: &str, source: Option<&str>) -> Result<HashSet<usize>, IndexError> {
        Ok(self.rows_matching(&*self.of_source(self.parse(words, true)?, source))?)
    }

    /// The corpus rows of all matches of a query.
    pub(crate) fn rows_matching(&self, query: &dyn Query) -> Result<HashSet<usize>> {
        let searcher = self.reader.searcher();
        let addresses = searcher.search(query, &DocSetCollector).context("cannot search the captions")?;
        let mut rows = HashSet::with_capacity(addresses.len());
        for address in addresses {
            let column = searcher.segment_reader(address.segment_ord).fast_fields().u64("row");
            let row = column.context("cannot read the row column")?.first(address.doc_id);
            rows.extend(row.map(|row| row as usize));
        }
        Ok(rows)
    }

    /// The stored documents with these ids, by row.
    ///
    /// # Errors
    /// Fails if the index cannot be read.
    pub fn documents(&self, ids: &[&str]) -> Result<Vec<StoredDocument>> {
        let term = |id: &&str| -> (Occur, Box<dyn Query>) {
            let term = Term::from_field_text(self.fields.id, id);
            (Occur::Should, Box::new(TermQuery::new(term, IndexRecordOption::Basic)))
        };
        let query = BooleanQuery::new(ids.iter().map(term).collect());
        let searcher = self.reader.searcher();
        let mut found = Vec::with_capacity(ids.len());
        for address in searcher.search(&query, &DocSetCollector).context("cannot search the ids")? {
            let document: TantivyDocument = searcher.doc(address).context("cannot read a stored document")?;
            let text = |field: Field| document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default();
            let row = document.get_first(self.fields.row).and_then(|value| value.as_u64());
            found.push(StoredDocument {
                row: row.context("a stored document has no row")? as usize,
                id: text(self.fields.id).into(),
                source: text(self.fields.source).into(),
                image: text(self.fields.image).into(),
                caption: text(self.fields.caption).into(),
            });
        }
        found.sort_by_key(|document| document.row);
        Ok(found)
    }

    fn parse(&self, query: &str, all_words: bool) -> Result<Box<dyn Query>, IndexError> {
        self.parse_with(query, all_words, &|| self.vocabulary())
    }

    /// Parses a query; `vocabulary` lists the words of the corpus if one with `~` or `*` is in it.
    pub(super) fn parse_with(
        &self,
        query: &str,
        all_words: bool,
        vocabulary: &dyn Fn() -> Vec<String>,
    ) -> Result<Box<dyn Query>, IndexError> {
        let refused = |reason: String| IndexError::Query { query: beginning(query, SHOWN_CHARACTERS), reason };
        check_length(query).map_err(refused)?;
        let written = without_apostrophes(query);
        check_limits(&written).map_err(refused)?;
        if query.trim() != "*" && words_of(&mut stems(), query).is_empty() {
            return Err(refused("it contains no word, only signs".into()));
        }
        let written = written_out(&written, vocabulary).map_err(refused)?;
        let mut parser = QueryParser::for_index(&self.index, vec![self.fields.caption]);
        if all_words {
            parser.set_conjunction_by_default();
        }
        parser.parse_query(&written).map(all_but).map_err(|error| refused(explain(&error)))
    }

    /// The unstemmed words of the corpus. Empty if they cannot be read; `~` and `*` then match the word itself.
    fn vocabulary(&self) -> Vec<String> {
        let mut words = BTreeSet::new();
        for segment in self.reader.searcher().segment_readers() {
            let Ok(inverted) = segment.inverted_index(self.fields.word) else { continue };
            let Ok(mut terms) = inverted.terms().stream() else { continue };
            while terms.advance() {
                words.extend(std::str::from_utf8(terms.key()).ok().map(str::to_owned));
            }
        }
        words.into_iter().collect()
    }

    fn of_source(&self, query: Box<dyn Query>, source: Option<&str>) -> Box<dyn Query> {
        let Some(source) = source else { return query };
        let term = Term::from_field_text(self.fields.source, source);
        // The boost is zero because the source filters results but must not rank them.
        let wanted = BoostQuery::new(Box::new(TermQuery::new(term, IndexRecordOption::Basic)), 0.0);
        Box::new(BooleanQuery::new(vec![(Occur::Must, query), (Occur::Must, Box::new(wanted))]))
    }

    fn top(&self, query: &dyn Query, limit: usize, allowed: &dyn Fn(usize) -> bool) -> Result<Vec<CaptionResult>> {
        self.top_by(query, &self.reader.searcher(), limit, allowed)
    }

    /// The best matches, scored with these statistics.
    pub(super) fn top_by(
        &self,
        query: &dyn Query,
        statistics: &dyn Bm25StatisticsProvider,
        limit: usize,
        allowed: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<CaptionResult>> {
        let searcher = self.reader.searcher();
        let total = searcher.num_docs() as usize;
        if limit == 0 || total == 0 {
            return Ok(Vec::new());
        }
        let mut generator =
            SnippetGenerator::create(&searcher, query, self.fields.caption).context("cannot prepare the highlights")?;
        let mut fetch = limit.min(total);
        loop {
            let best = TopDocs::with_limit(fetch).order_by_score();
            let fetched =
                searcher.search_with_statistics_provider(query, &best, statistics).context("cannot search captions")?;
            let exhausted = fetched.len() < fetch || fetch == total;
            let mut results = Vec::with_capacity(limit);
            for (score, address) in fetched {
                let document: TantivyDocument = searcher.doc(address).context("cannot read a stored caption")?;
                let row = document.get_first(self.fields.row).and_then(|value| value.as_u64());
                let row = row.context("a stored caption has no row")? as usize;
                if !allowed(row) || results.len() == limit {
                    continue;
                }
                let caption = document.get_first(self.fields.caption).and_then(|value| value.as_str());
                let highlights = highlights(&mut generator, caption.unwrap_or_default());
                results.push(CaptionResult { row, score, highlights });
            }
            if results.len() == limit || exhausted {
                results.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.row.cmp(&other.row)));
                return Ok(results);
            }
            fetch = (fetch * 2).min(total);
        }
    }
}

/// Byte ranges of the matching words of the whole caption, in order.
fn highlights(generator: &mut SnippetGenerator, caption: &str) -> Vec<std::ops::Range<usize>> {
    // One fragment, from the first byte to the end.
    generator.set_max_num_chars(caption.len() + 1);
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    for range in generator.snippet(caption).highlighted() {
        // One character that gives two tokens is marked once.
        if ranges.last().is_none_or(|last| range.start >= last.end) {
            ranges.push(range.clone());
        }
    }
    ranges
}

pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let captions =
        TextFieldIndexing::default().set_tokenizer(STEMS).set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let words = TextFieldIndexing::default()
        .set_tokenizer(WORDS)
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    let fields = Fields {
        row: builder.add_u64_field("row", FAST | STORED | INDEXED),
        id: builder.add_text_field("id", STRING | STORED),
        source: builder.add_text_field("source", STRING | STORED | FAST),
        image: builder.add_text_field("image", STRING | STORED | FAST),
        caption: builder.add_text_field("caption", TextOptions::default().set_indexing_options(captions).set_stored()),
        word: builder.add_text_field("word", TextOptions::default().set_indexing_options(words)),
    };
    (builder.build(), fields)
}

/// Adds "all captions" to every group that contains only exclusions: Tantivy finds nothing with such a group,
/// so `NOT fracture AND left` found nothing. Groups are nested as deep as [`check_limits`] allows.
fn all_but(query: Box<dyn Query>) -> Box<dyn Query> {
    let Some(group) = query.downcast_ref::<BooleanQuery>() else { return query };
    let mut clauses: Vec<(Occur, Box<dyn Query>)> =
        group.clauses().iter().map(|(occur, inner)| (*occur, all_but(inner.box_clone()))).collect();
    if !clauses.is_empty() && clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
        // The boost is zero because this clause must not affect the ranking.
        clauses.push((Occur::Must, Box::new(BoostQuery::new(Box::new(AllQuery), 0.0))));
    }
    Box::new(BooleanQuery::new(clauses))
}

fn explain(error: &QueryParserError) -> String {
    match error {
        QueryParserError::SyntaxError(_) => "a quotation mark, a bracket or an operator is not closed".into(),
        QueryParserError::FieldDoesNotExist(field) => {
            format!(
                "there is no field '{field}'; there are caption, source, id, image and row (a colon in quotes is text)"
            )
        }
        QueryParserError::AllButQueryForbidden => "it only excludes words; add a word to find".into(),
        QueryParserError::ExpectedInt(_) => "row: expected a whole number from 0".into(),
        QueryParserError::UnsupportedQuery(_) => "ranges and lists of values are not supported".into(),
        other => other.to_string(),
    }
}

pub(super) fn register_tokenizers(tokenizers: &TokenizerManager) {
    tokenizers.register(STEMS, stems());
    tokenizers.register(WORDS, words());
}
