//! One JSON object per line, with every column in order; a missing value is null.

use super::{Column, TableExport};
use anyhow::{Context, Result};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};
use std::io::Write;

/// Writes the rows.
///
/// # Errors
/// Fails if `output` cannot be written.
pub fn write_jsonl(table: &TableExport, output: &mut dyn Write) -> Result<()> {
    for values in &table.rows {
        serde_json::to_writer(&mut *output, &Row { columns: table.columns, values }).context("cannot write a row")?;
        output.write_all(b"\n")?;
    }
    Ok(())
}

/// A row's values in the order of the columns.
struct Row<'a> {
    columns: &'a [Column],
    values: &'a Map<String, Value>,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for column in self.columns {
            map.serialize_entry(column.name, &self.values[column.name])?;
        }
        map.end()
    }
}
