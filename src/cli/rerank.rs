//! `dissent rerank`: a reader picks one retrieved document for each case of a stored run (paper, LVLM reranker;
//! docs/method.md, "Reranker").

use super::costs::{CostFlags, say_usage};
use super::free_text::free_text;
use super::interrupt::{InterruptFlag, Interrupted};
use super::reader_flags::ReaderFlags;
use super::run_models::refuse_models;
use super::{Common, relaunch};
use crate::cli::open_dataset::open_dataset;
use crate::data::{Dataset, Label, Task, TaskKind};
use crate::model::device::choose_device;
use crate::output::{one_line, print_line, progress_bar, say};
use crate::pipeline::{AskAbout, HostedReader, Pipeline};
use crate::reader::ReaderError;
use crate::run::{CaseAnswer, Choice, LabelScores, Reranking, Run};
use crate::workspace::Workspace;
use anyhow::{Context, Result, anyhow, ensure};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Cases per batch of questions.
const CASES_PER_BATCH: usize = 8;
const QUESTION: &str =
    "Do the first image and its background help to answer this question about the last image: {question} Yes or No?";

/// Arguments of `dissent rerank`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Name of the stored run
    #[arg(long, value_name = "NAME")]
    run: String,
    #[command(flatten)]
    reader: ReaderFlags,
    /// Yes-or-No question asked about each document; {question} stands for the question of the case
    #[arg(long, default_value = QUESTION, value_name = "TEXT", allow_hyphen_values = true, value_parser = free_text)]
    question: String,
    /// Name of the reranker in the tables of `evaluate`
    #[arg(long, default_value = "reranker", value_name = "NAME")]
    name: String,
    #[command(flatten)]
    costs: CostFlags,
}

/// Asks about every document of every case and keeps the one with the most probable Yes.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let plain = args.name.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter));
    ensure!(plain && !args.name.is_empty(), "--name {}: expected letters, digits, - and _", args.name);
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    let run_folder = workspace.existing_run(&args.run)?;
    let source = args.reader.resolve(&workspace.path)?;
    let (device, device_reason) = choose_device(&common.device)?;
    if device.is_cpu() {
        relaunch::for_reading(&source)?;
    }
    let interrupt = InterruptFlag::watch()?;
    let dataset = Arc::new(open_dataset(&args.dataset)?);
    let run = Run::open(&run_folder)?;
    if let Some(remark) = run.remark() {
        say(&remark);
    }
    refuse_models(&run.identity, &args.run, "a reranker")?;
    let identity = run.identity.clone();
    let answers = run.into_answers(&dataset)?;
    let progress = |line: String| say(&line);
    let number_type = source.number_type(common.dtype, &device);
    if let Some(number_type) = number_type {
        progress(format!("the reader runs on {device_reason}, in {number_type}"));
    }
    let opened = source.open(&device, number_type, &progress, &|| interrupt.is_set());
    let opened = opened.map_err(|error| match error {
        ReaderError::Cancelled => Interrupted { kept: "nothing was answered yet".into() }.into(),
        ReaderError::Failed(error) => error,
    })?;
    args.costs.check_served(opened.service.is_some(), "reader")?;
    let pairs = answers.iter().map(|answer| answer.hits.len()).sum();
    let planned = HostedReader::of(&source, opened.service.as_ref(), 0)
        .map(|hosted| hosted.asking(format!("reranking {} cases", answers.len()), pairs));
    args.costs.agreement().check(planned.as_ref())?;
    let mut pipeline = Pipeline::new(dataset.clone(), None, opened.reader, &workspace.cache_dir())?;
    let chosen = choose(&dataset, &mut pipeline, &answers, &args, &interrupt);
    say_usage(pipeline.server_usage());
    let choices = match chosen {
        Ok(choices) => choices,
        Err(ReaderError::Cancelled) => {
            let kept = "the answers are cached; run the same command to continue".into();
            return Err(Interrupted { kept }.into());
        }
        Err(ReaderError::Failed(error)) => return Err(error),
    };
    let reranking = Reranking {
        name: args.name,
        run: identity.fingerprint(),
        reader_name: pipeline.reader().name().to_owned(),
        reader: pipeline.reader().fingerprint().clone(),
        question: args.question,
        choices,
    };
    let path = reranking.write(&run_folder)?;
    print_line(&format!(
        "{} cases reranked by {}, written to {}; `dissent evaluate --runs {}` shows it among the fusers",
        reranking.choices.len(),
        one_line(&reranking.reader_name),
        one_line(&path.display().to_string()),
        one_line(&args.run)
    ))
}

fn choose(
    dataset: &Dataset,
    pipeline: &mut Pipeline,
    answers: &[CaseAnswer],
    args: &Args,
    interrupt: &InterruptFlag,
) -> Result<BTreeMap<String, Choice>, ReaderError> {
    let bar = progress_bar("cases");
    bar.set_length(answers.len() as u64);
    let mut choices = BTreeMap::new();
    for (number, batch) in answers.chunks(args.costs.batch(CASES_PER_BATCH)).enumerate() {
        if args.costs.is_spent(pipeline.usage(), number)? {
            bar.finish_and_clear();
            return Err(anyhow!(
                "stopped by --budget after {number} of {} cases; their answers are kept, and the same command continues with as \
                 many tokens again",
                answers.len()
            )
            .into());
        }
        let pairs: Vec<(usize, usize)> =
            batch.iter().flat_map(|answer| answer.hits.iter().map(|hit| (answer.case, hit.row))).collect();
        let ask: AskAbout = &|_, task, own| (yes_or_no(&task), args.question.replace("{question}", &own));
        let scores = pipeline.score_pairs_asking(&pairs, ask, &|| interrupt.is_set())?;
        let mut scores = scores.iter();
        for answer in batch {
            let own: Vec<&LabelScores> = scores.by_ref().take(answer.hits.len()).collect();
            let helps = |scores: &LabelScores| scores.probabilities().first().copied().unwrap_or_default();
            let mut best: Option<Choice> = None;
            for (hit, scores) in answer.hits.iter().zip(own) {
                let probability = helps(scores);
                if best.as_ref().is_none_or(|best| probability > best.probability) {
                    best = Some(Choice { document: hit.document.clone(), probability });
                }
            }
            let case = dataset.cases.get(answer.case).context("the run has a case that the dataset lacks")?;
            choices.extend(best.map(|choice| (case.id.clone(), choice)));
        }
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(choices)
}

/// The task's prompt with the answers Yes and No.
fn yes_or_no(task: &Task) -> Arc<Task> {
    let labels = ["Yes", "No"].map(|word| Label::new(word, word)).into();
    Arc::new(Task { kind: TaskKind::ClosedVqa, labels, ..task.clone() })
}
