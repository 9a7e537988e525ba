//! Problems of a file, with their place.

use crate::text::printable::Printable;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// Whether a problem makes the line, or the dataset, unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// One problem: file, line (from 1), field, and what was expected and found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct Problem {
    pub severity: Severity,
    pub path: PathBuf,
    pub line: Option<usize>,
    pub field: Option<String>,
    pub message: String,
}

impl Problem {
    /// A problem with a whole file.
    pub fn error(path: &Path, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, path: path.into(), line: None, field: None, message: message.into() }
    }

    /// A problem that does not make the dataset unusable.
    pub fn warning(path: &Path, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, message) }
    }

    /// Adds the line, counted from 1.
    #[must_use]
    pub fn at_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// Adds the field.
    #[must_use]
    pub fn in_field(self, field: &str) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// Whether this is an error and not a warning.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", Printable(&self.path.display().to_string()))?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        if let Some(field) = &self.field {
            write!(formatter, ": {}", Printable(field))?;
        }
        write!(formatter, ": {}", Printable(&self.message))
    }
}
