//! Annotations for other programs: as a table of the latest annotations joined with the cases, and as files for
//! annotation tools.

mod argilla;
mod for_tools;
mod label_studio;

pub use self::argilla::argilla_files;
pub use self::for_tools::ToolExport;
pub use self::label_studio::{LABEL_STUDIO_PREFIX, label_studio_config, label_studio_tasks};

use super::rated_cases::positions_of;
use super::table_export::{Column, Kind};
use super::{AnnotationState, CategoryId, Taxonomy};
use anyhow::{Context, Result};
use dissent_core::data::{Case, Split};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use time::format_description::well_known::Rfc3339;

/// Format of `dissent annotations export`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum ExportFormat {
    Jsonl,
    Csv,
    Parquet,
    /// A folder with tasks.json, which Label Studio imports, and config.xml, its labelling configuration
    LabelStudio,
    /// A folder that Argilla 2 loads with `rg.Dataset.from_disk`
    Argilla,
}

/// One annotator's latest annotation of one case. A field that is unknown is null in JSON and empty in CSV; a list is
/// joined by semicolons in CSV.
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
    /// Their names; the id again if the taxonomy does not know it.
    pub category_names: Vec<&'a str>,
    /// By document id: the categories given to that document. CSV has JSON in this column.
    pub hits: &'a BTreeMap<String, BTreeSet<CategoryId>>,
    pub skipped: bool,
    pub unsure: bool,
    pub flagged: bool,
    pub note: Option<&'a str>,
    /// Given before the annotator saw the gold answer or earlier annotations.
    pub blind: bool,
    /// Number of the reading of the case, from 1.
    pub pass: u32,
    /// Time spent on the case.
    pub seconds: Option<f64>,
    /// Ids of categories that were given under a definition that the taxonomy no longer has.
    pub earlier_definitions: Vec<&'a str>,
    /// Time of the latest event that counts: RFC 3339, UTC.
    pub ts: String,
    pub run_fingerprint: Option<&'a str>,
    pub answers_fingerprint: Option<&'a str>,
}

/// One row per annotator and case, ordered so. A case that is not in the dataset any more keeps its row, without task,
/// split and gold.
///
/// # Errors
/// Fails if a time cannot be written as RFC 3339 (a year beyond 9999).
pub fn export_rows<'a>(
    state: &'a AnnotationState,
    taxonomy: &'a Taxonomy,
    cases: &'a [Case],
) -> Result<Vec<ExportRow<'a>>> {
    let positions = positions_of(cases);
    let name_of = |id: &'a CategoryId| taxonomy.by_id(id).map_or(id.as_str(), |category| category.name.as_str());
    let mut rows = Vec::new();
    for (annotator, case, annotation) in state.iter() {
        let known = positions.get(case).map(|position| &cases[*position]);
        rows.push(ExportRow {
            annotator,
            case,
            task: known.map(|case| case.task.as_str()),
            split: known.map(|case| case.split),
            gold: known.map(|case| case.answer.as_str()),
            categories: annotation.categories.iter().map(CategoryId::as_str).collect(),
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

/// The fields of [`ExportRow`] in order.
pub const EXPORT_COLUMNS: [Column; 19] = [
    Column::new("annotator", Kind::Text),
    Column::new("case", Kind::Text),
    Column::new("task", Kind::Text),
    Column::new("split", Kind::Text),
    Column::new("gold", Kind::Text),
    Column::new("categories", Kind::List),
    Column::new("category_names", Kind::List),
    Column::new("hits", Kind::Object),
    Column::new("skipped", Kind::Flag),
    Column::new("unsure", Kind::Flag),
    Column::new("flagged", Kind::Flag),
    Column::new("note", Kind::Text),
    Column::new("blind", Kind::Flag),
    Column::new("pass", Kind::Number),
    Column::new("seconds", Kind::Number),
    Column::new("earlier_definitions", Kind::List),
    Column::new("ts", Kind::Time),
    Column::new("run_fingerprint", Kind::Text),
    Column::new("answers_fingerprint", Kind::Text),
];
