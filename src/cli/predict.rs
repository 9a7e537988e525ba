//! `dissent predict`: answers every case of a split with each of its hits, and closed-book, and stores the run.

use super::costs::{CostFlags, planned_answers, say_usage};
use super::given_hits::account_in_words;
use super::interrupt::{InterruptFlag, Interrupted};
use super::model_options::ModelOptions;
use super::predict_progress::PredictProgress;
use super::{Common, relaunch};
use crate::cli::open_dataset::open_dataset;
use crate::data::{Dataset, Split};
use crate::evaluation::{Summary, SummaryCase};
use crate::model::device::choose_device;
use crate::output::{print_json, print_line, say};
use crate::pipeline::{
    EncoderSource, LoadedModels, LoadingInterrupted, Pipeline, ServerUsage, load_models, planned_queries,
};
use crate::reader::{ReaderError, ReaderSource};
use crate::retriever::HitsAccount;
use crate::run::{Ablation, CaptionShown, CaseAnswer, Run, RunWriter, TokenUsage};
use crate::workspace::Workspace;
use anyhow::{Result, bail, ensure};
use serde_json::json;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Cases that are answered, written and synced together.
const CASES_PER_BATCH: usize = 8;
/// After this many failures in a row the model is at fault, not the cases.
const FAILURES_IN_A_ROW: usize = 8;

/// Arguments of `dissent predict`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Name of the run; an unfinished run continues where it stopped
    #[arg(long, value_name = "NAME")]
    run: String,
    /// Split whose cases are predicted
    #[arg(long, value_enum, default_value_t = Split::Test)]
    split: Split,
    #[command(flatten)]
    models: ModelOptions,
    /// Show the model no captions
    #[arg(long, conflicts_with_all = ["swap_captions", "closed_book"])]
    no_caption: bool,
    /// Show the model no images of documents
    #[arg(long, conflicts_with = "closed_book")]
    no_image: bool,
    /// Show each document with a caption of another document that names a different label, to contradict its image
    #[arg(long, conflicts_with = "closed_book")]
    swap_captions: bool,
    /// Replace each hit by a randomly drawn document
    #[arg(long, conflicts_with = "closed_book")]
    random_documents: bool,
    /// Only cases of this task
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// Retrieve nothing: answer every case only without a document
    #[arg(long, conflicts_with = "hits")]
    closed_book: bool,
    /// Only the first N of those cases
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    #[command(flatten)]
    costs: CostFlags,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Predicts the missing cases of the run, then prints its metrics.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    let reader = args.models.reader.resolve(&workspace.path)?;
    if choose_device(&common.device)?.0.is_cpu() {
        relaunch::for_reading(&reader)?;
    }
    let interrupt = InterruptFlag::watch()?;
    let dataset = Arc::new(open_dataset(&args.dataset)?);
    let folder = workspace.run_dir(&args.run)?;
    let wanted = wanted_cases(&dataset, &args)?;
    if args.models.hits.is_some() && args.models.names_a_retriever() {
        say("note: --encoder and --retriever are not used, because --hits names the documents");
    }
    args.costs.check_served(matches!(reader, ReaderSource::Served(_)), "reader")?;
    let confirm = args.costs.agreement().confirm();
    let choice = if args.closed_book {
        args.models.closed_book_choice(common, &workspace, ablation(&args), confirm)?
    } else {
        args.models.choice(common, &workspace, ablation(&args), confirm)?
    };
    let progress = |line: String| say(&line);
    let LoadedModels { mut pipeline, identity, description } =
        load_models(&dataset, &workspace, &choice, &progress, &|| interrupt.is_set()).map_err(|error| {
            if !error.is::<LoadingInterrupted>() {
                return error;
            }
            Interrupted { kept: "no case was answered yet; run the same command to start again".into() }.into()
        })?;
    let mut writer = RunWriter::open(&folder, &identity)?;
    let missing: Vec<usize> = wanted.iter().copied().filter(|case| !writer.has(&dataset.cases[*case].id)).collect();
    let planned = planned_answers(description.hosted.as_ref(), &dataset, &missing);
    args.costs.agreement().check(planned.as_ref())?;
    let encoder = choice.encoder.as_ref().filter(|_| !choice.given_vectors).and_then(EncoderSource::hosted);
    args.costs.agreement().check(planned_queries(encoder, missing.len()).as_ref())?;
    let hits = pipeline.account_of_hits(&wanted);
    if let (Some(account), Some(given)) = (&hits, &identity.given_hits) {
        say(&account_in_words(account, given));
    }
    let begun = Instant::now();
    let outcome = predict(&dataset, &mut pipeline, &mut writer, (&wanted, &missing), args.costs, &interrupt)?;
    let seconds = begun.elapsed().as_secs_f64();
    drop(writer);
    // The reader's count is in the summary.
    say_usage(ServerUsage { reader: None, ..pipeline.server_usage() });
    print_summary(&dataset, &folder, &wanted, &args, &Outcome { hits, ..outcome.clone() }, seconds)?;
    if let Some(remark) = dataset.remark_on_changed_images() {
        say(&format!("warning: {remark}; the cases of this run may have been given documents by their earlier images"));
    }
    ensure!(
        outcome.failures.is_empty(),
        "{} of {} cases could not be answered and are not in the run; the first: {}",
        outcome.failures.len(),
        wanted.len(),
        outcome.failures[0]
    );
    Ok(())
}

fn ablation(args: &Args) -> Ablation {
    let caption = match (args.no_caption, args.swap_captions) {
        (true, _) => CaptionShown::None,
        (false, true) => CaptionShown::Swapped,
        (false, false) => CaptionShown::Own,
    };
    Ablation { caption, without_image: args.no_image, random_documents: args.random_documents }
}

/// Positions of the chosen cases.
fn wanted_cases(dataset: &Dataset, args: &Args) -> Result<Vec<usize>> {
    if let Some(task) = &args.task
        && dataset.task(task).is_none()
    {
        let known: Vec<&str> = dataset.tasks.iter().map(|task| task.id.as_str()).collect();
        bail!("--task {task}: no such task; this dataset has {}", known.join(", "));
    }
    let wanted: Vec<usize> = dataset
        .cases
        .iter()
        .enumerate()
        .filter(|(_, case)| case.split == args.split && args.task.as_ref().is_none_or(|task| case.task == *task))
        .map(|(position, _)| position)
        .take(args.limit.map_or(usize::MAX, |limit| limit as usize))
        .collect();
    if wanted.is_empty() {
        match &args.task {
            Some(task) if dataset.cases.iter().any(|case| case.split == args.split) => {
                bail!("--task {task}: no case of the split {} has this task", args.split)
            }
            _ => bail!("{}", dataset.without_cases(Some(args.split))),
        }
    }
    Ok(wanted)
}

/// The result of one call of the command.
#[derive(Clone)]
struct Outcome {
    /// What became of the hits of another program.
    hits: Option<HitsAccount>,
    /// Cases predicted by this call; the others were in the run already.
    predicted: usize,
    /// Error messages of the cases that could not be answered.
    failures: Vec<String>,
    /// What was asked of a server by this call.
    usage: Option<TokenUsage>,
    /// Cases that were left for another call, because they would need more tokens than the budget has.
    beyond_budget: usize,
}

fn predict(
    dataset: &Dataset,
    pipeline: &mut Pipeline,
    writer: &mut RunWriter,
    (wanted, missing): (&[usize], &[usize]),
    costs: CostFlags,
    interrupt: &InterruptFlag,
) -> Result<Outcome> {
    if missing.len() < wanted.len() {
        say(&format!("{} of {} cases are in the run already", wanted.len() - missing.len(), wanted.len()));
    }
    let progress = PredictProgress::start(missing.len());
    let mut outcome = Outcome { hits: None, predicted: 0, failures: Vec::new(), usage: None, beyond_budget: 0 };
    let mut failed_in_a_row = 0;
    let mut written = TokenUsage::default();
    let mut done = 0;
    for batch in missing.chunks(costs.batch(CASES_PER_BATCH)) {
        if costs.is_spent(pipeline.usage(), done)? {
            outcome.beyond_budget = missing.len() - done;
            break;
        }
        let answers = match answer_batch(dataset, pipeline, batch, &mut failed_in_a_row, &|| interrupt.is_set()) {
            Ok(answers) => answers,
            Err(ReaderError::Cancelled) => {
                progress.abandon();
                note_usage(pipeline, writer, &mut written)?;
                let kept = format!(
                    "{} of {} cases are in the run; run the same command to continue",
                    wanted.len() - missing.len() + outcome.predicted,
                    wanted.len()
                );
                return Err(Interrupted { kept }.into());
            }
            Err(ReaderError::Failed(error)) => {
                note_usage(pipeline, writer, &mut written)?;
                return Err(error);
            }
        };
        let mut whole: Vec<CaseAnswer> = Vec::new();
        for answer in answers {
            match answer {
                Ok(answer) => whole.push(answer),
                Err(error) => {
                    progress.say(&format!("{error:#}"));
                    outcome.failures.push(format!("{error:#}"));
                }
            }
        }
        writer.append(dataset, &whole)?;
        outcome.predicted += whole.len();
        done += batch.len();
        note_usage(pipeline, writer, &mut written)?;
        for trouble in pipeline.take_errors() {
            progress.say(&format!("{trouble:#}"));
        }
        progress.add(batch.len());
    }
    progress.finish();
    outcome.usage = pipeline.usage();
    Ok(outcome)
}

/// Adds what the server was asked since `written` to `run.toml`, so that the sum there survives a kill.
fn note_usage(pipeline: &Pipeline, writer: &mut RunWriter, written: &mut TokenUsage) -> Result<()> {
    let Some(now) = pipeline.usage() else { return Ok(()) };
    writer.add_usage(now.since(*written))?;
    *written = now;
    Ok(())
}

/// Answers a batch. If the reader fails on it, each case is answered alone, so that one bad case does not spoil the others.
fn answer_batch(
    dataset: &Dataset,
    pipeline: &mut Pipeline,
    batch: &[usize],
    failed_in_a_row: &mut usize,
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<Result<CaseAnswer>>, ReaderError> {
    let together = pipeline.answer_all(batch, cancelled);
    let Err(ReaderError::Failed(error)) = together else {
        *failed_in_a_row = 0;
        return together;
    };
    // A case that was alone is not asked again: at a server each answer has its price.
    let mut known = (batch.len() == 1).then_some(error);
    let mut answers = Vec::with_capacity(batch.len());
    for case in batch {
        let outcome = match known.take() {
            Some(error) => Err(ReaderError::Failed(error)),
            None => pipeline.answer_all(&[*case], cancelled),
        };
        match outcome {
            Ok(answer) => {
                *failed_in_a_row = 0;
                answers.extend(answer);
            }
            Err(ReaderError::Cancelled) => return Err(ReaderError::Cancelled),
            Err(ReaderError::Failed(error)) => {
                *failed_in_a_row += 1;
                if *failed_in_a_row == FAILURES_IN_A_ROW {
                    return Err(ReaderError::Failed(error));
                }
                answers.push(Err(error.context(format!("case {}", dataset.cases[*case].id))));
            }
        }
    }
    Ok(answers)
}

fn print_summary(
    dataset: &Dataset,
    folder: &Path,
    wanted: &[usize],
    args: &Args,
    outcome: &Outcome,
    seconds: f64,
) -> Result<()> {
    let run = Run::open(folder)?;
    let wanted: HashSet<usize> = wanted.iter().copied().collect();
    let identity = run.identity.clone();
    let answers = run.into_answers(dataset)?;
    let cases: Vec<SummaryCase> = answers
        .iter()
        .filter(|answer| wanted.contains(&answer.case))
        .filter_map(|answer| SummaryCase::of(answer, dataset))
        .collect();
    let summary = Summary::of(&args.split.to_string(), &cases);
    if args.json {
        let mut report = json!({
            "run": args.run,
            "folder": folder,
            "identity": identity,
            "cases": cases.len(),
            "predicted_now": outcome.predicted,
            "seconds": seconds,
            "failures": outcome.failures,
            "usage": outcome.usage,
            "beyond_budget": outcome.beyond_budget,
            "summary": summary,
        });
        if let Some(hits) = outcome.hits {
            report["hits"] = json!(hits);
        }
        return print_json(&report);
    }
    let mut text = summary.text();
    if identity.is_sampled() {
        text.push_str(
            "≈: shares of sampled answers stand for probabilities; figures that need log-probabilities are left out\n",
        );
    }
    let last = format!("run {} in {}: {} cases predicted now", args.run, folder.display(), outcome.predicted);
    text.push_str(&format!("{last}, {seconds:.1} s"));
    if let Some(usage) = outcome.usage.filter(|usage| usage.requests > 0) {
        text.push_str(&format!("\nserver: {}", usage.short()));
        if let Some(sum) = identity.reader_usage.filter(|sum| *sum != usage) {
            text.push_str(&format!("; of the whole run {}", sum.short()));
        }
    }
    if outcome.beyond_budget > 0 {
        text.push_str(&format!(
            "\nstopped by --budget: {} cases are left; the same command continues with as many tokens again",
            outcome.beyond_budget
        ));
    }
    print_line(&text)
}
