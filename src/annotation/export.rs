//! Annotations as a table for other programs: the final state joined with the cases.

use super::{AnnotationState, Taxonomy};
use crate::data::{Case, Split};
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::HashMap;
use std::io::Write;
use time::format_description::well_known::Rfc3339;

/// What `dissent annotations export` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    Jsonl,
    Csv,
}

/// One annotator's final word on one case. A field that is unknown is null in JSON and empty in CSV.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportRow<'a> {
    pub annotator: &'a str,
    pub case: &'a str,
    pub task: Option<&'a str>,
    pub split: Option<Split>,
    /// The gold answer, a label id of the task.
    pub gold: Option<&'a str>,
    /// Category id; unknown to the taxonomy where `category_name` is missing.
    pub category: Option<&'a str>,
    pub category_name: Option<&'a str>,
    pub skipped: bool,
    pub note: Option<&'a str>,
    /// RFC 3339, UTC, of the last event that counts.
    pub ts: String,
    pub run_fingerprint: Option<&'a str>,
}

/// One row per annotator and case, ordered so. A case that is not in the dataset any more keeps its row, without task,
/// split and gold.
///
/// # Errors
/// When a time cannot be written as RFC 3339 (a year beyond 9999).
pub fn export_rows<'a>(
    state: &'a AnnotationState,
    taxonomy: &'a Taxonomy,
    cases: &'a [Case],
) -> Result<Vec<ExportRow<'a>>> {
    let by_id: HashMap<&str, &Case> = cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let mut rows = Vec::new();
    for (annotator, case, annotation) in state.iter() {
        let known = by_id.get(case);
        let category = annotation.category.as_deref();
        rows.push(ExportRow {
            annotator,
            case,
            task: known.map(|case| case.task.as_str()),
            split: known.map(|case| case.split),
            gold: known.map(|case| case.answer.as_str()),
            category,
            category_name: category.and_then(|id| taxonomy.by_id(id)).map(|category| category.name.as_str()),
            skipped: annotation.skipped,
            note: annotation.note.as_deref(),
            ts: annotation.ts.format(&Rfc3339).context("cannot write the time of an annotation")?,
            run_fingerprint: annotation.run_fingerprint.as_deref(),
        });
    }
    Ok(rows)
}

/// Writes the rows, in CSV with a header even when there are none.
///
/// # Errors
/// When `output` cannot be written.
pub fn write_rows(rows: &[ExportRow<'_>], format: ExportFormat, output: &mut dyn Write) -> Result<()> {
    match format {
        ExportFormat::Jsonl => {
            for row in rows {
                serde_json::to_writer(&mut *output, row)?;
                output.write_all(b"\n")?;
            }
        }
        ExportFormat::Csv => {
            let mut table = csv::WriterBuilder::new().has_headers(false).from_writer(&mut *output);
            table.write_record(CSV_HEADER)?;
            for row in rows {
                table.serialize(row)?;
            }
            table.flush()?;
        }
    }
    output.flush()?;
    Ok(())
}

/// The fields of [`ExportRow`] in order; written apart from the rows because an empty table has a header, too.
const CSV_HEADER: [&str; 11] = [
    "annotator",
    "case",
    "task",
    "split",
    "gold",
    "category",
    "category_name",
    "skipped",
    "note",
    "ts",
    "run_fingerprint",
];
