//! `dissent export hits`: the hits of a stored run, or of a dataset's retriever, for other programs.

use super::searching::open_searching;
use crate::cli::Common;
use crate::cli::costs::{ConsentFlag, say_usage};
use crate::cli::encoder_flags::EncoderFlags;
use crate::cli::models::{HeadChoice, RetrieverChoice, hits_per_head, resolve_retriever};
use crate::cli::open_dataset::open_with_images;
use crate::cli::run_models::refuse_models;
use crate::data::Split;
use crate::files::durable;
use crate::index::Embedder;
use crate::output::{count, print_json, print_line, progress_bar, say};
use crate::pipeline::{ServerUsage, planned_queries};
use crate::retriever::HitSource;
use crate::run::hit_lists::{HitFormat, HitLine, hit_lines_of, write_hits};
use crate::run::{Hit, RUN_FILE, Run};
use crate::text::csv_cells::Formulas;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};

/// Documents per head if the user says nothing.
const HITS_PER_HEAD: u16 = 2;

/// Arguments of `dissent export hits`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Dataset directory, or the folder of a stored run
    #[arg(value_name = "DATASET|RUN")]
    source: PathBuf,
    /// File to write; its ending chooses the format: .trec or .run, .jsonl, .csv
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Stored run of the dataset; without it the retriever searches now
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Only cases of this split; default: all of a run, test cases of a dataset
    #[arg(long, value_enum)]
    split: Option<Split>,
    #[command(flatten)]
    encoder: EncoderFlags,
    #[command(flatten)]
    consent: ConsentFlag,
    /// Without --run: retrieval heads: standard, trained (WORKSPACE/models/retriever) or a folder of heads
    #[arg(long, env = "DISSENT_RETRIEVER", default_value = "standard", value_name = "standard|trained|DIR")]
    retriever: RetrieverChoice,
    /// Without a run: the heads that search; default: image,caption
    #[arg(long, value_enum, value_delimiter = ',', value_name = "A,B,…")]
    heads: Vec<HeadChoice>,
    /// Without a run: documents per head; default: 2
    #[arg(short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    k: Option<u16>,
    /// CSV: do not escape texts that a spreadsheet would run as a formula
    #[arg(long)]
    plain: bool,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `dissent export hits`.
pub(super) fn run(args: Args, common: &Common) -> Result<()> {
    let format = HitFormat::to_write(&args.out).context("--out")?;
    let lines = if args.source.join(RUN_FILE).is_file() {
        ensure!(args.run.is_none(), "{} is a run already; expected no --run with it", args.source.display());
        ensure!(
            args.split.is_none(),
            "a run's folder does not know splits; give the dataset and --run NAME with --split"
        );
        args.refuse_search()?;
        of_run_folder(&args.source)?
    } else {
        let workspace = Workspace::open(&args.source, common.workspace.as_deref())?;
        match &args.run {
            Some(name) => {
                args.refuse_search()?;
                of_run(&workspace.existing_run(name)?, &args)?
            }
            None => of_retriever(&workspace, &args, common)?,
        }
    };
    ensure!(!lines.is_empty(), "no file is written: there are no hits to write");
    let formulas = if args.plain { Formulas::Plain } else { Formulas::Escaped };
    let text = write_hits(&lines, format, formulas).context("no file is written")?;
    durable::write_file(&args.out, text.as_bytes())?;
    let cases = lines.chunk_by(|one, other| one.case == other.case).count();
    if args.json {
        return print_json(&serde_json::json!({ "file": args.out, "hits": lines.len(), "cases": cases }));
    }
    print_line(&format!("{}: {} of {}", args.out.display(), count(lines.len(), "hit"), count(cases, "case")))
}

impl Args {
    fn heads(&self) -> &[HeadChoice] {
        if self.heads.is_empty() { &[HeadChoice::Image, HeadChoice::Caption] } else { &self.heads }
    }

    /// Fails if a flag of a search was given with a run, whose hits are found already.
    fn refuse_search(&self) -> Result<()> {
        for (flag, is_given) in [("--heads", !self.heads.is_empty()), ("-k", self.k.is_some())] {
            ensure!(!is_given, "{flag}: expected without a run, whose hits are found already");
        }
        Ok(())
    }
}

fn open_run(folder: &Path) -> Result<Run> {
    let run = Run::open(folder)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    refuse_models(&run.identity, &name, "`export hits`")?;
    if let Some(remark) = run.remark() {
        say(&remark);
    }
    Ok(run)
}

/// Hits of a run without its dataset.
fn of_run_folder(folder: &Path) -> Result<Vec<HitLine>> {
    let run = open_run(folder)?;
    let mut lines = Vec::new();
    for case in run.stored_cases() {
        let hit = |answer: &crate::run::StoredAnswer| Hit {
            row: 0,
            document: answer.document.clone(),
            provenances: answer.heads.clone(),
        };
        lines.extend(hit_lines_of(&case.id, &case.answers.iter().map(hit).collect::<Vec<_>>()));
    }
    Ok(lines)
}

fn of_run(folder: &Path, args: &Args) -> Result<Vec<HitLine>> {
    let dataset = open_with_images(&args.source)?;
    let run = open_run(folder)?;
    for changed in run.identity.changed_since(&dataset) {
        say(&format!("warning: {changed} changed since the run was made"));
    }
    let mut lines = Vec::new();
    for answer in run.into_answers(&dataset)? {
        let case = &dataset.cases[answer.case];
        if args.split.is_none_or(|split| split == case.split) {
            lines.extend(hit_lines_of(&case.id, &answer.hits));
        }
    }
    Ok(lines)
}

/// Hits of all cases of a split, found now.
fn of_retriever(workspace: &Workspace, args: &Args, common: &Common) -> Result<Vec<HitLine>> {
    if args.heads().contains(&HeadChoice::Lexical) {
        bail!(
            "--heads lexical searches the words of the reader's answer: predict a run with it (`dissent predict --heads …`) and \
             export that with --run"
        );
    }
    let dataset = open_with_images(&args.source)?;
    let heads = resolve_retriever(&args.retriever, &workspace.path)?;
    let hits = hits_per_head(args.heads(), args.k.unwrap_or(HITS_PER_HEAD));
    let mut retriever =
        open_searching(&dataset, workspace, common, (&args.encoder, args.consent), (hits, heads.as_deref()))?;
    let split = args.split.unwrap_or(Split::Test);
    let cases: Vec<_> = dataset.cases.iter().filter(|case| case.split == split).collect();
    ensure!(!cases.is_empty(), "{}: no case in split {split}", args.source.display());
    let hosted = retriever.encoder().and_then(Embedder::hosted);
    args.consent.check(planned_queries(hosted, cases.len()).as_ref())?;
    let bar = progress_bar("cases");
    bar.set_length(cases.len() as u64);
    let mut lines = Vec::new();
    for case in cases {
        let query = dataset.picture(&case.image).with_context(|| format!("case {}", case.id))?;
        let hits = retriever.retrieve(&dataset, case, &query, None).with_context(|| format!("case {}", case.id))?;
        lines.extend(hit_lines_of(&case.id, &hits));
        bar.inc(1);
    }
    bar.finish_and_clear();
    say_usage(ServerUsage { encoder: retriever.usage(), reader: None });
    Ok(lines)
}
