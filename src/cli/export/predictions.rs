//! `dissent export predictions`: a stored run as JSON lines that other programs read and `import predictions` reads again.

use crate::cli::Common;
use crate::cli::open_dataset::open_dataset;
use crate::data::Split;
use crate::files::durable;
use crate::output::{count, print_json, print_line, say};
use crate::predictions::export_predictions;
use crate::run::Run;
use crate::workspace::Workspace;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};

/// Arguments of `dissent export predictions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Stored run to write
    #[arg(long, value_name = "NAME")]
    run: String,
    /// JSONL file to write; an earlier one is replaced; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only cases of this split
    #[arg(long, value_enum)]
    split: Option<Split>,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `dissent export predictions`.
pub(super) fn run(args: &Args, common: &Common) -> Result<()> {
    let mut dataset = open_dataset(&args.dataset)?;
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    let run = Run::open(&workspace.existing_run(&args.run)?)?;
    if let Some(remark) = run.remark() {
        say(&remark);
    }
    for changed in run.identity.changed_since(&dataset) {
        say(&format!("warning: run {}: {changed} changed since the run was made", args.run));
    }
    dataset.add_models(&run.identity.candidates);
    let identity = run.identity.clone();
    let mut answers = run.into_answers(&dataset)?;
    answers.retain(|answer| args.split.is_none_or(|split| dataset.cases[answer.case].split == split));
    ensure!(!answers.is_empty(), "no file is written: the run {} has no case of this split", args.run);
    let mut text = Vec::new();
    let lines = export_predictions(&dataset, &identity, &answers, &mut text)?;
    if args.out == Path::new("-") {
        return print_line(String::from_utf8_lossy(&text).trim_end());
    }
    durable::write_file(&args.out, &text)?;
    if args.json {
        return print_json(&serde_json::json!({"file": args.out, "cases": answers.len(), "predictions": lines}));
    }
    print_line(&format!("{}: {}, {}", args.out.display(), count(answers.len(), "case"), count(lines, "prediction")))
}
