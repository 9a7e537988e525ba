//! `dissent explain`: which words of the caption and which regions of the images decided a prediction
//! (docs/reference/explain.md).

mod json;
mod text;

use super::costs::{ConsentFlag, say_usage};
use super::interrupt::{InterruptFlag, Interrupted};
use super::model_options::ModelOptions;
use super::run_models::refuse_models;
use super::{Common, relaunch};
use crate::cli::open_dataset::open_dataset;
use crate::data::{Case, Dataset, DocumentView, LabelIndex, TaskKind};
use crate::explain::{Cost, Explanation, Method, Wanted};
use crate::model::device::choose_device;
use crate::output::{count, print_json, print_line, progress_bar, say};
use crate::pipeline::{
    ExplainOutcome, ExplainProgress, ExplainRequest, GridChoice, HostedReader, LoadedModels, LoadingInterrupted,
    Pipeline, load_models,
};
use crate::reader::ReaderError;
use crate::run::{Ablation, Hit, Probe, Run};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::sync::Arc;

/// Seconds from which the cost is printed before it starts.
const COSTLY_SECONDS: f64 = 5.0;

/// Arguments of `dissent explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Id of the case
    case: String,
    /// Explain the prediction with the N-th hit of the case
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    hit: u16,
    /// Explain the prediction with this document instead of a hit
    #[arg(long, value_name = "ID", conflicts_with_all = ["hit", "run", "closed_book"])]
    document: Option<String>,
    /// Explain the answer without a document, by regions of the query image
    #[arg(long, conflicts_with_all = ["hit", "run", "words"])]
    closed_book: bool,
    /// Take the hits from this stored run instead of retrieving them
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Explain the probability of this label of an answer with several labels; default: the most probable one in the answer
    #[arg(long, value_name = "ID")]
    label: Option<String>,
    /// Explain by words only; default: words and regions
    #[arg(long, conflicts_with = "regions")]
    words: bool,
    /// Explain by regions only
    #[arg(long)]
    regions: bool,
    /// Cover every cell of the 8 × 8 grid alone, even if that is slow; default: coarse to fine if it takes more than 5 seconds
    #[arg(long, conflicts_with = "words")]
    whole_grid: bool,
    /// How the weights are found
    #[arg(long, value_enum, default_value_t = MethodChoice::Occlusion)]
    method: MethodChoice,
    #[command(flatten)]
    models: ModelOptions,
    #[command(flatten)]
    consent: ConsentFlag,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How the weights are found: `--method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum MethodChoice {
    /// Leave out each word, cover each region, and ask the reader again
    Occlusion,
    /// Estimate them by integrated gradients, in a few passes; needs a model in this process
    Gradient,
}

/// A prediction and why it is what it is, with all that the output names.
struct Explained<'a> {
    dataset: &'a Dataset,
    case: &'a Case,
    document: Option<DocumentView<'a>>,
    /// Number of the hit and of all hits; `None` if the document was named.
    hit: Option<(usize, usize)>,
    reader: String,
    explanation: Explanation,
    /// Questions that the reader was asked now; the others were in the cache.
    asked: usize,
}

impl Explained<'_> {
    /// The answer and the runner-up as label ids; an open answer is its own words. Of an answer with several labels, yes or no to
    /// the question about [`Explained::label`].
    fn labels(&self) -> (&str, Option<&str>) {
        if let Some(text) = &self.explanation.text {
            return (text, None);
        }
        let task = self.dataset.task(&self.case.task);
        let id = |label: usize| match (task, self.explanation.of_label) {
            (Some(task), Some(_)) => {
                if label == 0 {
                    &task.prompt.sets.yes
                } else {
                    &task.prompt.sets.no
                }
            }
            (Some(task), None) => task.labels.get(label).map_or("", |label| label.id.as_str()),
            (None, _) => "",
        };
        let target = self.explanation.target;
        (id(target.answer), target.runner_up.map(id))
    }

    /// The id of the label that is explained, of an answer with several.
    fn label(&self) -> Option<&str> {
        let label = self.explanation.of_label?.label;
        Some(&self.dataset.task(&self.case.task)?.labels.get(label)?.id)
    }

    /// The whole answer of which a label is explained.
    fn answer_set(&self) -> Option<String> {
        let set = self.explanation.of_label?.set;
        let labels: Vec<usize> = set.labels().collect();
        Some(self.dataset.task(&self.case.task)?.answer_text_of_set(&labels))
    }
}

/// Which document of how many hits.
struct ChosenDocument {
    row: usize,
    hit: Option<(usize, usize)>,
    /// What the run withheld or swapped.
    ablation: Ablation,
}

/// Explains one prediction and prints the result.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    let reader = args.models.reader.resolve(&workspace.path)?;
    if choose_device(&common.device)?.0.is_cpu() {
        relaunch::for_reading(&reader)?;
    }
    let interrupt = InterruptFlag::watch()?;
    let dataset = Arc::new(open_dataset(&args.dataset)?);
    let position = dataset.cases.iter().position(|case| case.id == args.case);
    let position = position.with_context(|| {
        let first = dataset.cases.first().map_or("", |case| case.id.as_str());
        format!("no case '{}' in {}; the id of the first case is '{first}'", args.case, args.dataset.display())
    })?;
    let label = args.label.as_deref().map(|name| label_of(&dataset, position, name)).transpose()?;
    let is_retrieved = !args.closed_book && args.document.is_none() && args.run.is_none();
    let choice = if is_retrieved {
        args.models.choice(common, &workspace, Ablation::default(), args.consent.confirm())?
    } else {
        args.models.closed_book_choice(common, &workspace, Ablation::default(), args.consent.confirm())?
    };
    let cancelled = || interrupt.is_set();
    let progress = |line: String| {
        if common.verbose > 0 {
            say(&line);
        }
    };
    let loaded = load_models(&dataset, &workspace, &choice, &progress, &cancelled);
    let LoadedModels { mut pipeline, description, .. } = loaded.map_err(|error| {
        if !error.is::<LoadingInterrupted>() {
            return error;
        }
        Interrupted { kept: "nothing was explained yet; run the same command to start again".into() }.into()
    })?;
    let place = (&*dataset, &workspace, (position, label));
    let outcome = explain(&args, place, description.hosted.as_ref(), &mut pipeline, &cancelled);
    say_usage(pipeline.server_usage());
    for error in pipeline.take_errors() {
        say(&format!("{error:#}"));
    }
    let (chosen, explanation) = match outcome {
        Ok(outcome) => outcome,
        Err(ReaderError::Cancelled) => {
            let kept = "the answers so far are cached; run the same command to continue".into();
            return Err(Interrupted { kept }.into());
        }
        Err(ReaderError::Failed(error)) => return Err(error.context(format!("case {}", args.case))),
    };
    let explained = Explained {
        dataset: &dataset,
        case: &dataset.cases[position],
        document: chosen.as_ref().and_then(|chosen| dataset.corpus.get(chosen.row)),
        hit: chosen.and_then(|chosen| chosen.hit),
        reader: pipeline.reader().name().to_owned(),
        explanation,
        asked: pipeline.asked(),
    };
    if args.json { print_json(&json::report(&explained)) } else { print_line(&text::report(&explained)) }
}

fn explain(
    args: &Args,
    (dataset, workspace, (case, label)): (&Dataset, &Workspace, (usize, Option<LabelIndex>)),
    hosted: Option<&HostedReader>,
    pipeline: &mut Pipeline,
    cancelled: &dyn Fn() -> bool,
) -> Result<(Option<ChosenDocument>, Explanation), ReaderError> {
    let chosen =
        if args.closed_book { None } else { Some(choose(args, dataset, workspace, case, pipeline, cancelled)?) };
    let request = ExplainRequest {
        case,
        probe: chosen.as_ref().map(|chosen| Probe { row: chosen.row, ablation: chosen.ablation }),
        label,
        wanted: Wanted { words: !args.regions, regions: !args.words },
        method: match args.method {
            MethodChoice::Occlusion => Method::Occlusion,
            MethodChoice::Gradient => Method::Gradient,
        },
        grid: if args.whole_grid { GridChoice::Whole } else { GridChoice::Auto },
    };
    let bar = progress_bar("questions");
    let mut progress = |progress: ExplainProgress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    };
    // At a hosted server the number of questions matters, however quickly it answers them.
    let mut most_seconds = Some(if hosted.is_some() { 0.0 } else { COSTLY_SECONDS });
    loop {
        match pipeline.explain(&request, most_seconds, cancelled, &mut progress)? {
            ExplainOutcome::Explained(explanation) => {
                bar.finish_and_clear();
                return Ok((chosen, *explanation));
            }
            ExplainOutcome::Costly(cost) => {
                let asked = hosted.map(|hosted| hosted.asking("explaining".into(), cost.requests - cost.known));
                args.consent.check(asked.as_ref())?;
                if cost.seconds > COSTLY_SECONDS {
                    say(&in_words(cost));
                }
                most_seconds = None;
            }
        }
    }
}

/// The label of the case's task that `--label` names.
fn label_of(dataset: &Dataset, case: usize, name: &str) -> Result<LabelIndex> {
    let id = &dataset.cases[case].task;
    let Some(task) = dataset.task(id).filter(|task| task.kind == TaskKind::MultiLabel) else {
        bail!("--label: expected a case that is answered with several labels at once, found one of task {id}");
    };
    let position = task.labels.iter().position(|label| label.id.eq_ignore_ascii_case(name));
    position.with_context(|| {
        let known: Vec<&str> = task.labels.iter().map(|label| label.id.as_str()).collect();
        format!("--label {name}: expected a label of task {id} ({})", known.join(", "))
    })
}

/// "132 questions to the reader, 4 of them in the cache: about 40 seconds".
fn in_words(cost: Cost) -> String {
    let questions = count(cost.requests, "question");
    format!("{questions} to the reader, {} of them in the cache: about {:.0} seconds", cost.known, cost.seconds)
}

fn choose(
    args: &Args,
    dataset: &Dataset,
    workspace: &Workspace,
    case: usize,
    pipeline: &mut Pipeline,
    cancelled: &dyn Fn() -> bool,
) -> Result<ChosenDocument, ReaderError> {
    if let Some(id) = &args.document {
        let row = dataset.corpus.row_of(id);
        let row = row.with_context(|| format!("--document {id}: no such document in {}", dataset.root.display()))?;
        return Ok(ChosenDocument { row, hit: None, ablation: Ablation::default() });
    }
    let (hits, ablation) = match &args.run {
        Some(name) => hits_in_run(dataset, workspace, name, case)?,
        None => (pipeline.retrieve(case, cancelled)?, Ablation::default()),
    };
    let number = usize::from(args.hit);
    let hit =
        hits.get(number - 1).with_context(|| format!("--hit {number}: the case has {}", count(hits.len(), "hit")));
    Ok(ChosenDocument { row: hit?.row, hit: Some((number, hits.len())), ablation })
}

/// The hits of the case in a run, and what that run withheld or swapped.
fn hits_in_run(dataset: &Dataset, workspace: &Workspace, name: &str, case: usize) -> Result<(Vec<Hit>, Ablation)> {
    let run = Run::open(&workspace.existing_run(name)?)?;
    refuse_models(&run.identity, name, "an explanation")?;
    let ablation = Ablation { random_documents: false, ..run.identity.ablation.parse()? };
    let answers = run.into_answers(dataset)?;
    match answers.into_iter().find(|answer| answer.case == case) {
        Some(answer) => Ok((answer.hits, ablation)),
        None => bail!("--run {name}: the case is not in this run"),
    }
}
