//! CSV with a header, even without rows. A missing value is empty, the texts of a list are joined by semicolons, an
//! object is JSON (empty if it has no entries). Texts, and each text of a list, go through [`Formulas`].

use super::TableExport;
use anyhow::Result;
use dissent_core::text::csv_cells::Formulas;
use serde_json::Value;
use std::io::Write;

/// Writes the header and the rows.
///
/// # Errors
/// Fails if `output` cannot be written.
pub fn write_csv(table: &TableExport, formulas: Formulas, output: &mut dyn Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(table.columns.iter().map(|column| column.name))?;
    for row in &table.rows {
        writer.write_record(table.columns.iter().map(|column| cell(&row[column.name], formulas)))?;
    }
    writer.flush()?;
    Ok(())
}

fn cell(value: &Value, formulas: Formulas) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => formulas.cell(text).into_owned(),
        // Each text by itself: if a comma is the decimal mark, spreadsheets split cells at semicolons.
        Value::Array(items) => {
            items.iter().filter_map(Value::as_str).map(|item| formulas.cell(item)).collect::<Vec<_>>().join(";")
        }
        Value::Object(object) if object.is_empty() => String::new(),
        other => other.to_string(),
    }
}
