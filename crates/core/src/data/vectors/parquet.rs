//! Vectors in a parquet file: a column `id` and a column `vector`, a list of numbers.

use super::jsonl::{ID_NAMES, VECTOR_NAMES};
use super::table::LoadedRows;
use crate::data::identifier::trimmed;
use crate::files::input_file;
use crate::panics::caught;
use anyhow::{Context, Result, anyhow, bail};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch, RecordBatchReader};
use arrow_schema::{DataType, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::path::Path;

/// Rows that are decoded at a time.
const ROWS_AT_A_TIME: usize = 1024;

/// Reads all rows. A file of vectors alone has no ids.
///
/// # Errors
/// Fails if the file is damaged, lacks the column, or a row has a null or a vector of another length than the first.
pub fn read(path: &Path) -> Result<LoadedRows> {
    let file = input_file::open(path)?;
    // Without it texts and lists have one Arrow type each, whatever the writer had.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = whole(|| ArrowReaderMetadata::load(&file, options).map_err(|error| anyhow!("{error}")))?;
    let schema = metadata.schema().clone();
    let vector = vector_column(&schema)?;
    let id = id_column(&schema, &vector)?;
    let names: Vec<&str> = id.as_deref().into_iter().chain([vector.as_str()]).collect();
    let mask = ProjectionMask::columns(metadata.parquet_schema(), names);
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_projection(mask)
        .with_batch_size(ROWS_AT_A_TIME);
    let mut reader = whole(|| builder.build().map_err(|error| anyhow!("{error}")))?;
    let mut rows = LoadedRows::default();
    loop {
        let batch =
            whole(|| (&mut reader as &mut dyn RecordBatchReader).next().transpose().map_err(anyhow::Error::from))?;
        let Some(batch) = batch else { return Ok(rows) };
        read_batch(&batch, id.as_deref(), &vector, &mut rows)?;
    }
}

/// A file without ids has its vectors alone: a column of another name may be the id, and vectors would be joined by order.
fn id_column(schema: &Schema, vector: &str) -> Result<Option<String>> {
    let columns = schema.fields().iter().map(|field| field.name().as_str());
    let others: Vec<&str> = columns.filter(|name| *name != vector).collect();
    let named: Vec<&str> = others.iter().copied().filter(|name| ID_NAMES.contains(name)).collect();
    match named[..] {
        [name] => Ok(Some(name.to_owned())),
        [] if others.is_empty() => Ok(None),
        [] => bail!("expected a column id, or the vectors alone; found {}", others.join(", ")),
        _ => bail!("expected one column with the id, found {}", named.join(", ")),
    }
}

fn vector_column(schema: &Schema) -> Result<String> {
    let is_list = |data: &DataType| matches!(data, DataType::List(item) if item.data_type().is_floating());
    let lists: Vec<&str> =
        schema.fields().iter().filter(|field| is_list(field.data_type())).map(|field| field.name().as_str()).collect();
    let named = VECTOR_NAMES.into_iter().find(|name| lists.contains(name));
    match (named, &lists[..]) {
        (Some(name), _) => Ok(name.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        _ => {
            let found: Vec<String> =
                schema.fields().iter().map(|field| format!("{} ({})", field.name(), field.data_type())).collect();
            bail!("expected a column vector, a list of floating-point numbers, found {}", found.join(", "))
        }
    }
}

fn read_batch(batch: &RecordBatch, id: Option<&str>, vector: &str, rows: &mut LoadedRows) -> Result<()> {
    let lists = batch.column_by_name(vector).and_then(|column| column.as_list_opt::<i32>());
    let lists = lists.with_context(|| format!("expected lists in the column {vector}"))?;
    let ids = id.and_then(|name| batch.column_by_name(name));
    for row in 0..batch.num_rows() {
        let place = || format!("row {} (from 0)", rows.count());
        let id = ids.map(|ids| id_in(ids, row)).transpose().with_context(place)?;
        let named = || format!("{}{}", place(), id.as_ref().map_or_else(String::new, |id| format!(", id {id}")));
        if lists.is_null(row) {
            bail!("{}: expected a vector, found null", named());
        }
        let list = lists.value(row);
        if list.null_count() > 0 {
            bail!("{}: expected numbers, found a null among them", named());
        }
        let numbers = numbers_in(&list).with_context(named)?;
        rows.push(id, &numbers, None)?;
    }
    Ok(())
}

fn numbers_in(list: &dyn Array) -> Result<Vec<f32>> {
    Ok(match list.data_type() {
        DataType::Float16 => list.as_primitive::<Float16Type>().values().iter().map(|value| value.to_f32()).collect(),
        DataType::Float32 => list.as_primitive::<Float32Type>().values().to_vec(),
        DataType::Float64 => list.as_primitive::<Float64Type>().values().iter().map(|value| *value as f32).collect(),
        other => bail!("expected floating-point numbers, found {other}"),
    })
}

fn id_in(ids: &dyn Array, row: usize) -> Result<String> {
    if ids.is_null(row) {
        bail!("column id: expected a text or a whole number, found null");
    }
    Ok(match ids.data_type() {
        DataType::Utf8 => trimmed(ids.as_string::<i32>().value(row)).to_owned(),
        DataType::Int32 => ids.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => ids.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::UInt32 => ids.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::UInt64 => ids.as_primitive::<UInt64Type>().value(row).to_string(),
        other => bail!("column id: expected texts or whole numbers, found {other}"),
    })
}

/// Turns a panic of the library on a damaged file into an error.
fn whole<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    caught(work)
        .unwrap_or_else(|_| Err(anyhow!("it cannot be decoded")))
        .context("expected a whole parquet file; this one is damaged")
}
