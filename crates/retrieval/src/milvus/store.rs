//! A complete collection as a [`DocumentStore`].

use super::collection::{Described, MOST_RESULTS, SearchCall};
use super::columns::{ID, PROBLEM, ROW, vector_field};
use super::connection::Connection;
use super::expression::{covering, in_rows, joined, literal, of_filter, with_vector};
use super::recall::{DEPTH, SampleQuery, share_found};
use super::server_version::ServerVersion;
use super::stamp::{CONTENT_PROPERTY, Content, INPUTS_PROPERTY, Inputs, VERSION};
use super::words::ENGINE;
use super::{StoreFacts, StoreSource};
use crate::index::{
    Capabilities, CaptionSearch, DocumentStore, EncoderProbe, LeftOut, SearchScope, StoredDocument, TOKENIZER,
    TextIndex, VectorIndex, VectorKind, VectorSide, unit,
};
use anyhow::{Context, Result, bail, ensure};
use dissent_core::data::{CONVERSION_VERSION, Dataset};
use dissent_core::files::fingerprint::Fingerprint;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// Vectors of one answer in bytes, well below the longest message.
const MOST_VECTOR_BYTES: usize = 32 << 20;
/// Rows of one question for vectors or documents.
const ROWS_AT_ONCE: usize = 1000;
/// A server's scores differ from the exact ones by less.
const SCORE_ERROR: f32 = 1e-5;

/// A corpus in a Milvus server.
pub struct MilvusStore {
    pub(super) connection: Connection,
    /// The collection itself, not its alias: a build that is finished meanwhile changes nothing here.
    pub(super) name: String,
    pub(super) inputs: Inputs,
    pub(super) content: Content,
    pub(super) version: ServerVersion,
    left_out: Vec<LeftOut>,
    /// Parses queries.
    pub(super) captions: TextIndex,
    /// Number of documents with a term, by the filter that counts them.
    pub(super) frequencies: Mutex<HashMap<String, u64>>,
}

/// What an alias points to.
pub(super) enum Target {
    Nothing,
    /// A collection that this program did not make, or another version of it did.
    Foreign {
        reason: String,
    },
    Unfinished {
        name: String,
    },
    Complete {
        name: String,
        inputs: Box<Inputs>,
        content: Box<Content>,
    },
}

/// What is under a name.
pub(super) fn target(connection: &Connection, name: &str) -> Result<Target> {
    let Some(Described { name, properties }) = connection.describe(name)? else { return Ok(Target::Nothing) };
    let Some(inputs) = properties.get(INPUTS_PROPERTY) else {
        return Ok(Target::Foreign { reason: "it was not made by dissent".into() });
    };
    let version = serde_json::from_str::<serde_json::Value>(inputs).ok().and_then(|stamp| stamp["version"].as_u64());
    if version != Some(u64::from(VERSION)) {
        let found = version.map_or_else(|| "none".into(), |version| version.to_string());
        return Ok(Target::Foreign { reason: format!("it has format {found}, this program's is {VERSION}") });
    }
    let damaged = || format!("the collection {name} says of itself what cannot be read");
    let inputs: Inputs = serde_json::from_str(inputs).with_context(damaged)?;
    let Some(content) = properties.get(CONTENT_PROPERTY) else { return Ok(Target::Unfinished { name }) };
    let content: Content = serde_json::from_str(content).with_context(damaged)?;
    Ok(Target::Complete { name, inputs: Box::new(inputs), content: Box::new(content) })
}

impl MilvusStore {
    /// Opens the collection of a dataset's corpus; with an encoder's fingerprint its vectors must be that encoder's.
    ///
    /// # Errors
    /// Fails if the server does not answer or refuses, or the collection is missing, unfinished, or of another corpus, encoder or
    /// version of this program.
    pub fn open(source: &StoreSource, dataset: &Dataset, encoder: Option<&Fingerprint>) -> Result<Self> {
        let connection = Connection::new(source)?;
        let again = format!("`dissent index {} --store {}`", dataset.root.display(), source.address);
        let (name, inputs, content) = match target(&connection, &source.address.collection)? {
            Target::Complete { name, inputs, content } => (name, *inputs, *content),
            Target::Nothing => bail!("the store {source} has no such collection; {again} fills it"),
            Target::Unfinished { .. } => bail!("the collection {source} is unfinished; {again} goes on with it"),
            Target::Foreign { reason } => {
                bail!("the collection {source} cannot be used: {reason}; choose another name")
            }
        };
        check(&inputs, source, &dataset.corpus_fingerprint(), encoder, &again)?;
        let version = connection.version()?;
        let store = Self::new(connection, name, inputs, content, version)?;
        store.check_documents(dataset, &again)?;
        Ok(store)
    }

    pub(super) fn new(
        connection: Connection,
        name: String,
        inputs: Inputs,
        content: Content,
        version: ServerVersion,
    ) -> Result<Self> {
        let captions = TextIndex::of_candidates(&[])?;
        let left_out = Vec::new();
        let frequencies = Mutex::default();
        let mut store = Self { connection, name, inputs, content, version, left_out, captions, frequencies };
        if store.content.left_out > 0 {
            store.left_out = store.read_left_out()?;
        }
        Ok(store)
    }

    fn read_left_out(&self) -> Result<Vec<LeftOut>> {
        let mut columns = self.connection.query(&self.name, &format!("{PROBLEM} != \"\""), &[ROW, ID, PROBLEM])?;
        let documents = columns.longs(ROW)?.into_iter().zip(columns.texts(ID)?).zip(columns.texts(PROBLEM)?);
        let mut left_out: Vec<LeftOut> =
            documents.map(|((row, document), reason)| LeftOut { row: row as usize, document, reason }).collect();
        left_out.sort_by_key(|document| document.row);
        ensure!(
            left_out.len() == self.content.left_out,
            "{}: expected {} documents without an image, found {}; at most {MOST_RESULTS} can be listed",
            self.connection.place(),
            self.content.left_out,
            left_out.len()
        );
        Ok(left_out)
    }

    /// Compares a few documents of the store with the dataset's: others may write to a shared store.
    fn check_documents(&self, dataset: &Dataset, again: &str) -> Result<()> {
        let last = self.inputs.documents.saturating_sub(1);
        for stored in self.documents_in(&[0, last / 2, last])? {
            let expected = dataset.corpus.get(stored.row);
            ensure!(
                expected.is_some_and(|document| document.id == stored.id && document.caption == stored.caption),
                "the collection {} was changed: its document in row {} is {}, not the corpus's; {again} --force fills it anew",
                self.connection.place(),
                stored.row,
                stored.id
            );
        }
        Ok(())
    }

    /// The documents nearest to a vector, as the server orders and scores them.
    fn approximate(&self, side: VectorSide, query: &[f32], limit: usize) -> Result<Vec<f32>> {
        let call = SearchCall {
            field: vector_field(side),
            metric: "IP",
            params: self.inputs.kind(side).search_params(limit),
            expr: with_vector(side),
            limit,
            output: &[],
        };
        Ok(self.connection.search_vector(&self.name, query, &call)?.scores)
    }

    /// The share of the exact best ten that a search finds, on the sample of documents that the build chose, and their number;
    /// `None` without vectors on this side.
    ///
    /// # Errors
    /// Fails if the store cannot be read.
    pub fn recall(&self, side: VectorSide) -> Result<Option<(f64, usize)>> {
        let sample: &[SampleQuery] = match side {
            VectorSide::Image => &self.content.sample.image,
            VectorSide::Caption => &self.content.sample.caption,
        };
        if sample.is_empty() {
            return Ok(None);
        }
        let rows: Vec<usize> = sample.iter().map(|query| query.row).collect();
        let left_out = if side == VectorSide::Image { self.content.left_out } else { 0 };
        let expected = DEPTH.min(self.inputs.documents - left_out);
        let mut shares = Vec::with_capacity(sample.len());
        for (query, vector) in sample.iter().zip(self.document_vectors(side, &rows)?) {
            let vector = vector.with_context(|| format!("the document in row {} has no vector any more", query.row))?;
            shares.push(share_found(query, &self.approximate(side, &vector, DEPTH)?, expected));
        }
        Ok(Some((shares.iter().sum::<f64>() / shares.len() as f64, shares.len())))
    }

    /// One line for each side, with the kind of index and its measured recall.
    ///
    /// # Errors
    /// Fails if the store cannot be read.
    pub fn side_line(&self, side: VectorSide) -> Result<String> {
        let Some((recall, queries)) = self.recall(side)? else { return Ok("no vectors".into()) };
        let left_out = if side == VectorSide::Image { self.content.left_out } else { 0 };
        Ok(format!(
            "{}, {} vectors of {}; recall@{DEPTH} {recall:.3} on {queries} documents",
            self.inputs.kind(side),
            self.inputs.documents - left_out,
            self.inputs.encoder.dimension
        ))
    }
}

/// Refuses a collection that was filled from something else.
fn check(
    inputs: &Inputs,
    source: &StoreSource,
    corpus: &Fingerprint,
    encoder: Option<&Fingerprint>,
    again: &str,
) -> Result<()> {
    let mut compared = vec![
        ("corpus", inputs.corpus.to_string(), corpus.to_string()),
        ("tokenizer", inputs.tokenizer.clone(), TOKENIZER.into()),
        ("conversion of images", inputs.conversion.clone(), CONVERSION_VERSION.into()),
    ];
    if let Some(encoder) = encoder {
        compared.push(("encoder", inputs.encoder.fingerprint.to_string(), encoder.to_string()));
    }
    for (what, found, expected) in compared {
        ensure!(
            found == expected,
            "the collection {source} was filled from another {what}: {found}, expected {expected}; {again} fills a new one \
             under the same name, and another name keeps this one"
        );
    }
    Ok(())
}

impl DocumentStore for MilvusStore {
    fn search(&self, side: VectorSide, query: &[f32], limit: usize, scope: SearchScope) -> Result<Vec<(usize, f32)>> {
        let dimension = self.inputs.encoder.dimension;
        ensure!(
            query.len() == dimension,
            "expected a query vector of {dimension} numbers, found {}: does the store belong to another encoder?",
            query.len()
        );
        ensure!(self.inputs.has_side(side), "the store {} has no such vectors", self.place());
        let unit = unit(query).context("query vector")?;
        if limit == 0 {
            return Ok(Vec::new());
        }
        let words = self.words_of(scope)?;
        let clauses = of_filter(scope.filter).into_iter().map(Some);
        let expr =
            joined(clauses.chain([with_vector(side), words.as_ref().and_then(|words| covering(&words.shape))]), "and");
        let most = (MOST_VECTOR_BYTES / (dimension * 4)).clamp(limit, MOST_RESULTS.max(limit));
        let mut count = limit.saturating_mul(2).max(16).min(most);
        loop {
            let call = SearchCall {
                field: vector_field(side),
                metric: "IP",
                params: self.inputs.kind(side).search_params(count),
                expr: expr.clone(),
                limit: count,
                output: &[vector_field(side)],
            };
            let mut found = self.connection.search_vector(&self.name, &unit, &call)?;
            let is_all = found.rows.len() < count || count == most;
            let lowest = found.scores.last().copied().unwrap_or(f32::NEG_INFINITY);
            let vectors = if found.rows.is_empty() {
                Vec::new()
            } else {
                found.columns.vectors(vector_field(side), dimension)?
            };
            let candidates = found.rows.iter().copied().zip(vectors.chunks_exact(dimension)).collect();
            let words = words.as_ref().map(|words| &*words.query);
            let results = self.exact(candidates, query, limit, scope, words)?;
            // Vectors as near as the last one may not have been fetched.
            let is_settled = results.get(limit - 1).is_some_and(|(_, score)| *score > lowest + SCORE_ERROR);
            if is_all || is_settled {
                return Ok(results);
            }
            count = (count * 2).min(most);
        }
    }

    fn captions(&self) -> &dyn CaptionSearch {
        self
    }

    fn documents(&self, ids: &[&str]) -> Result<Vec<StoredDocument>> {
        let mut documents = Vec::with_capacity(ids.len());
        for some in ids.chunks(ROWS_AT_ONCE) {
            let literals: Vec<String> = some.iter().map(|id| literal(id)).collect();
            documents.extend(self.documents_where(&format!("{ID} in [{}]", literals.join(", ")))?);
        }
        documents.sort_by_key(|document| document.row);
        Ok(documents)
    }

    fn document_vectors(&self, side: VectorSide, rows: &[usize]) -> Result<Vec<Option<Vec<f32>>>> {
        if !self.inputs.has_side(side) {
            return Ok(vec![None; rows.len()]);
        }
        let left_out: HashSet<usize> = self.left_out.iter().map(|document| document.row).collect();
        let has_vector = |row: &usize| side == VectorSide::Caption || !left_out.contains(row);
        let mut wanted: Vec<usize> = rows.iter().copied().filter(has_vector).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let dimension = self.inputs.encoder.dimension;
        let mut vectors: HashMap<usize, Vec<f32>> = HashMap::with_capacity(wanted.len());
        for some in wanted.chunks(ROWS_AT_ONCE.min(MOST_VECTOR_BYTES / (dimension * 4))) {
            let mut columns = self.connection.query(&self.name, &in_rows(some), &[ROW, vector_field(side)])?;
            let found = columns.longs(ROW)?;
            let values = columns.vectors(vector_field(side), dimension)?;
            ensure!(
                found.len() == some.len(),
                "{}: expected the vectors of {} documents, found {}",
                self.place(),
                some.len(),
                found.len()
            );
            vectors
                .extend(found.iter().map(|row| *row as usize).zip(values.chunks_exact(dimension).map(<[f32]>::to_vec)));
        }
        Ok(rows.iter().map(|row| vectors.get(row).cloned()).collect())
    }

    fn has_side(&self, side: VectorSide) -> bool {
        self.inputs.has_side(side)
    }

    fn count(&self) -> usize {
        self.inputs.documents
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    fn dimension(&self) -> usize {
        self.inputs.encoder.dimension
    }

    fn encoder_name(&self) -> &str {
        &self.inputs.encoder.name
    }

    fn encoder_fingerprint(&self) -> &Fingerprint {
        &self.inputs.encoder.fingerprint
    }

    fn fingerprint(&self) -> Fingerprint {
        let kinds = [self.inputs.image.to_string(), self.inputs.caption.to_string()];
        Fingerprint::of_parts([
            "milvus 1",
            self.inputs.corpus.as_str(),
            self.content.contents.as_str(),
            self.inputs.encoder.fingerprint.as_str(),
            &kinds[0],
            &kinds[1],
            &self.version.to_string(),
        ])
    }

    fn capabilities(&self) -> Capabilities {
        // Phrases and highlights are this program's work on the captions that the server finds.
        let words = self.inputs.words;
        Capabilities {
            exact_vectors: self.inputs.image.is_exact() && self.inputs.caption.is_exact(),
            words,
            phrases: words,
            varied_words: false,
            highlights: words,
            filters: true,
        }
    }

    fn summary(&self) -> String {
        let search = if self.inputs.image.is_exact() { "exact search" } else { "approximate search" };
        format!("{search} in Milvus, {} documents", self.inputs.documents)
    }

    fn place(&self) -> String {
        self.connection.place().to_owned()
    }

    fn report(&self) -> Result<Vec<(&'static str, String)>> {
        Ok(vec![
            ("images", self.side_line(VectorSide::Image)?),
            ("captions", self.side_line(VectorSide::Caption)?),
            ("words", if self.inputs.words { TOKENIZER.into() } else { format!("none: {ENGINE} {}", self.version) }),
        ])
    }
}

impl MilvusStore {
    /// The candidates, scored by the embedded engine. Its scores of a vector do not depend on the other vectors, and
    /// the store gives back vectors as they were written, so that scores and order are those of an embedded index.
    fn exact(
        &self,
        mut candidates: Vec<(usize, &[f32])>,
        query: &[f32],
        limit: usize,
        scope: SearchScope,
        words: Option<&dyn tantivy::query::Query>,
    ) -> Result<Vec<(usize, f32)>> {
        candidates.sort_unstable_by_key(|(row, _)| *row);
        if let Some(words) = words {
            let rows: Vec<usize> = candidates.iter().map(|(row, _)| *row).collect();
            let mut documents = Vec::with_capacity(rows.len());
            for some in rows.chunks(ROWS_AT_ONCE) {
                documents.extend(self.documents_in(some)?);
            }
            let matching = TextIndex::of_candidates(&documents)?.rows_matching(words)?;
            candidates.retain(|(row, _)| matching.contains(row));
        }
        // The index numbers the candidates by their places, which are in the order of the rows, also where scores are equal.
        let places = (0..candidates.len() as u32).collect();
        let vectors: Vec<f32> = candidates.iter().flat_map(|(_, vector)| vector.iter().copied()).collect();
        let index =
            VectorIndex::build(&vectors, self.inputs.encoder.dimension, places, VectorKind::Flat, &mut |_| Ok(()))?;
        let row_at = |place: usize| candidates[place].0;
        let found = index.search(query, limit, &|place| (scope.allowed)(row_at(place)))?;
        Ok(found.into_iter().map(|(place, score)| (row_at(place), score)).collect())
    }
}

/// What the server and the collection are.
pub(super) fn facts(source: &StoreSource) -> Result<StoreFacts> {
    let connection = Connection::new(source)?;
    let version = connection.version()?;
    let mut lines = vec![("store", source.to_string()), ("server", version.to_string())];
    let mut warning = None;
    match target(&connection, &source.address.collection)? {
        Target::Nothing => {
            warning = Some("there is no such collection; `dissent index DATASET --store` fills it".into());
        }
        Target::Unfinished { name } => warning = Some(format!("{name} is unfinished; `dissent index` goes on with it")),
        Target::Foreign { reason } => warning = Some(reason),
        Target::Complete { name, inputs, content } => {
            lines.push(("collection", format!("{name}, complete since {}", content.date)));
            lines.push(("corpus", format!("{} documents, {}", inputs.documents, inputs.corpus)));
            lines.push(("encoder", format!("{}, {}", inputs.encoder.name, inputs.encoder.fingerprint)));
            let store = MilvusStore::new(connection, name, *inputs, *content, version)?;
            lines.extend(store.report()?);
            let able = |wanted: bool| -> String {
                let named = store.capabilities().named();
                let names: Vec<&str> = named.iter().filter(|(_, is)| *is == wanted).map(|(name, _)| *name).collect();
                if names.is_empty() { "nothing".into() } else { names.join(", ") }
            };
            lines.push(("can", able(true)));
            lines.push(("cannot", able(false)));
        }
    }
    Ok(StoreFacts { lines, warning })
}

/// The probe in a complete collection.
pub(super) fn probe(source: &StoreSource) -> Option<EncoderProbe> {
    let connection = Connection::new(source).ok()?;
    match target(&connection, &source.address.collection).ok()? {
        Target::Complete { inputs, .. } => inputs.encoder.probe,
        _ => None,
    }
}
