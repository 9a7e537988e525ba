//! The report as CSV, one number per line, for a spreadsheet or a data frame.

use super::{Cell, Report, Table};
use anyhow::{Context, Result};
use dissent_core::text::csv_cells::Formulas;

/// The report with the columns table, title, split, row, column, value, low, high, n, and the reason for a missing
/// interval.
///
/// # Errors
/// Fails if the CSV cannot be written to memory, which does not occur in practice.
pub fn csv(report: &Report, formulas: Formulas) -> Result<String> {
    tables_csv(&report.split, &report.tables, formulas)
}

/// Like [`csv()`], for any tables.
///
/// # Errors
/// Fails like [`csv()`].
pub fn tables_csv(split: &str, tables: &[Table], formulas: Formulas) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["table", "title", "split", "row", "column", "value", "low", "high", "n", "no_interval"])?;
    for table in tables {
        for cells in &table.rows {
            let names = cells.iter().filter(|cell| matches!(cell, Cell::Text(_))).map(Cell::text);
            let name = names.collect::<Vec<_>>().join(", ");
            // Figures without an n have the count cells beside them.
            for (column, cell) in table.columns.iter().zip(cells) {
                let Some(numbers) = cell.numbers() else { continue };
                let texts = [table.key, table.title.as_str(), split, name.as_str(), column];
                let mut record: Vec<String> = texts.iter().map(|text| formulas.cell(text).into_owned()).collect();
                record.extend(numbers.iter().map(|number| number.map(|number| number.to_string()).unwrap_or_default()));
                record.push(cell.no_interval().unwrap_or_default());
                writer.write_record(&record)?;
            }
        }
    }
    let bytes = writer.into_inner().context("cannot write CSV")?;
    String::from_utf8(bytes).context("cannot write CSV")
}
