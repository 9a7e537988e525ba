//! A CSV table with a row per image and columns of known names, as releases ship them.

use crate::files::input_file;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// Maximum size of a table in bytes; the largest known one has 5 MB.
const LONGEST: u64 = 256 << 20;

/// A table in memory.
pub(super) struct LabelTable {
    /// File name, for messages.
    pub name: String,
    columns: Vec<String>,
    rows: Vec<(u64, csv::StringRecord)>,
}

/// One row.
#[derive(Clone, Copy)]
pub(super) struct TableRow<'a> {
    table: &'a LabelTable,
    /// Line of the file, from 1.
    line: u64,
    cells: &'a csv::StringRecord,
}

impl LabelTable {
    /// Reads a table that has these columns, and maybe others.
    ///
    /// # Errors
    /// Fails if the file cannot be read, a column is missing, or a row has another number of cells than the header.
    pub fn read(path: &Path, needed: &[&str]) -> Result<Self> {
        let shown = path.display();
        let text = input_file::read_text(path, LONGEST).with_context(|| format!("cannot read {shown}"))?;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(|name| name.trim().to_owned()).collect(),
            Err(error) => bail!("{shown}: expected a CSV table: {error}"),
        };
        let missing: Vec<&str> =
            needed.iter().copied().filter(|name| !columns.iter().any(|known| known == name)).collect();
        if !missing.is_empty() {
            bail!("{shown}: expected the columns {}; found {}", missing.join(", "), columns.join(", "));
        }
        for name in needed {
            if columns.iter().filter(|known| known == name).count() > 1 {
                bail!("{shown}: expected one column {name}, found two");
            }
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record =
                record.with_context(|| format!("{shown}: expected as many cells in each row as in the header"))?;
            rows.push((record.position().map_or(0, csv::Position::line), record));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, columns, rows })
    }

    /// The rows in the order of the file.
    pub fn rows(&self) -> impl Iterator<Item = TableRow<'_>> {
        self.rows.iter().map(|(line, cells)| TableRow { table: self, line: *line, cells })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known == column)
    }
}

impl<'a> TableRow<'a> {
    /// The cell without surrounding spaces; empty if the table has no such column.
    pub fn cell(&self, column: &str) -> &'a str {
        let position = self.table.columns.iter().position(|known| known == column);
        position.and_then(|position| self.cells.get(position)).map_or("", str::trim)
    }

    /// File and line, for messages.
    pub fn place(&self) -> String {
        format!("{}:{}", self.table.name, self.line)
    }

    /// A cell of a 0/1 column: `None` if it is empty.
    ///
    /// # Errors
    /// Fails if the cell is anything but 0, 1, 0.0 or 1.0.
    pub fn flag(&self, column: &str) -> Result<Option<bool>, UnusableRow> {
        match self.cell(column) {
            "1" | "1.0" => Ok(Some(true)),
            "0" | "0.0" => Ok(Some(false)),
            "" => Ok(None),
            other => Err(self.unusable(format!("{column}: expected 0 or 1"), Some(other))),
        }
    }

    /// Says why the row cannot be used; `found` is the cell.
    pub fn unusable(&self, reason: impl Into<String>, found: Option<&str>) -> UnusableRow {
        let place = match found {
            Some(found) => format!("{}, found {found:?}", self.place()),
            None => self.place(),
        };
        UnusableRow { reason: reason.into(), place }
    }
}

/// Why a row cannot be used.
#[derive(Clone, Debug)]
pub(super) struct UnusableRow {
    /// The same for all rows with it.
    pub reason: String,
    /// File and line, and what the cell has.
    pub place: String,
}
