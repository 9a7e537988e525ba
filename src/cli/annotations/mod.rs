//! `dissent annotations`: what people said about the cases, how far they agree, and where not; in and out of other tools.

mod agreement;
mod assign;
mod disagreements;
mod export;
mod import;
mod merge;

use super::Common;
use super::output::{one_line, print_line, say};
use crate::annotation::{AnnotationState, ExportRow, Taxonomy, export_rows, read_folder};
use crate::data::Dataset;
use crate::sample::Sample;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use clap::Subcommand;
use std::path::{Path, PathBuf};
use unicode_width::UnicodeWidthStr;

/// Arguments of `dissent annotations`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show each annotator's final word on each case
    List {
        /// Dataset directory; default: the embedded sample, as `dissent demo` shows it
        dataset: Option<PathBuf>,
        /// Only this person's
        #[arg(long, value_name = "NAME")]
        annotator: Option<String>,
        /// One JSON array instead of a table
        #[arg(long)]
        json: bool,
    },
    /// How far annotators agree: percent, kappa, alpha, AC1 with intervals, by task and category, and who confuses what
    Agreement(agreement::Args),
    /// The cases that an adjudicator should decide, with what each annotator said and why
    Disagreements(disagreements::Args),
    /// Write each annotator's latest word on each case, or the final set, for other programs and annotation tools
    Export(export::Args),
    /// Take over annotations made in another tool
    Import(import::Args),
    /// Share the cases out among several people, without a server
    Assign(assign::Args),
    /// Copy other people's journals in; doing it again changes nothing
    Merge(merge::Args),
}

/// Runs `dissent annotations`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    match args.action {
        Action::Assign(args) => assign::run(args, common),
        Action::Merge(args) => merge::run(args, common),
        Action::List { dataset, annotator, json } => {
            let annotations = Annotations::open(dataset, common)?;
            let mut rows = annotations.rows()?;
            if let Some(annotator) = annotator {
                rows.retain(|row| row.annotator == annotator);
            }
            if json {
                return print_line(&serde_json::to_string_pretty(&rows)?);
            }
            if rows.is_empty() {
                say("no annotations");
                return Ok(());
            }
            print_line(&table_of(&rows))
        }
        Action::Agreement(args) => agreement::run(args, common),
        Action::Disagreements(args) => disagreements::run(args, common),
        Action::Export(args) => export::run(args, common),
        Action::Import(args) => import::run(args, common),
    }
}

/// Everything that a row is joined from.
struct Annotations {
    state: AnnotationState,
    taxonomy: Taxonomy,
    /// Without its bad lines.
    dataset: Dataset,
    /// Where the journals are.
    folder: PathBuf,
}

impl Annotations {
    fn open(dataset: Option<PathBuf>, common: &Common) -> Result<Self> {
        if let Some(dataset) = dataset {
            return Self::read(&dataset, common.workspace.as_deref());
        }
        let sample = Sample::unpack()?;
        Self::read(&sample.dataset, Some(common.workspace.as_deref().unwrap_or(&sample.workspace)))
    }

    /// Reads the annotations folder and the dataset. Bad lines are named on standard error and passed over: a broken
    /// case must not lock people out of their own annotations.
    fn read(root: &Path, workspace: Option<&Path>) -> Result<Self> {
        let lenient = Dataset::open_lenient(root);
        let Some(dataset) = lenient.dataset else {
            let first = lenient.problems.into_iter().next();
            return Err(first.map_or_else(|| anyhow::anyhow!("{} is no dataset", root.display()), Into::into));
        };
        let folder = Workspace::open(root, workspace)?.annotations_dir();
        let (events, problems) = read_folder(&folder)?;
        for problem in lenient.problems.iter().filter(|problem| problem.is_error()).chain(&problems) {
            say(&format!("warning: {problem}"));
        }
        let taxonomy = Taxonomy::read(&folder)?;
        Ok(Self { state: AnnotationState::fold(events), taxonomy, dataset, folder })
    }

    fn rows(&self) -> Result<Vec<ExportRow<'_>>> {
        export_rows(&self.state, &self.taxonomy, &self.dataset.cases).context("cannot list the annotations")
    }
}

/// Columns for people; what is said is last, because it may be long.
fn table_of(rows: &[ExportRow<'_>]) -> String {
    let mut lines = vec![["annotator", "case", "task", "split", "gold", "category", "note"].map(str::to_owned)];
    for row in rows {
        let split = row.split.map_or_else(|| "?".into(), |split| split.to_string());
        lines.push([
            one_line(row.annotator),
            one_line(row.case),
            one_line(row.task.unwrap_or("?")),
            split,
            one_line(row.gold.unwrap_or("?")),
            one_line(&decision_of(row)),
            one_line(row.note.unwrap_or("")),
        ]);
    }
    let mut widths = [0; 7];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.width());
        }
    }
    let mut table = Vec::new();
    for line in &lines {
        let mut text = String::new();
        for (width, cell) in widths.iter().zip(line) {
            text.push_str(cell);
            // By columns of the terminal, which `format!` does not count.
            text.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        table.push(text.trim_end().to_owned());
    }
    table.join("\n")
}

/// "look-alike, other; d7 look-alike; unsure, flagged, blind, pass 2, earlier definition of other".
fn decision_of(row: &ExportRow<'_>) -> String {
    let mut parts = Vec::new();
    if row.skipped {
        parts.push("(skipped)".to_owned());
    }
    if !row.categories.is_empty() {
        parts.push(row.categories.join(", "));
    }
    for (document, categories) in row.hits {
        parts.push(format!("{document} {}", categories.iter().map(String::as_str).collect::<Vec<_>>().join(", ")));
    }
    let mut remarks = Vec::new();
    for (is_so, remark) in [(row.unsure, "unsure"), (row.flagged, "flagged"), (row.blind, "blind")] {
        if is_so {
            remarks.push(remark.to_owned());
        }
    }
    if row.pass > 1 {
        remarks.push(format!("pass {}", row.pass));
    }
    if !row.earlier_definitions.is_empty() {
        remarks.push(format!("earlier definition of {}", row.earlier_definitions.join(", ")));
    }
    if !remarks.is_empty() {
        parts.push(remarks.join(", "));
    }
    parts.join("; ")
}
