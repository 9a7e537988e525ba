//! Rows of one table: CSV, TSV or JSON objects.

use super::delimited_rows::{DelimitedRows, Row};
use super::json_objects::{JsonObjects, fields_of};
use crate::data::import::{Record, RowPlace, Value};
use anyhow::{Result, bail};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

/// How many JSON objects are read to know the columns, because each has only its own.
const FIRST: usize = 1000;

/// A table that is read row by row.
pub(in crate::data::import) enum TableRows {
    Delimited(Box<DelimitedRows>),
    Json { objects: JsonObjects, columns: Arc<[String]>, first: VecDeque<Fields> },
}

type Fields = (RowPlace, Vec<(String, Value)>);

impl TableRows {
    /// Opens a table; its name tells whether it is JSON.
    ///
    /// # Errors
    /// Fails if the file cannot be read or has no columns.
    pub fn open(path: &Path) -> Result<Self> {
        if !is_json(path) {
            return Ok(Self::Delimited(Box::new(DelimitedRows::open(path)?)));
        }
        let mut objects = JsonObjects::open(path)?;
        let (mut columns, mut first): (Vec<String>, VecDeque<Fields>) = Default::default();
        while first.len() < FIRST {
            let Some((place, object)) = objects.next_object()? else { break };
            let fields = fields_of(&object);
            for (name, _) in &fields {
                if !columns.contains(name) {
                    columns.push(name.clone());
                }
            }
            first.push_back((place, fields));
        }
        if columns.is_empty() {
            bail!("{}: expected JSON objects with fields, found none", path.display());
        }
        Ok(Self::Json { objects, columns: columns.into(), first })
    }

    /// Names of the columns.
    pub fn columns(&self) -> &Arc<[String]> {
        match self {
            Self::Delimited(rows) => &rows.columns,
            Self::Json { columns, .. } => columns,
        }
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or an object is damaged.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        let (objects, columns, first) = match self {
            Self::Delimited(rows) => return rows.next_row(),
            Self::Json { objects, columns, first } => (objects, columns, first),
        };
        let next = match first.pop_front() {
            Some(fields) => Some(fields),
            None => objects.next_object()?.map(|(place, object)| (place, fields_of(&object))),
        };
        let Some((place, fields)) = next else { return Ok(None) };
        let mut values = vec![Value::Missing; columns.len()];
        for (name, value) in fields {
            // Fields that only later objects have are not columns.
            if let Some(position) = columns.iter().position(|column| *column == name) {
                values[position] = value;
            }
        }
        Ok(Some(Ok(Record { columns: Arc::clone(columns), values, place })))
    }
}

/// Whether the name is one of a JSON file, packed or not.
pub(in crate::data::import) fn is_json(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".jsonl", ".ndjson", ".json"].iter().any(|ending| name.ends_with(ending))
}

/// Whether the name is one of a table.
pub(in crate::data::import) fn is_table(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    is_json(path) || [".csv", ".tsv", ".tab"].iter().any(|ending| name.ends_with(ending))
}
