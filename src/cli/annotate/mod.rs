//! `dissent annotate`: annotation without the explorer's screen, one case and one line at a time, for scripts and
//! screen readers. It writes the same journal.

mod answers;
mod command;
mod help;
mod input;
mod page;
mod review;
mod session;

use self::answers::Answers;
use self::session::{Form, Session};
use super::annotator::annotator_name;
use super::costs::{ConsentFlag, planned_answers, say_usage};
use super::interrupt::end_at_once;
use super::model_options::ModelOptions;
use super::queue_options::{QueueOptions, cases_of_split, stored_answers};
use super::run_models::add_models_of;
use super::{Common, relaunch};
use crate::annotation::{AnnotationSession, Taxonomy};
use crate::cases::given_evidence::RunEvidence;
use crate::cli::open_dataset::say_remarks;
use crate::data::{Dataset, Split};
use crate::output::{count, say};
use crate::run::{Ablation, Run};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `dissent annotate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Only cases of this split; default: test where there is one, else all
    #[arg(long, value_enum)]
    split: Option<Split>,
    /// Only these cases, in this order
    #[arg(long, value_delimiter = ',', value_name = "ID,…", conflicts_with = "split")]
    cases: Vec<String>,
    /// Show the answers of this stored run
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Name under which annotations are kept; default: the user's name
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// Write one JSON object per line: each case, each event once it is on disk, each mistake in the input
    #[arg(long)]
    json: bool,
    /// Go on after a line that is a mistake; otherwise the first one in a file or a pipe ends the command with exit code 1
    #[arg(long)]
    keep_going: bool,
    #[command(flatten)]
    models: ModelOptions,
    #[command(flatten)]
    queue: QueueOptions,
    #[command(flatten)]
    consent: ConsentFlag,
}

/// Runs `dissent annotate`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    if args.models.reader_is_small(common, &workspace) {
        relaunch::with_one_thread_per_kernel()?;
    }
    // No flag can stop the reader or the wait for the next line, so a signal ends the program at once.
    let _ = end_at_once("every event that was confirmed is in the journal");
    let (dataset, problems) = Dataset::open_usable(&args.dataset)?;
    say_remarks(&dataset);
    let mut dataset = dataset;
    add_models_of(&mut dataset, &workspace, args.run.as_deref())?;
    let dataset = Arc::new(dataset);
    let folder = workspace.annotations_dir();
    let taxonomy = Taxonomy::load(&folder)?;
    let annotator = annotator_name(args.annotator.as_deref())?;
    let host = gethostname::gethostname();
    let (mut annotations, journal_problems) =
        AnnotationSession::open(&folder, &annotator, &host.to_string_lossy(), taxonomy)?;
    for problem in problems.iter().chain(&journal_problems) {
        say(&format!("left out: {problem}"));
    }
    if let Some(error) = annotations.write_error() {
        bail!("nothing can be annotated: {error}");
    }
    let cases = wanted_cases(&dataset, &args)?;
    let stored = stored_answers(&args.queue, args.run.as_deref(), &workspace, &dataset)?;
    let chosen = args.queue.choose(&dataset, &cases, &annotator, annotations.state(), &stored)?;
    if chosen.cases.is_empty() {
        say(&args.queue.nothing_left(&annotator, cases.len()));
        return Ok(());
    }
    annotations.set_passes(chosen.passes);
    let run = args.run.as_deref().map(|name| Run::open(&workspace.existing_run(name)?)).transpose()?;
    let ablation = run.as_ref().map_or(Ok(Ablation::default()), |run| run.identity.ablation.parse())?;
    let evidence = RunEvidence::new(&dataset, ablation);
    let run_fingerprint = run.as_ref().map(|run| run.identity.fingerprint().to_string());
    let worker = args.models.start_worker(common, &dataset, &workspace, args.run.clone().zip(run), args.consent)?;
    let mut answers = Answers::new(worker, run_fingerprint);
    ask_about_costs(&args, &workspace, (&dataset, &chosen.cases), &mut answers)?;
    let form = if args.json { Form::Json } else { Form::Text };
    let stdin = std::io::stdin();
    let stops_at_mistakes = !args.keep_going && !stdin.is_terminal();
    let session = Session::new(dataset, annotations, chosen.cases, answers, evidence, form, stops_at_mistakes);
    let outcome = session.run(stdin.lock());
    let (written, path, usage) = outcome?;
    say_usage(usage);
    if written > 0 {
        say(&format!("{} written to {path}", count(written, "annotation event")));
    }
    Ok(())
}

/// Asks before a queue that takes many requests to a server which may cost money.
fn ask_about_costs(
    args: &Args,
    workspace: &Workspace,
    (dataset, queue): (&Dataset, &[usize]),
    answers: &mut Answers,
) -> Result<()> {
    let is_hosted = args.models.reader.resolve(&workspace.path).is_ok_and(|reader| reader.hosted().is_some());
    if !is_hosted {
        return Ok(());
    }
    let hosted = answers.wait_for_hosted();
    let unanswered: Vec<usize> = queue.iter().copied().filter(|case| !answers.has(*case)).collect();
    args.consent.check(planned_answers(hosted.as_ref(), dataset, &unanswered).as_ref())
}

fn wanted_cases(dataset: &Dataset, args: &Args) -> Result<Vec<usize>> {
    if args.cases.is_empty() {
        let cases = cases_of_split(dataset, args.split);
        if cases.is_empty() {
            bail!("{}", dataset.without_cases(args.split));
        }
        return Ok(cases);
    }
    let position = |id: &String| {
        let found = dataset.cases.iter().position(|case| case.id == *id);
        found.with_context(|| format!("--cases: no case '{id}' in {}", args.dataset.display()))
    };
    args.cases.iter().map(position).collect()
}
