//! `dissent evaluate`: the metrics of stored runs, each compared with the first on the same cases.

use super::Common;
use super::run_models::add_models_of;
use super::table_choice::wanted_tables;
use crate::annotation::{AnnotationState, Taxonomy, named_errors};
use crate::cli::open_dataset::open_dataset;
use crate::data::{Dataset, Split};
use crate::evaluation::RESAMPLES;
use crate::evaluation::report::{
    NamedErrors, Report, Sampling, System, csv, html, markdown, table_keys, text, usual_table_keys,
};
use crate::files::durable;
use crate::output::{print_json, print_line, say, terminal_width};
use crate::run::{CaseAnswer, Qrels, Reranking, Run, RunIdentity};
use crate::text::csv_cells::Formulas;
use crate::workspace::Workspace;
use anyhow::{Context, Result, ensure};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// Arguments of `dissent evaluate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Names of stored runs; the first one decides which cases count as inconsistent
    #[arg(long, required = true, value_delimiter = ',', value_name = "A,B,…")]
    runs: Vec<String>,
    /// Split whose cases are evaluated
    #[arg(long, value_enum, default_value_t = Split::Test)]
    split: Split,
    /// Print only these tables, or `all`
    #[arg(long, value_delimiter = ',', value_name = "A,B,…")]
    tables: Vec<String>,
    /// Probability of yes above which a label belongs to an answer with several labels
    #[arg(long, value_enum, default_value_t = Thresholds::Dataset)]
    thresholds: Thresholds,
    /// Unit that the bootstrap resamples; auto: groups if two cases of the split share one, else cases
    #[arg(long, value_enum, default_value_t = Drawn::Auto)]
    by: Drawn,
    /// Judgements that decide which documents are relevant, in TREC's format (case 0 document grade); default: documents whose
    /// caption names the case's label
    #[arg(long, value_name = "FILE")]
    qrels: Option<PathBuf>,
    /// Number of bootstrap resamples
    #[arg(long, default_value_t = RESAMPLES as u32, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    resamples: u32,
    /// Print one JSON object
    #[arg(long, group = "form")]
    json: bool,
    /// Print Markdown
    #[arg(long, group = "form")]
    markdown: bool,
    /// Print comma-separated values, one number per line
    #[arg(long, group = "form")]
    csv: bool,
    /// With --csv: do not escape texts that a spreadsheet would run as a formula
    #[arg(long, requires = "csv")]
    plain: bool,
    /// Write all tables and plots into one HTML file
    #[arg(long, group = "form", value_name = "FILE", conflicts_with = "tables")]
    html: Option<PathBuf>,
}

/// Where the thresholds of labels come from: `--thresholds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Thresholds {
    /// That of the dataset, 0.5 by default
    Dataset,
    /// One for each label and run, with the largest F1 on the run's validation cases
    Validation,
}

/// The unit of resampling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Drawn {
    Auto,
    Case,
    Group,
}

/// Reads the runs and prints their tables.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let keys = if args.html.is_some() {
        table_keys()
    } else {
        wanted_tables(&args.tables, usual_table_keys(), &table_keys())?
    };
    let mut dataset = open_dataset(&args.dataset)?;
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    add_models_of(&mut dataset, &workspace, args.runs.iter().map(String::as_str))?;
    let chooses = args.thresholds == Thresholds::Validation;
    ensure!(
        !chooses || args.split != Split::Validation,
        "--thresholds validation: expected another --split, because figures on the cases that chose the thresholds would flatter"
    );
    let mut systems: Vec<System> = Vec::new();
    let mut identities: Vec<RunIdentity> = Vec::new();
    for name in &args.runs {
        ensure!(systems.iter().all(|system| system.name != *name), "--runs: the run {name} is given twice");
        let (mut system, identity) = read_system(&dataset, &workspace, name, args.split)?;
        if chooses {
            system = with_chosen_thresholds(system, &dataset)?;
        }
        let first = identities.first().unwrap_or(&identity);
        systems.push(System { differences: first.differences(&identity), ..system });
        identities.push(identity);
    }
    let sampling = Sampling { resamples: args.resamples as usize, by_group: by_group(&dataset, &args) };
    let split = args.split.to_string();
    let named = read_named_errors(&dataset, &workspace)?;
    let qrels = args.qrels.as_deref().map(|path| Qrels::read(path, &dataset)).transpose()?;
    let report = Report::with_qrels(&dataset, &split, &systems, named.as_ref(), qrels.as_ref(), sampling, &keys)
        .context("--runs: expected the name of a run")?;
    if args.json {
        return print_json(&report);
    }
    if args.markdown {
        return print_line(markdown(&report).trim_end());
    }
    if args.csv {
        let formulas = if args.plain { Formulas::Plain } else { Formulas::Escaped };
        return print_line(csv(&report, formulas)?.trim_end());
    }
    if let Some(path) = &args.html {
        durable::write_file(path, html(&report)?.as_bytes())?;
        return print_line(&format!("written to {}", path.display()));
    }
    print_line(text(&report, terminal_width()).trim_end())
}

/// Chooses the thresholds of labels on the run's validation cases.
fn with_chosen_thresholds(system: System, dataset: &Dataset) -> Result<System> {
    let name = system.name.clone();
    ensure!(
        !system.validation.is_empty(),
        "--thresholds validation: expected validation cases in the run {name}, found none; add them with `dissent predict --run \
         {name} --split validation`"
    );
    let system = system.with_chosen_thresholds(dataset);
    ensure!(
        !system.thresholds.is_empty(),
        "--thresholds validation: expected answers about single labels in the validation cases of the run {name}, found none; only \
         tasks of kind multi-label with ask = \"each-label\" have thresholds"
    );
    Ok(system)
}

fn by_group(dataset: &Dataset, args: &Args) -> bool {
    if args.by != Drawn::Auto {
        return args.by == Drawn::Group;
    }
    let mut seen = HashSet::new();
    let groups = dataset.cases.iter().filter(|case| case.split == args.split).filter_map(|case| case.group.as_ref());
    !groups.into_iter().all(|group| seen.insert(group))
}

/// The annotated errors; `None` without annotations. Broken journal lines are reported and skipped.
fn read_named_errors(dataset: &Dataset, workspace: &Workspace) -> Result<Option<NamedErrors>> {
    let folder = workspace.annotations_dir();
    let (state, problems) = AnnotationState::read(&folder)?;
    for problem in &problems {
        say(&format!("warning: {problem}"));
    }
    Ok(named_errors(&state, &Taxonomy::read(&folder)?, &dataset.cases))
}

fn read_system(dataset: &Dataset, workspace: &Workspace, name: &str, split: Split) -> Result<(System, RunIdentity)> {
    let folder = workspace.existing_run(name)?;
    let run = Run::open(&folder)?;
    if let Some(remark) = run.remark() {
        say(&remark);
    }
    for changed in run.identity.changed_since(dataset) {
        say(&format!("warning: run {name}: {changed} changed since the run was made"));
    }
    let ablation = run.identity.ablation.parse().with_context(|| format!("{}: field ablation", folder.display()))?;
    let identity = run.identity.clone();
    let positions: HashMap<&str, usize> =
        dataset.cases.iter().enumerate().map(|(position, case)| (case.id.as_str(), position)).collect();
    let mut rerankers = Vec::new();
    for reranking in Reranking::read_all(&folder, &identity)? {
        let choices = reranking.choices.into_iter();
        let chosen = choices.filter_map(|(case, choice)| Some((*positions.get(case.as_str())?, choice.document)));
        rerankers.push((reranking.name, chosen.collect()));
    }
    let (mut cases, mut validation): (Vec<CaseAnswer>, Vec<CaseAnswer>) = (Vec::new(), Vec::new());
    for answer in run.into_answers(dataset)? {
        let of = dataset.cases[answer.case].split;
        if of == split {
            cases.push(answer);
        } else if of == Split::Validation {
            validation.push(answer);
        }
    }
    ensure!(!cases.is_empty(), "the run in {} has no case of the split {split}", folder.display());
    let family = identity.family();
    Ok((
        System {
            name: name.to_owned(),
            models: identity.candidates.clone(),
            ablation,
            family,
            differences: Vec::new(),
            rerankers,
            cases,
            validation,
            thresholds: Vec::new(),
        },
        identity,
    ))
}
