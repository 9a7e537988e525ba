//! `dissent check`: prints every problem of a dataset with file, line and field, then a summary.

use super::Common;
use crate::data::{CheckReport, DROPPED_FILE, LeakCounts, Split, Summary, check, drop_leaks};
use crate::output::{count, one_line, print_json, print_line, progress_bar, say, within};
use crate::text::printable::Printable;
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Arguments of `dissent check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    pub dataset: PathBuf,
    /// Take documents and cases out that share a picture (or nearly the same one), patient or article with test or validation
    /// cases; they are kept in dropped-leaks.jsonl
    #[arg(long)]
    pub drop_leaks: bool,
    /// Print problems and summary as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Checks and prints; fails if there is an error, but not for warnings.
pub fn run(args: Args, _common: &Common) -> Result<()> {
    let bar = progress_bar("images");
    let report = check(&args.dataset, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    if args.json {
        print_json(&report)?;
    } else {
        print_line(&text_of(&report))?;
    }
    let errors = report.errors();
    if args.drop_leaks {
        let (cases, documents) = drop_leaks(&args.dataset, &report)?;
        say(&format!(
            "dropped {} and {}; their lines are in {}",
            count(cases, "case"),
            count(documents, "document"),
            Printable(&args.dataset.join(DROPPED_FILE).display().to_string())
        ));
    }
    if errors > 0 {
        bail!("{errors} {} in {}", if errors == 1 { "problem" } else { "problems" }, args.dataset.display());
    }
    Ok(())
}

fn text_of(report: &CheckReport) -> String {
    let mut lines = Vec::new();
    for problem in &report.problems {
        let kind = if problem.is_error() { "error" } else { "warning" };
        lines.push(within(&format!("{kind}: {problem}")).into_owned());
    }
    match &report.summary {
        Some(summary) => lines.push(summary_text(summary)),
        None => lines.push("because of these problems nothing else could be checked".into()),
    }
    if !report.leaks.is_empty() {
        lines.push("leaks (--drop-leaks takes these rows out)".into());
        lines.push(format!("  {:>9} {:>12} {:>10}", "same file", "near picture", "same group"));
        for counts in &report.leaks {
            let LeakCounts { same_file, near_picture, same_group, rows, .. } = counts;
            lines.push(format!("  {same_file:>9} {near_picture:>12} {same_group:>10}  {rows}"));
        }
    }
    let errors = report.errors();
    let warnings = report.problems.len() - errors;
    lines.push(format!("{}, {}", count(errors, "error"), count(warnings, "warning")));
    lines.join("\n")
}

/// The name, the cases by task, split and label, the documents by source.
pub(super) fn summary_text(summary: &Summary) -> String {
    let mut lines = vec![one_line(&summary.name)];
    for (task, splits) in &summary.cases {
        for split in [Split::Train, Split::Validation, Split::Test] {
            let Some(labels) = splits.get(&split) else { continue };
            let total: usize = labels.values().sum();
            let name = Printable(task);
            let names = summary.label_names.get(task);
            lines.push(format!("  {name}, {split}: {} ({})", count(total, "case"), listed(labels, names)));
            if let Some(labels) = summary.labels.get(task).and_then(|splits| splits.get(&split)) {
                lines.push(format!("    cases with each label: {}", listed(labels, names)));
            }
        }
    }
    lines.push(match summary.documents {
        0 => "  corpus: no documents".into(),
        documents => format!("  corpus: {} ({})", count(documents, "document"), listed(&summary.sources, None)),
    });
    lines.push(format!("  images: {}", count(summary.images, "file")));
    lines.join("\n")
}

/// Ids, names where they differ, and counts: "Yes (malignant) 3, No (benign) 4".
fn listed(counts: &BTreeMap<String, usize>, names: Option<&BTreeMap<String, String>>) -> String {
    let part = |(id, count): (&String, &usize)| match names.and_then(|names| names.get(id)) {
        Some(name) => format!("{} ({}) {count}", Printable(id), Printable(name)),
        None => format!("{} {count}", Printable(id)),
    };
    counts.iter().map(part).collect::<Vec<_>>().join(", ")
}
