//! Tantivy: full-text search over captions, and the document store (id, source, image path).

use super::IndexError;
use crate::data::Document;
use anyhow::{Context, Result};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use tantivy::collector::{DocSetCollector, TopDocs};
use tantivy::query::{BooleanQuery, FuzzyTermQuery, Occur, Query, QueryParser, QueryParserError, TermQuery};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value,
};
use tantivy::snippet::SnippetGenerator;
use tantivy::{IndexReader, ReloadPolicy, TantivyDocument, Term, doc};

/// One line of a caption search.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptionResult {
    /// Row of the document in the corpus.
    pub row: usize,
    /// BM25 score.
    pub score: f32,
    /// Byte ranges of the caption that match.
    pub highlights: Vec<std::ops::Range<usize>>,
}

/// Lower case, words of 40 letters at most, English stems: "effusions" finds "effusion".
const CAPTION_TOKENIZER: &str = "en_stem";
/// Memory of the writer before it starts another segment.
const WRITER_BYTES: usize = 64 << 20;

/// The fields of a document.
#[derive(Clone, Copy)]
struct Fields {
    row: Field,
    id: Field,
    source: Field,
    image: Field,
    caption: Field,
}

/// The captions of a corpus, searched by words.
pub struct TextIndex {
    index: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
}

impl TextIndex {
    /// Writes an index of the corpus into the new folder `folder`.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(folder: &Path, corpus: &[Document]) -> Result<()> {
        let in_folder = || format!("cannot write the caption index {} (is the disk full?)", folder.display());
        std::fs::create_dir(folder).with_context(in_folder)?;
        let (schema, fields) = schema();
        let index = tantivy::Index::create_in_dir(folder, schema).with_context(in_folder)?;
        // One thread keeps the documents in the corpus's order, so that equal scores come in that order.
        let mut writer = index.writer_with_num_threads(1, WRITER_BYTES).with_context(in_folder)?;
        for (row, document) in corpus.iter().enumerate() {
            writer
                .add_document(doc!(
                    fields.row => row as u64,
                    fields.id => document.id.as_str(),
                    fields.source => document.source.as_deref().unwrap_or_default(),
                    fields.image => document.image.to_string_lossy().as_ref(),
                    fields.caption => document.caption.as_str(),
                ))
                .with_context(in_folder)?;
        }
        writer.commit().with_context(in_folder)?;
        writer.wait_merging_threads().with_context(in_folder)
    }

    /// Opens the folder of an index of `documents` captions.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] if a file is missing or broken.
    pub fn open(folder: &Path, documents: usize) -> Result<Self, IndexError> {
        let damaged = |error: tantivy::TantivyError| IndexError::damaged(folder, error);
        let index = tantivy::Index::open_in_dir(folder).map_err(damaged)?;
        let (schema, fields) = schema();
        if index.schema() != schema {
            return Err(IndexError::damaged(
                folder,
                "expected the fields row, id, source, image, caption, found others",
            ));
        }
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(damaged)?;
        let found = IndexReader::searcher(&reader).num_docs();
        if found != documents as u64 {
            return Err(IndexError::damaged(folder, format!("expected {documents} documents, found {found}")));
        }
        Ok(Self { index, reader, fields })
    }

    /// The best `limit` captions for a query in Tantivy's syntax (words, "a phrase", -word, source:NAME, AND, OR; word~ and word~2 for
    /// words in which one or two letters differ), of
    /// one source if one is given and among the `allowed` corpus rows; best first, the lower row first where scores are
    /// equal.
    ///
    /// # Errors
    /// [`IndexError::Query`] if the query cannot be understood.
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

    /// As [`TextIndex::search`] for any text: its words are looked for, no sign has a meaning.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn search_plain(
        &self,
        text: &str,
        limit: usize,
        allowed: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<CaptionResult>> {
        let mut tokenizer = self.index.tokenizer_for_field(self.fields.caption).context("no caption tokenizer")?;
        let mut words = BTreeSet::new();
        tokenizer.token_stream(text).process(&mut |token| {
            words.insert(token.text.clone());
        });
        let clauses = words
            .iter()
            .map(|word| -> (Occur, Box<dyn Query>) {
                let term = Term::from_field_text(self.fields.caption, word);
                (Occur::Should, Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)))
            })
            .collect();
        self.top(&BooleanQuery::new(clauses), limit, allowed)
    }

    /// The corpus rows whose captions have all these words (and phrases), of one source if one is given.
    ///
    /// # Errors
    /// [`IndexError::Query`] if the words cannot be understood.
    pub fn rows_with_words(&self, words: &str, source: Option<&str>) -> Result<HashSet<usize>, IndexError> {
        let query = self.of_source(self.parse(words, true)?, source);
        let searcher = self.reader.searcher();
        let addresses = searcher.search(&*query, &DocSetCollector).context("cannot search the captions")?;
        let mut rows = HashSet::with_capacity(addresses.len());
        for address in addresses {
            let column = searcher.segment_reader(address.segment_ord).fast_fields().u64("row");
            let row = column.context("cannot read the row column")?.first(address.doc_id);
            rows.extend(row.map(|row| row as usize));
        }
        Ok(rows)
    }

    fn parse(&self, query: &str, all_words: bool) -> Result<Box<dyn Query>, IndexError> {
        let refused = |reason: String| IndexError::Query { query: query.into(), reason };
        if query.trim().is_empty() {
            return Err(refused("it is empty".into()));
        }
        let (query, fuzzy) = self.take_fuzzy_words(query)?;
        let mut parser = QueryParser::for_index(&self.index, vec![self.fields.caption]);
        if all_words {
            parser.set_conjunction_by_default();
        }
        if fuzzy.is_empty() {
            return parser.parse_query(&query).map_err(|error| refused(explain(&error)));
        }
        let occur = if all_words { Occur::Must } else { Occur::Should };
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = fuzzy.into_iter().map(|query| (occur, query)).collect();
        if !query.trim().is_empty() {
            clauses.push((occur, parser.parse_query(&query).map_err(|error| refused(explain(&error)))?));
        }
        Ok(Box::new(BooleanQuery::new(clauses)))
    }

    /// Takes the words with a `~` (one letter may differ) or `~2` after them out of a query; Tantivy's own syntax has no
    /// such words.
    fn take_fuzzy_words(&self, query: &str) -> Result<(String, Vec<Box<dyn Query>>), IndexError> {
        let mut rest = Vec::new();
        let mut fuzzy: Vec<Box<dyn Query>> = Vec::new();
        let mut in_quotes = false;
        for word in query.split_whitespace() {
            let quotes = word.matches('"').count();
            let inside = in_quotes || quotes > 0;
            in_quotes ^= quotes % 2 == 1;
            let split = word.rsplit_once('~').filter(|(stem, _)| !inside && !stem.is_empty());
            let Some((stem, letters)) = split.and_then(|(stem, digits)| Some((stem, letters_of(digits)?))) else {
                rest.push(word);
                continue;
            };
            let mut tokenizer = self.index.tokenizer_for_field(self.fields.caption).context("no caption tokenizer")?;
            tokenizer.token_stream(stem).process(&mut |token| {
                let term = Term::from_field_text(self.fields.caption, &token.text);
                fuzzy.push(Box::new(FuzzyTermQuery::new(term, letters, true)));
            });
        }
        Ok((rest.join(" "), fuzzy))
    }

    fn of_source(&self, query: Box<dyn Query>, source: Option<&str>) -> Box<dyn Query> {
        let Some(source) = source else { return query };
        let term = Term::from_field_text(self.fields.source, source);
        // A factor of zero: the source decides who is in, not who is first.
        let wanted = tantivy::query::BoostQuery::new(Box::new(TermQuery::new(term, IndexRecordOption::Basic)), 0.0);
        Box::new(BooleanQuery::new(vec![(Occur::Must, query), (Occur::Must, Box::new(wanted))]))
    }

    fn top(&self, query: &dyn Query, limit: usize, allowed: &dyn Fn(usize) -> bool) -> Result<Vec<CaptionResult>> {
        let searcher = self.reader.searcher();
        let total = searcher.num_docs() as usize;
        if limit == 0 || total == 0 {
            return Ok(Vec::new());
        }
        let mut generator =
            SnippetGenerator::create(&searcher, query, self.fields.caption).context("cannot prepare the highlights")?;
        let mut fetch = limit.min(total);
        loop {
            let fetched = searcher
                .search(query, &TopDocs::with_limit(fetch).order_by_score())
                .context("cannot search captions")?;
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

/// Byte ranges of the words of the whole caption that match, in order.
fn highlights(generator: &mut SnippetGenerator, caption: &str) -> Vec<std::ops::Range<usize>> {
    // One fragment, from the first byte to the end.
    generator.set_max_num_chars(caption.len() + 1);
    generator.snippet(caption).highlighted().to_vec()
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let captions = TextFieldIndexing::default()
        .set_tokenizer(CAPTION_TOKENIZER)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let fields = Fields {
        row: builder.add_u64_field("row", FAST | STORED | INDEXED),
        id: builder.add_text_field("id", STRING | STORED),
        source: builder.add_text_field("source", STRING | STORED | FAST),
        image: builder.add_text_field("image", STRING | STORED | FAST),
        caption: builder.add_text_field("caption", TextOptions::default().set_indexing_options(captions).set_stored()),
    };
    (builder.build(), fields)
}

fn explain(error: &QueryParserError) -> String {
    match error {
        QueryParserError::SyntaxError(_) => "a quotation mark, a bracket or an operator is not closed".into(),
        QueryParserError::FieldDoesNotExist(field) => {
            format!(
                "there is no field '{field}'; there are caption, source, id, image and row (a colon in quotes is text)"
            )
        }
        QueryParserError::AllButQueryForbidden => "it only says what not to find".into(),
        other => other.to_string(),
    }
}
/// How many letters may differ: `~` is one; more than two would find anything.
fn letters_of(digits: &str) -> Option<u8> {
    match digits {
        "" | "1" => Some(1),
        "2" => Some(2),
        _ => None,
    }
}
