//! Tables for other programs: JSON lines, CSV and Parquet of the same columns.

mod csv;
mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Map, Value};

pub use self::csv::write_csv;
pub use self::jsonl::write_jsonl;
#[cfg(feature = "parquet")]
pub use self::parquet::write_parquet;

/// Rows with a value or null for every column.
#[derive(Clone, Debug, PartialEq)]
pub struct TableExport {
    pub columns: &'static [Column],
    pub rows: Vec<Map<String, Value>>,
}

/// A column; any of its values may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Any number of texts.
    List,
    Flag,
    Number,
    /// RFC 3339, UTC.
    Time,
    /// Lists of texts by name.
    Object,
}

impl TableExport {
    /// A table of these rows, whose fields are the columns.
    ///
    /// # Errors
    /// Fails if a row lacks a column or has another type of value in it, which is a mistake of the program.
    pub fn of(columns: &'static [Column], rows: &[impl Serialize]) -> Result<Self> {
        let mut objects = Vec::with_capacity(rows.len());
        for row in rows {
            let Value::Object(object) = serde_json::to_value(row).context("cannot write a row as JSON")? else {
                bail!("a row is no object");
            };
            for column in columns {
                let value = object.get(column.name).with_context(|| format!("a row has no {}", column.name))?;
                column.check(value)?;
            }
            objects.push(object);
        }
        Ok(Self { columns, rows: objects })
    }
}

impl Column {
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind }
    }

    fn check(self, value: &Value) -> Result<()> {
        let fits = match (self.kind, value) {
            (_, Value::Null)
            | (Kind::Text | Kind::Time, Value::String(_))
            | (Kind::Flag, Value::Bool(_))
            | (Kind::Number, Value::Number(_))
            | (Kind::Object, Value::Object(_)) => true,
            (Kind::List, Value::Array(items)) => items.iter().all(Value::is_string),
            _ => false,
        };
        if !fits {
            bail!("column {}: expected {:?}, found {value}", self.name, self.kind);
        }
        Ok(())
    }
}
