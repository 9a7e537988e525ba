//! A row of a table, whatever file it came from: named values, before anything says what they mean.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Null, an empty field of a table, or a class of -1, which Hugging Face writes for "no label".
    Missing,
    Text(String),
    /// As the source writes it: `1.0` and `1` stay different texts until a mapping compares them.
    Number(String),
    Bool(bool),
    /// An empty list is a value; a list that is null is [`Value::Missing`].
    List(Vec<Value>),
    /// An image in its place: a file, or a member of an archive or table (`shard.tar!/key.jpg`).
    Image(PathBuf),
}

impl Value {
    /// The value as a text: numbers as written, `true` and `false`; `None` for missing values, lists and images.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Missing | Self::List(_) | Self::Image(_) => None,
        }
    }
}

/// One row of a source.
#[derive(Clone, Debug)]
pub struct Record {
    /// Names of the columns, the same for all rows of a file.
    pub columns: Arc<[String]>,
    /// One value per column.
    pub values: Vec<Value>,
    pub place: RowPlace,
}

/// Where a row is, for messages: `train.csv:12`.
#[derive(Clone, Debug)]
pub struct RowPlace {
    pub file: Arc<Path>,
    /// Line of a text file (from 1), or row of a table (from 0).
    pub row: u64,
}

impl fmt::Display for RowPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str()).to_string_lossy();
        write!(formatter, "{name}:{}", self.row)
    }
}

impl Record {
    /// The value of a column; `None` if there is no such column.
    pub fn value(&self, column: &str) -> Option<&Value> {
        let position = self.columns.iter().position(|name| name == column)?;
        self.values.get(position)
    }
}
