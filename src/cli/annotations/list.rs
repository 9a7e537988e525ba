//! `dissent annotations list`: prints the annotations as a table.

use super::Annotations;
use crate::annotation::{CategoryId, ExportRow, FinalRow, final_rows, remarks};
use crate::cli::Common;
use crate::data::Split;
use crate::output::{one_line, print_json, print_line, say};
use anyhow::Result;
use std::path::PathBuf;
use unicode_width::UnicodeWidthStr;

/// Arguments of `dissent annotations list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory; default: the embedded sample
    dataset: Option<PathBuf>,
    /// Only annotations of this person
    #[arg(long, value_name = "NAME", conflicts_with = "is_final")]
    annotator: Option<String>,
    /// Print one row per case: the adjudicator's decision, else what all annotators agree on
    #[arg(long = "final")]
    is_final: bool,
    /// Print one JSON array instead of a table
    #[arg(long)]
    json: bool,
}

/// Prints each annotator's latest annotation of each case, or the final annotations.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let annotations = Annotations::open(args.dataset, common)?;
    if args.is_final {
        let reviews = annotations.state.reviews();
        let rows = final_rows(&reviews, &annotations.taxonomy, &annotations.dataset.cases)?;
        return print(args.json, &rows, &FINAL_HEADING, final_line);
    }
    let mut rows = annotations.rows()?;
    if let Some(annotator) = &args.annotator {
        rows.retain(|row| row.annotator == annotator);
    }
    print(args.json, &rows, &HEADING, line)
}

const HEADING: [&str; 7] = ["annotator", "case", "task", "split", "gold", "category", "note"];
const FINAL_HEADING: [&str; 7] = ["case", "task", "split", "gold", "standing", "category", "who and why"];

fn print<Row: serde::Serialize>(
    as_json: bool,
    rows: &[Row],
    heading: &[&str; 7],
    line: fn(&Row) -> [String; 7],
) -> Result<()> {
    if as_json {
        return print_json(rows);
    }
    if rows.is_empty() {
        say("no annotations");
        return Ok(());
    }
    let lines = std::iter::once(heading.map(str::to_owned)).chain(rows.iter().map(line));
    print_line(&aligned(&lines.collect::<Vec<_>>()))
}

/// The annotation comes last because it may be long.
fn line(row: &ExportRow<'_>) -> [String; 7] {
    let [case, task, split, gold] = of_case(row.case, row.task, row.split, row.gold);
    [one_line(row.annotator), case, task, split, gold, one_line(&decision_of(row)), one_line(row.note.unwrap_or(""))]
}

fn final_line(row: &FinalRow<'_>) -> [String; 7] {
    let [case, task, split, gold] = of_case(row.case, row.task, row.split, row.gold);
    let category = match &row.categories {
        None => "-".to_owned(),
        Some(categories) if categories.is_empty() => "(none applies)".to_owned(),
        Some(categories) => categories.join(", "),
    };
    let mut why = row.annotators.join(", ");
    if let Some(adjudicator) = row.adjudicator {
        why = format!("{adjudicator} decided");
        why += &row.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        why += if row.outdated { " (annotated again since)" } else { "" };
    }
    [case, task, split, gold, row.standing.to_owned(), one_line(&category), one_line(&why)]
}

fn of_case(case: &str, task: Option<&str>, split: Option<Split>, gold: Option<&str>) -> [String; 4] {
    let split = split.map_or_else(|| "?".into(), |split| split.to_string());
    [one_line(case), one_line(task.unwrap_or("?")), split, one_line(gold.unwrap_or("?"))]
}

/// Aligns the cells by terminal columns, which `format!` does not count.
fn aligned(lines: &[[String; 7]]) -> String {
    let mut widths = [0; 7];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.width());
        }
    }
    let mut table = Vec::new();
    for line in lines {
        let mut text = String::new();
        for (width, cell) in widths.iter().zip(line) {
            text.push_str(cell);
            text.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        table.push(text.trim_end().to_owned());
    }
    table.join("\n")
}

/// Text such as "look-alike, other; d7 look-alike; unsure, flagged, blind, pass 2, earlier definition of other".
fn decision_of(row: &ExportRow<'_>) -> String {
    let mut parts = Vec::new();
    if row.skipped {
        parts.push("(skipped)".to_owned());
    }
    if !row.categories.is_empty() {
        parts.push(row.categories.join(", "));
    }
    for (document, categories) in row.hits {
        parts.push(format!("{document} {}", categories.iter().map(CategoryId::as_str).collect::<Vec<_>>().join(", ")));
    }
    let mut also: Vec<String> = remarks(false, row.unsure, row.flagged).map(str::to_owned).collect();
    if row.blind {
        also.push("blind".to_owned());
    }
    if row.pass > 1 {
        also.push(format!("pass {}", row.pass));
    }
    if !row.earlier_definitions.is_empty() {
        also.push(format!("earlier definition of {}", row.earlier_definitions.join(", ")));
    }
    if !also.is_empty() {
        parts.push(also.join(", "));
    }
    parts.join("; ")
}
