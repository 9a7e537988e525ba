//! The rows of a table: an Excel file, a file with tabs, or a JSON list of objects.

use super::excel;
use super::json_file::read_objects;
use crate::files::input_file;
use crate::text::written_json::Written;
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;

/// Size of the longest Excel file, bytes.
const LONGEST: u64 = 1 << 30;

/// A row with its number in the file, from 1.
pub(super) struct SheetRow {
    pub line: usize,
    /// Column and text of every cell that is not empty.
    cells: Vec<(String, String)>,
}

impl SheetRow {
    /// The cell of a column; `None` if it is empty or there is no such column.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.cells.iter().find(|(name, _)| name == column).map(|(_, text)| text.as_str())
    }
}

/// All rows, and the names of the columns.
///
/// # Errors
/// Fails if the file cannot be read, has no header, or has two columns of one name.
pub(super) fn read_sheet(path: &Path) -> Result<(Vec<String>, Vec<SheetRow>)> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match ending.as_str() {
        "xlsx" => read_excel(path),
        "xls" => bail!("{}: expected .xlsx, found the older .xls; save it as .xlsx or .tsv", path.display()),
        "json" | "jsonl" => read_json(path),
        _ => read_tabs(path),
    }
}

fn read_excel(path: &Path) -> Result<(Vec<String>, Vec<SheetRow>)> {
    let bytes = input_file::read(path, LONGEST).with_context(|| format!("cannot read {}", path.display()))?;
    let sheet =
        excel::read_rows(bytes).with_context(|| format!("{}: expected an Excel file (.xlsx)", path.display()))?;
    let mut sheet = sheet.into_iter();
    let Some((_, columns)) = sheet.next() else { return finish(path, Vec::new(), Vec::new()) };
    let rows = sheet.map(|(line, texts)| row_of(line, &columns, texts)).collect();
    finish(path, columns, rows)
}

fn read_tabs(path: &Path) -> Result<(Vec<String>, Vec<SheetRow>)> {
    let mut rows = Vec::new();
    let columns = each_tab_row(path, &mut |row| {
        rows.push(row);
        Ok(())
    })?;
    finish(path, columns, rows)
}

/// Gives every row of a file with tabs to `on_row`, and returns the names of the columns. The rows of VLMEvalKit's data have
/// whole pictures in them, so they are not kept.
pub(super) fn each_tab_row(path: &Path, on_row: &mut dyn FnMut(SheetRow) -> Result<()>) -> Result<Vec<String>> {
    let file = input_file::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').has_headers(false).flexible(true).from_reader(file);
    let mut columns: Option<Vec<String>> = None;
    for record in reader.byte_records() {
        let record = record.with_context(|| format!("{}: expected fields parted by tabs", path.display()))?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        let mut texts = Vec::with_capacity(record.len());
        for (place, field) in record.iter().enumerate() {
            let field = if columns.is_none() && place == 0 { input_file::without_bom(field) } else { field };
            let text = std::str::from_utf8(field)
                .with_context(|| format!("{}:{line}: expected UTF-8 text in field {}", path.display(), place + 1))?;
            texts.push(text.to_owned());
        }
        let Some(columns) = &columns else {
            columns = Some(texts);
            continue;
        };
        ensure!(
            texts.len() == columns.len(),
            "{}:{line}: expected {} fields as in the header, found {}",
            path.display(),
            columns.len(),
            texts.len()
        );
        on_row(row_of(line, columns, texts))?;
    }
    Ok(columns.unwrap_or_default())
}

fn read_json(path: &Path) -> Result<(Vec<String>, Vec<SheetRow>)> {
    let mut columns: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for (line, object) in read_objects(path)? {
        let Written::Object(entries) = &object else { continue };
        let mut cells = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
            let text = match value {
                Written::Text(text) => text.clone(),
                Written::Bool(value) => (if *value { "True" } else { "False" }).to_owned(),
                other => crate::data::identifier::identifier_of(other).unwrap_or_default(),
            };
            if !text.trim().is_empty() {
                cells.push((name.clone(), text));
            }
        }
        rows.push(SheetRow { line, cells });
    }
    finish(path, columns, rows)
}

fn row_of(line: usize, columns: &[String], texts: Vec<String>) -> SheetRow {
    let cells = columns.iter().cloned().zip(texts).filter(|(_, text)| !text.trim().is_empty());
    SheetRow { line, cells: cells.collect() }
}

fn finish(path: &Path, columns: Vec<String>, rows: Vec<SheetRow>) -> Result<(Vec<String>, Vec<SheetRow>)> {
    for (place, name) in columns.iter().enumerate() {
        let is_repeated = !name.is_empty() && columns[..place].contains(name);
        ensure!(!is_repeated, "{}: two columns have the name {name:?}", path.display());
    }
    ensure!(!rows.is_empty(), "{}: expected a header and rows, found {} rows", path.display(), rows.len());
    Ok((columns, rows))
}
