//! Every number on a line of its own, for a spreadsheet or a data frame.

use super::{Cell, Report, Table};
use anyhow::{Context, Result};

/// Columns: table, title, split, row, column, value, low, high, n, and why there is no interval.
///
/// # Errors
/// None that can be met: the text is made in memory.
pub fn csv(report: &Report) -> Result<String> {
    tables_csv(&report.split, &report.tables)
}

/// The same of any tables.
///
/// # Errors
/// As [`csv()`].
pub fn tables_csv(split: &str, tables: &[Table]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["table", "title", "split", "row", "column", "value", "low", "high", "n", "no_interval"])?;
    for table in tables {
        for cells in &table.rows {
            let names = cells.iter().filter(|cell| matches!(cell, Cell::Text(_))).map(Cell::text);
            let name = names.collect::<Vec<_>>().join(", ");
            // Counts give the n of what has none of its own.
            for (column, cell) in table.columns.iter().zip(cells) {
                let Some(numbers) = cell.numbers() else { continue };
                let mut record = vec![table.key.to_owned(), table.title.clone(), split.to_owned(), name.clone()];
                record.push((*column).to_owned());
                record.extend(numbers.iter().map(|number| number.map(|number| number.to_string()).unwrap_or_default()));
                record.push(cell.no_interval().unwrap_or_default());
                writer.write_record(&record)?;
            }
        }
    }
    let bytes = writer.into_inner().context("cannot write CSV")?;
    String::from_utf8(bytes).context("cannot write CSV")
}
