//! `dissent import predictions`: answers of other programs as runs of a dataset, and runs of the reference code as a dataset.

use crate::cli::Common;
use crate::cli::check::summary_text;
use crate::cli::open_dataset::open_dataset;
use crate::data::import::{Imported, label_names};
use crate::data::{Existing, Split};
use crate::output::{count, print_json, print_line, progress_bar};
use crate::predictions::{ImportedPredictions, ImportedRun, PredictionFormat, PredictionOptions, import_predictions};
use crate::run_import::{CandidateHeads, ReferenceRunOptions, import_reference_run};
use crate::text::printable::Printable;
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;

/// Heading of the flags for runs of the reference code.
const REFERENCE: &str = "Runs of JOMED's reference code: dissent import predictions FILE NEW_DATASET";

/// Arguments of `dissent import predictions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory that the answers belong to
    #[arg(value_name = "DATASET")]
    dataset: PathBuf,
    /// Files of answers: dissent's JSONL, lmms-eval samples, a table of VLMEvalKit (.xlsx, .tsv, .json), answers of LLaVA, a run
    /// folder of HELM, or a result file of MedMNIST
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Name of the run; with several models the name of each is added
    #[arg(long = "as", alias = "run", default_value = "imported", value_name = "NAME")]
    name: String,
    /// Format of the files; default: recognised
    #[arg(long, value_enum)]
    format: Option<PredictionFormat>,
    /// Name of the model of answers that do not name theirs; default: taken from the names of file and folder
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Questions and pictures of the answers, by id: question.jsonl of LLaVA or LMUData/DATA.tsv of VLMEvalKit
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// Folder that relative image paths start from
    #[arg(long, value_name = "DIR")]
    images_from: Option<PathBuf>,
    /// Only cases of this split; reference code: the split of the new cases, test by default
    #[arg(long, value_enum)]
    split: Option<Split>,
    /// One run of all models: each model's answer stands where the answer with one document stands otherwise
    #[arg(long)]
    candidates: bool,
    /// In texts, count a label only if it is a whole word; otherwise the no in "cannot" is the label No, as in the reference
    #[arg(long)]
    whole_words: bool,
    /// Replace a run of this name; reference code: replace the dataset
    #[arg(long)]
    replace: bool,
    /// Read everything and say what would come in, but write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Labels in the order of the logits. A JSON list allows commas in names: `["normal, benign", "malignant"]`
    #[arg(long, value_name = "A,B,…", help_heading = REFERENCE)]
    labels: Vec<String>,
    /// The file of fused answers (…-step-N-fused.jsonl)
    #[arg(long, value_name = "FILE", help_heading = REFERENCE)]
    fused: Option<PathBuf>,
    /// A file of answers without a document, one line per case
    #[arg(long, value_name = "FILE", help_heading = REFERENCE)]
    closed_book: Option<PathBuf>,
    /// Heads that found the candidates; default: taken from the file's name
    #[arg(long, value_enum, help_heading = REFERENCE)]
    heads: Option<CandidateHeads>,
    /// Id of the task; default: answer
    #[arg(long, value_name = "ID", help_heading = REFERENCE)]
    task: Option<String>,
}

/// Imports the answers and prints what came in.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    if !args.dataset.is_dir() {
        return import_reference(args, common);
    }
    let of_reference = [
        ("--labels", !args.labels.is_empty()),
        ("--fused", args.fused.is_some()),
        ("--closed-book", args.closed_book.is_some()),
        ("--heads", args.heads.is_some()),
        ("--task", args.task.is_some()),
    ];
    if let Some((flag, _)) = of_reference.iter().find(|(_, is_given)| *is_given) {
        bail!(
            "{flag}: expected with a file of the reference code in place of {}, which is a folder",
            args.dataset.display()
        );
    }
    let dataset = open_dataset(&args.dataset)?;
    let options = PredictionOptions {
        run: args.name.clone(),
        format: args.format,
        model: args.model.clone(),
        questions: args.questions.clone(),
        images: args.images_from.clone(),
        split: args.split,
        as_candidates: args.candidates,
        whole_words: args.whole_words,
        existing: if args.replace { Existing::Replace } else { Existing::Refuse },
        dry_run: args.dry_run,
    };
    let imported = import_predictions(&dataset, &args.files, &options, common.workspace.as_deref())
        .context("no run was imported")?;
    if args.json {
        let mut value = serde_json::to_value(&imported).context("cannot write what was imported as JSON")?;
        value["written"] = (!args.dry_run).into();
        return print_json(&value);
    }
    print_line(&in_words(&imported, args.dry_run).join("\n"))
}

fn in_words(imported: &ImportedPredictions, dry_run: bool) -> Vec<String> {
    let mut lines = vec![format!("{} of {} belong to a case", imported.joined, count(imported.answers, "answer"))];
    lines.extend(imported.left_out.iter().map(|rows| format!("  {}", Printable(&rows.to_string()))));
    lines.extend(imported.remarks.iter().map(|remark| format!("  {}", Printable(remark))));
    for run in &imported.runs {
        lines.push(Printable(&run_in_words(run)).to_string());
        lines.push(format!("  in {}", Printable(&run.folder.display().to_string())));
    }
    if dry_run {
        lines.push("nothing written (--dry-run)".into());
    }
    lines
}

fn run_in_words(run: &ImportedRun) -> String {
    let who = match run.models.as_slice() {
        [model] => format!("of {model}"),
        models => format!("with {} models as candidates ({})", models.len(), models.join(", ")),
    };
    let probabilities = match run.without_scores {
        0 => String::new(),
        all if all == run.predictions => {
            "; no probabilities, so figures that need some (AUC, calibration, push) are absent".to_owned()
        }
        some => format!("; {some} of them without probabilities: figures that need some are absent for those"),
    };
    let cases = count(run.cases, "case");
    let predictions = count(run.predictions, "prediction");
    format!("run {} {who}: {cases}, {predictions}{probabilities}", run.name)
}

/// `dissent import predictions FILE NEW_DATASET`.
fn import_reference(args: &Args, common: &Common) -> Result<()> {
    let source = &args.dataset;
    let [target] = args.files.as_slice() else {
        bail!("{}: expected a dataset folder, or one file of the reference code and one new folder", source.display())
    };
    let of_answers = [
        ("--format", args.format.is_some()),
        ("--model", args.model.is_some()),
        ("--questions", args.questions.is_some()),
        ("--candidates", args.candidates),
        ("--whole-words", args.whole_words),
        ("--dry-run", args.dry_run),
    ];
    if let Some((flag, _)) = of_answers.iter().find(|(_, is_given)| *is_given) {
        bail!("{flag}: expected after a dataset folder, found the file {}", source.display());
    }
    ensure!(
        !target.is_file(),
        "{}: no such dataset folder; expected dissent import predictions DATASET FILE",
        source.display()
    );
    let options = ReferenceRunOptions {
        fused: args.fused.clone(),
        closed_book: args.closed_book.clone(),
        images: args.images_from.clone(),
        labels: label_names(&args.labels)?,
        task: args.task.clone().unwrap_or_else(|| "answer".into()),
        split: args.split.unwrap_or(Split::Test),
        run: args.name.clone(),
        heads: args.heads,
    };
    let existing = if args.replace { Existing::Replace } else { Existing::Refuse };
    let bar = progress_bar("images");
    let progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let imported = import_reference_run(source, target, &options, existing, common.workspace.as_deref(), &progress);
    bar.finish_and_clear();
    let Imported { summary, left_out, remarks } = imported.map_err(|error| {
        let names_source = format!("{error:#}").contains(&*source.to_string_lossy());
        let context =
            if names_source { "nothing was imported".into() } else { format!("cannot import {}", source.display()) };
        error.context(context)
    })?;
    if args.json {
        let value =
            serde_json::json!({"dataset": target, "summary": summary, "left_out": left_out, "remarks": remarks});
        return print_json(&value);
    }
    let mut lines = vec![summary_text(&summary)];
    lines.extend(remarks.iter().map(|remark| format!("  {}", Printable(remark))));
    lines.push(format!("written to {}", Printable(&target.display().to_string())));
    print_line(&lines.join("\n"))
}
