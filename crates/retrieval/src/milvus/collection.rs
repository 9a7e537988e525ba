//! The calls on collections, with the parameters of this program.

use super::columns::{Columns, ROW};
use super::connection::{Answer, Connection};
use super::error::{StoreError, StoreErrorKind};
use super::wire::{
    AlterCollection, BOOL_EXPR, CollectionDescription, CollectionNames, CreateIndex, DescribeIndex, FLOAT_VECTOR,
    Flush, GetLoadState, INDEX_FAILED, INDEX_FINISHED, IndexDescriptions, KeyValue, LOADED, LoadCollection,
    LoadStateAnswer, OfCollection, Placeholder, PlaceholderGroup, Query, QueryAnswer, Search, SearchAnswer, SetAlias,
    ShowCollections, Status, StatusAnswer, Upsert, UpsertAnswer, VARCHAR,
};
use anyhow::{Context, Result, bail, ensure};
use prost::Message;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Most results of one search or query: Milvus's own limit.
pub(super) const MOST_RESULTS: usize = 16_384;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// What a search asks for.
pub(super) struct SearchCall<'a> {
    pub field: &'static str,
    pub metric: &'static str,
    /// Parameters of the index, as JSON.
    pub params: String,
    pub expr: Option<String>,
    pub limit: usize,
    pub output: &'a [&'static str],
}

/// What a search found, best first.
pub(super) struct Found {
    pub rows: Vec<usize>,
    /// As the server computed them.
    pub scores: Vec<f32>,
    pub columns: Columns,
}

pub(super) fn pair(key: &str, value: impl ToString) -> KeyValue {
    KeyValue { key: key.into(), value: value.to_string() }
}

/// A collection, or the one behind an alias.
pub(super) struct Described {
    pub name: String,
    pub properties: HashMap<String, String>,
}

impl Connection {
    fn done(&self, method: &'static str, request: &(impl Message + Clone + 'static)) -> Result<(), StoreError> {
        self.call::<Status>(method, request).map(|_| ())
    }

    /// Name and properties of a collection, or of the one behind an alias; `None` if there is none.
    pub fn describe(&self, name: &str) -> Result<Option<Described>, StoreError> {
        let request = OfCollection { collection_name: name.into() };
        match self.call::<CollectionDescription>("DescribeCollection", &request) {
            Ok(answer) => {
                let properties = answer.properties.into_iter().map(|pair| (pair.key, pair.value)).collect();
                Ok(Some(Described { name: answer.collection_name, properties }))
            }
            Err(StoreError { kind: StoreErrorKind::NoCollection, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn collection_names(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.call::<CollectionNames>("ShowCollections", &ShowCollections {})?.collection_names)
    }

    pub fn drop_collection(&self, name: &str) -> Result<(), StoreError> {
        self.done("DropCollection", &OfCollection { collection_name: name.into() })
    }

    pub fn set_property(&self, collection: &str, key: &str, value: &str) -> Result<(), StoreError> {
        let request = AlterCollection { collection_name: collection.into(), properties: vec![pair(key, value)] };
        self.done("AlterCollection", &request)
    }

    pub fn create_index(&self, collection: &str, field: &str, params: Vec<(&str, String)>) -> Result<(), StoreError> {
        let request = CreateIndex {
            collection_name: collection.into(),
            field_name: field.into(),
            extra_params: params.into_iter().map(|(key, value)| pair(key, value)).collect(),
            index_name: field.into(),
        };
        self.done("CreateIndex", &request)
    }

    /// Points an alias at a collection, in one step for whoever searches it.
    pub fn set_alias(&self, alias: &str, collection: &str, exists: bool) -> Result<(), StoreError> {
        let request = SetAlias { collection_name: collection.into(), alias: alias.into() };
        self.done(if exists { "AlterAlias" } else { "CreateAlias" }, &request)
    }

    /// Loads a collection into the server's memory, and waits for it.
    pub fn load(&self, collection: &str, waiting: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        self.done("LoadCollection", &LoadCollection { collection_name: collection.into(), replica_number: 1 })?;
        let request = GetLoadState { collection_name: collection.into() };
        while self.call::<LoadStateAnswer>("GetLoadState", &request)?.state != LOADED {
            waiting()?;
            std::thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }

    /// Reads from a collection. A server that was started again has it on its disk only, and is told to load it.
    fn read<A: Answer>(
        &self,
        collection: &str,
        method: &'static str,
        request: &(impl Message + Clone + 'static),
    ) -> Result<A> {
        match self.call(method, request) {
            Err(StoreError { kind: StoreErrorKind::NotLoaded { .. }, .. }) => {}
            answer => return Ok(answer?),
        }
        let start = Instant::now();
        self.load(collection, &mut || {
            ensure!(
                start.elapsed() < self.patience(),
                "{}: the collection {collection} was not loaded within {} s; --store-patience SECONDS waits longer",
                self.place(),
                self.patience().as_secs()
            );
            Ok(())
        })?;
        Ok(self.call(method, request)?)
    }

    /// Makes what was written durable, and waits until the index has it: it is built behind the searches.
    pub fn settle(&self, collection: &str, waiting: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let _: StatusAnswer = self.call("Flush", &Flush { collection_names: vec![collection.into()] })?;
        let request = DescribeIndex { collection_name: collection.into() };
        loop {
            let answer = match self.call::<IndexDescriptions>("DescribeIndex", &request) {
                Ok(answer) => answer,
                // milvus-lite builds its indexes when it flushes.
                Err(StoreError { kind: StoreErrorKind::NoSuchCall, .. }) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if let Some(failed) = answer.descriptions.iter().find(|index| index.state == INDEX_FAILED) {
                bail!("the store cannot index {}: {}", failed.field_name, failed.fail_reason);
            }
            let is_built = |index: &super::wire::IndexDescription| {
                // A server that does not count has nothing to wait for.
                index.state == INDEX_FINISHED || index.state == 0 && index.total_rows == 0
            };
            if answer.descriptions.iter().all(is_built) {
                return Ok(());
            }
            waiting()?;
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Writes a batch of documents; one with a row that is there replaces it.
    pub fn upsert(&self, collection: &str, count: usize, columns: Vec<super::wire::FieldData>) -> Result<()> {
        let request = Upsert { collection_name: collection.into(), fields_data: columns, num_rows: count as u32 };
        let answer: UpsertAnswer = self.call("Upsert", &request)?;
        ensure!(
            answer.err_index.is_empty() && answer.upsert_count == count as i64,
            "{}: expected {count} documents written, found {} and {} refused",
            self.place(),
            answer.upsert_count,
            answer.err_index.len()
        );
        Ok(())
    }

    /// The documents that pass a filter, in no order; at most [`MOST_RESULTS`].
    pub fn query(&self, collection: &str, expr: &str, output: &[&str]) -> Result<Columns> {
        let request = Query {
            collection_name: collection.into(),
            expr: expr.into(),
            output_fields: output.iter().map(|name| (*name).to_owned()).collect(),
            query_params: vec![pair("limit", MOST_RESULTS)],
            consistency_level: 0,
        };
        Ok(Columns(self.read::<QueryAnswer>(collection, "Query", &request)?.fields_data))
    }

    /// How many documents pass a filter.
    pub fn count(&self, collection: &str, expr: &str) -> Result<u64> {
        let request = Query {
            collection_name: collection.into(),
            expr: expr.into(),
            output_fields: vec!["count(*)".into()],
            query_params: Vec::new(),
            consistency_level: 0,
        };
        let mut columns = Columns(self.read::<QueryAnswer>(collection, "Query", &request)?.fields_data);
        let counted = columns.longs("count(*)")?;
        counted.first().map(|count| *count as u64).context("the store counted nothing")
    }

    /// The nearest documents to a vector.
    pub fn search_vector(&self, collection: &str, query: &[f32], call: &SearchCall) -> Result<Found> {
        let bytes = query.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.search(collection, FLOAT_VECTOR, bytes, call)
    }

    /// The best documents for words, by BM25.
    pub fn search_stems(&self, collection: &str, words: &str, call: &SearchCall) -> Result<Found> {
        self.search(collection, VARCHAR, words.as_bytes().to_vec(), call)
    }

    fn search(&self, collection: &str, value_type: i32, value: Vec<u8>, call: &SearchCall) -> Result<Found> {
        let placeholder = Placeholder { tag: "$0".into(), value_type, values: vec![value] };
        let request = Search {
            collection_name: collection.into(),
            dsl: call.expr.clone().unwrap_or_default(),
            placeholder_group: PlaceholderGroup { placeholders: vec![placeholder] }.encode_to_vec(),
            dsl_type: BOOL_EXPR,
            output_fields: call.output.iter().map(|name| (*name).to_owned()).collect(),
            search_params: vec![
                pair("anns_field", call.field),
                pair("topk", call.limit),
                pair("metric_type", call.metric),
                pair("params", &call.params),
                pair("round_decimal", -1),
            ],
            nq: 1,
            consistency_level: 0,
        };
        let answer: SearchAnswer = self.read(collection, "Search", &request)?;
        let results = answer.results.unwrap_or_default();
        let mut columns = Columns(results.fields_data);
        let rows = match results.ids.and_then(|ids| ids.longs) {
            Some(ids) => ids.data,
            None if results.scores.is_empty() => Vec::new(),
            None => columns.longs(ROW)?,
        };
        ensure!(
            rows.len() == results.scores.len(),
            "{}: expected a score for each of {} documents, found {}",
            self.place(),
            rows.len(),
            results.scores.len()
        );
        Ok(Found { rows: rows.into_iter().map(|row| row as usize).collect(), scores: results.scores, columns })
    }

    /// The server's version.
    pub fn version(&self) -> Result<super::server_version::ServerVersion, StoreError> {
        let answer: super::wire::VersionAnswer = self.call("GetVersion", &super::wire::GetVersion {})?;
        Ok(super::server_version::ServerVersion::parse(&answer.version))
    }
}
