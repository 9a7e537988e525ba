//! `dissent export casebook`: chosen cases of a stored run as one HTML page.

use super::explain_casebook::{explain_rest, show_known};
use crate::annotation::{AnnotationState, DefinitionHistory, Taxonomy, TaxonomyVersions};
use crate::casebook::case_page::Told;
use crate::casebook::{Casebook, PIXELS};
use crate::cases::annotations::{annotations_by, case_reviews};
use crate::cases::comparison::Against;
use crate::cases::filter::Filter;
use crate::cases::{Cases, InitialCases};
use crate::cli::annotator::annotator_name;
use crate::cli::costs::ConsentFlag;
use crate::cli::explore::{read_against, session_file, unlike_words};
use crate::cli::free_text::free_text;
use crate::cli::open_dataset::open_dataset;
use crate::cli::queue_options::cases_of_split;
use crate::cli::reader_flags::ReaderFlags;
use crate::cli::run_models::refuse_models;
use crate::cli::{Common, relaunch};
use crate::data::{Dataset, Split};
use crate::files::fingerprint::Fingerprint;
use crate::model::device::choose_device;
use crate::output::{count, print_json, print_line, progress_bar, say};
use crate::run::Run;
use crate::tui::state::session_state::SessionState;
use crate::workspace::Workspace;
use anyhow::{Result, anyhow, bail};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `dissent export casebook`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// HTML file to write; an earlier one is replaced
    file: PathBuf,
    /// Stored run whose hits and answers are shown
    #[arg(long, value_name = "NAME")]
    run: String,
    /// Only the cases that pass, in the words of the explorer's filter: 'verdict:inconsistent -mine:none'
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true, allow_hyphen_values = true, value_parser = free_text)]
    filter: String,
    /// Only cases of this split; default: test if the dataset has test cases, else all
    #[arg(long, value_enum)]
    split: Option<Split>,
    /// Show the gold answers, and which answers are right
    #[arg(long)]
    gold: bool,
    /// Another stored run, for the word against: of the filter
    #[arg(long, value_name = "NAME")]
    against: Option<String>,
    /// Annotator whom the words mine: and seen: of the filter mean; default: the user's login name
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// Longest side of a case's image, in pixels; images of documents get half of it
    #[arg(long, value_name = "N", default_value_t = PIXELS, value_parser = clap::value_parser!(u32).range(32..=4096))]
    pixels: u32,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
    /// Ask the model which words and regions decided each answer; without it the page shows them where they are known from
    /// the explorer or `dissent explain`
    #[arg(long)]
    explain: bool,
    #[command(flatten, next_help_heading = "With --explain: the model that made the run")]
    reader: ReaderFlags,
    #[command(flatten)]
    consent: ConsentFlag,
}

/// Runs `dissent export casebook`.
pub(super) fn run(args: Args, common: &Common) -> Result<()> {
    let filter: Filter = args.filter.parse().map_err(|message: String| anyhow!("--filter: {message}"))?;
    if filter.depends_on_gold() && !args.gold {
        say("note: which cases are on the page tells of their gold answers, because the filter looks at gold");
    }
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    if args.explain && choose_device(&common.device)?.0.is_cpu() {
        relaunch::for_reading(&args.reader.resolve(&workspace.path)?)?;
    }
    let dataset = Arc::new(open_dataset(&args.dataset)?);
    let (cases, reader) = read_cases(&args, &filter, &workspace, &dataset)?;
    filter.check(&cases).map_err(|message| anyhow!("--filter: {message}"))?;
    let of_split = cases_of_split(&dataset, args.split);
    let in_run: Vec<usize> = of_split.into_iter().filter(|case| cases.answers_of(*case).is_some()).collect();
    let chosen: Vec<usize> = in_run.iter().copied().filter(|case| filter.passes(&cases, *case)).collect();
    if in_run.is_empty() {
        bail!("no file is written: run {} has no case of this split", args.run);
    }
    if chosen.is_empty() {
        let found = count(in_run.len(), "case");
        bail!("no file is written: none of the {found} of run {} passes --filter '{filter}'", args.run);
    }
    let told = Told { gold: args.gold, everybody: true };
    let mut casebook = Casebook::of(&cases, &chosen, &filter.to_string(), told, args.pixels);
    show_known(&mut casebook, &dataset, &workspace, &reader)?;
    if args.explain {
        explain_rest(
            &mut casebook,
            (&dataset, &workspace),
            (&args.reader, common),
            (&args.run, &reader),
            args.consent,
        )?;
    }
    let bar = progress_bar("cases");
    bar.set_length(chosen.len() as u64);
    let written = casebook.write(&args.file, &mut |done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    if args.json {
        return print_json(&serde_json::json!({
            "file": args.file, "cases": written.cases, "images": written.images,
            "unreadable_images": written.unreadable, "bytes": written.bytes, "hits": written.hits,
            "explained_hits": written.explained,
        }));
    }
    print_line(&format!("{}: {}", args.file.display(), written.in_words()))
}

/// The answers of the run, what people said of the dataset's cases, and the fingerprint of the run's reader.
fn read_cases(
    args: &Args,
    filter: &Filter,
    workspace: &Workspace,
    dataset: &Arc<Dataset>,
) -> Result<(Cases, Fingerprint)> {
    let run = Run::open(&workspace.existing_run(&args.run)?)?;
    refuse_models(&run.identity, &args.run, "a casebook")?;
    if let Some(remark) = run.remark() {
        say(&remark);
    }
    for changed in run.identity.changed_since(dataset) {
        say(&format!("warning: run {}: {changed} changed since the run was made", args.run));
    }
    let against: Option<Against> =
        args.against.as_deref().map(|name| read_against(name, Some(&run.identity), workspace, dataset)).transpose()?;
    if let Some(words) = against.as_ref().and_then(unlike_words) {
        say(&format!("warning: {words}"));
    }
    let folder = workspace.annotations_dir();
    let taxonomy = Taxonomy::read(&folder)?;
    let (versions, unread) = TaxonomyVersions::read(&folder);
    let (state, problems) = AnnotationState::read(&folder)?;
    for problem in unread.iter().chain(&problems) {
        say(&format!("warning: {problem}"));
    }
    // Without such a filter the page is the same for everybody, so nobody is asked for a name.
    let annotator = match &args.annotator {
        None if !filter.depends_on_annotator() => String::new(),
        given => annotator_name(given.as_deref())?,
    };
    let reviews = case_reviews(&state, dataset);
    let session = SessionState::read(&session_file(workspace, &annotator))?;
    let fingerprint = run.identity.fingerprint().to_string();
    let reader = run.identity.fingerprints.reader.clone();
    let ablation = run.identity.ablation.parse()?;
    let mut cases = Cases::new(InitialCases {
        dataset: Arc::clone(dataset),
        categories: taxonomy.categories.clone(),
        several: taxonomy.several,
        stored_run: Some(args.run.clone()),
        models: Vec::new(),
        ablation,
        against,
        definitions: Arc::new(DefinitionHistory::new(taxonomy, versions)),
        annotations: annotations_by(&annotator, &reviews),
        annotator,
        reviews,
        is_blind: false,
    });
    for answer in run.into_answers(dataset)? {
        let case = answer.case;
        *cases.answers_mut(case) = answer.into();
    }
    cases.set_run_fingerprint(fingerprint);
    let seen: HashSet<String> = session.seen.into_iter().collect();
    let positions = dataset.cases.iter().enumerate();
    cases.replace_seen(positions.filter(|(_, case)| seen.contains(&case.id)).map(|(position, _)| position));
    Ok((cases, reader))
}
