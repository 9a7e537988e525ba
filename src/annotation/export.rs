//! Annotations as a table for other programs: the final state joined with the cases.

use super::{AnnotationState, Taxonomy};
use crate::data::{Case, Split};
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use time::format_description::well_known::Rfc3339;

/// What `dissent annotations export` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    Jsonl,
    Csv,
}

/// One annotator's final word on one case. A field that is unknown is null in JSON and empty in CSV; a list is joined by
/// semicolons in CSV.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExportRow<'a> {
    pub annotator: &'a str,
    pub case: &'a str,
    pub task: Option<&'a str>,
    pub split: Option<Split>,
    /// The gold answer, a label id of the task.
    pub gold: Option<&'a str>,
    /// Ids of the categories given to the case.
    pub categories: Vec<&'a str>,
    /// Their names; the id again where the taxonomy does not know it.
    pub category_names: Vec<&'a str>,
    /// By document id: the categories given to that document. JSON in CSV, too.
    pub hits: &'a BTreeMap<String, BTreeSet<String>>,
    pub skipped: bool,
    pub unsure: bool,
    pub flagged: bool,
    pub note: Option<&'a str>,
    /// Given without sight of the gold answer and of earlier annotations.
    pub blind: bool,
    /// Which reading of the case this is, from 1.
    pub pass: u32,
    /// Time spent on the case.
    pub seconds: Option<f64>,
    /// Ids of categories that were given under a definition that the taxonomy no longer has.
    pub earlier_definitions: Vec<&'a str>,
    /// RFC 3339, UTC, of the last event that counts.
    pub ts: String,
    pub run_fingerprint: Option<&'a str>,
    pub answers_fingerprint: Option<&'a str>,
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
    let name_of = |id: &'a String| taxonomy.by_id(id).map_or(id.as_str(), |category| category.name.as_str());
    let mut rows = Vec::new();
    for (annotator, case, annotation) in state.iter() {
        let known = by_id.get(case);
        rows.push(ExportRow {
            annotator,
            case,
            task: known.map(|case| case.task.as_str()),
            split: known.map(|case| case.split),
            gold: known.map(|case| case.answer.as_str()),
            categories: annotation.categories.iter().map(String::as_str).collect(),
            category_names: annotation.categories.iter().map(name_of).collect(),
            hits: &annotation.hits,
            skipped: annotation.skipped,
            unsure: annotation.unsure,
            flagged: annotation.flagged,
            note: annotation.note.as_deref(),
            blind: annotation.blind,
            pass: annotation.pass,
            seconds: annotation.seconds.map(|seconds| (seconds * 10.0).round() / 10.0),
            earlier_definitions: annotation.earlier_definitions(taxonomy),
            ts: annotation.ts.format(&Rfc3339).context("cannot write the time of an annotation")?,
            run_fingerprint: annotation.run_fingerprint.as_deref(),
            answers_fingerprint: annotation.answers_fingerprint.as_deref(),
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
            let mut table = csv::Writer::from_writer(&mut *output);
            table.write_record(CSV_HEADER)?;
            for row in rows {
                table.write_record(csv_cells(row)?)?;
            }
            table.flush()?;
        }
    }
    output.flush()?;
    Ok(())
}

/// The fields of [`ExportRow`] in order.
const CSV_HEADER: [&str; 19] = [
    "annotator",
    "case",
    "task",
    "split",
    "gold",
    "categories",
    "category_names",
    "hits",
    "skipped",
    "unsure",
    "flagged",
    "note",
    "blind",
    "pass",
    "seconds",
    "earlier_definitions",
    "ts",
    "run_fingerprint",
    "answers_fingerprint",
];

fn csv_cells(row: &ExportRow<'_>) -> Result<[String; CSV_HEADER.len()]> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let hits = if row.hits.is_empty() { String::new() } else { serde_json::to_string(row.hits)? };
    Ok([
        row.annotator.to_owned(),
        row.case.to_owned(),
        text(row.task),
        row.split.map(|split| split.to_string()).unwrap_or_default(),
        text(row.gold),
        row.categories.join(";"),
        row.category_names.join(";"),
        hits,
        row.skipped.to_string(),
        row.unsure.to_string(),
        row.flagged.to_string(),
        text(row.note),
        row.blind.to_string(),
        row.pass.to_string(),
        row.seconds.map(|seconds| seconds.to_string()).unwrap_or_default(),
        row.earlier_definitions.join(";"),
        row.ts.clone(),
        text(row.run_fingerprint),
        text(row.answers_fingerprint),
    ])
}
