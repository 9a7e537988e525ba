//! The fields of a collection, and its indexes.

use super::collection::pair;
use super::columns::{
    CAPTION, CONTENT, GROUP, ID, IMAGE, LONGEST_TEXT, PROBLEM, ROW, SOURCE, STEM_WEIGHTS, STEMS, vector_field,
};
use super::connection::Connection;
use super::error::StoreError;
use super::stamp::{INPUTS_PROPERTY, Inputs};
use super::wire::{
    BM25, CollectionSchema, CreateCollection, FLOAT_VECTOR, FieldSchema, FunctionSchema, INT64, SPARSE_FLOAT_VECTOR,
    Status, VARCHAR,
};
use crate::index::VectorSide;
use prost::Message;

/// BM25 as the embedded engine has it.
const BM25_PARAMS: &str = r#"{"bm25_k1": 1.2, "bm25_b": 0.75}"#;
const ANALYZER: &str = r#"{"tokenizer": "standard"}"#;

fn field(name: &str, data_type: i32, params: &[(&str, String)]) -> FieldSchema {
    FieldSchema {
        name: name.into(),
        is_primary_key: name == ROW,
        data_type,
        type_params: params.iter().map(|(key, value)| pair(key, value)).collect(),
        is_function_output: name == STEM_WEIGHTS,
    }
}

fn schema(name: &str, inputs: &Inputs) -> CollectionSchema {
    let longest = ("max_length", LONGEST_TEXT.to_string());
    let mut fields = vec![field(ROW, INT64, &[])];
    for text in [ID, GROUP, SOURCE, IMAGE, CAPTION, CONTENT, PROBLEM] {
        fields.push(field(text, VARCHAR, std::slice::from_ref(&longest)));
    }
    let mut functions = Vec::new();
    if inputs.words {
        let analyzed = [
            longest,
            ("enable_analyzer", "true".into()),
            ("enable_match", "true".into()),
            ("analyzer_params", ANALYZER.into()),
        ];
        fields.push(field(STEMS, VARCHAR, &analyzed));
        fields.push(field(STEM_WEIGHTS, SPARSE_FLOAT_VECTOR, &[]));
        functions.push(FunctionSchema {
            name: "bm25".into(),
            function_type: BM25,
            input_field_names: vec![STEMS.into()],
            output_field_names: vec![STEM_WEIGHTS.into()],
        });
    }
    for side in [VectorSide::Image, VectorSide::Caption] {
        if inputs.has_side(side) {
            let dimension = ("dim", inputs.encoder.dimension.to_string());
            fields.push(field(vector_field(side), FLOAT_VECTOR, &[dimension]));
        }
    }
    CollectionSchema { name: name.into(), description: "documents of dissent".into(), fields, functions }
}

/// Makes an empty collection that says what it will be filled from, with its indexes.
pub(super) fn create(connection: &Connection, name: &str, inputs: &Inputs) -> Result<(), StoreError> {
    let stamp = serde_json::to_string(inputs).unwrap_or_default();
    let request = CreateCollection {
        collection_name: name.into(),
        schema: schema(name, inputs).encode_to_vec(),
        shards_num: 1,
        properties: vec![pair(INPUTS_PROPERTY, &stamp)],
    };
    let _: Status = connection.call("CreateCollection", &request)?;
    for side in [VectorSide::Image, VectorSide::Caption] {
        if inputs.has_side(side) {
            connection.create_index(name, vector_field(side), inputs.kind(side).build_params())?;
        }
    }
    if inputs.words {
        let params = vec![
            ("index_type", "SPARSE_INVERTED_INDEX".to_owned()),
            ("metric_type", "BM25".into()),
            ("params", BM25_PARAMS.into()),
        ];
        connection.create_index(name, STEM_WEIGHTS, params)?;
    }
    // Servers that take no properties with a new collection take them now; without them it is not continued.
    connection.set_property(name, INPUTS_PROPERTY, &stamp)
}
