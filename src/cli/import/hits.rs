//! `dissent import hits`: checks another program's hits and keeps them in the workspace of a dataset.

use crate::cli::Common;
use crate::cli::open_dataset::open_dataset;
use crate::data::{Dataset, Split};
use crate::files::durable;
use crate::output::{count, print_json, print_line, say};
use crate::retriever::{HitSource, HitsFromFile, Merging};
use crate::run::hit_lists::{HitFormat, HitLine, HitLists, read_hits, write_hits};
use crate::text::csv_cells::Formulas;
use crate::workspace::Workspace;
use anyhow::{Context, Result, ensure};
use std::collections::HashSet;
use std::path::PathBuf;

/// Arguments of `dissent import hits`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Hits: a TREC run (case Q0 document rank score tag), JSON lines or CSV; each tag is a head of its own
    file: PathBuf,
    /// Name for --hits; default: the name of the file
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Replace hits of this name
    #[arg(long)]
    replace: bool,
    /// Check everything, but write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// One head of the file.
#[derive(serde::Serialize)]
struct HeadSummary {
    head: String,
    cases: usize,
    hits: usize,
}

/// Runs `dissent import hits`.
pub(super) fn run(args: &Args, common: &Common) -> Result<()> {
    ensure!(
        args.dataset.is_dir() || !args.file.is_dir(),
        "expected the dataset first and then the file: `dissent import hits {} {}`",
        args.file.display(),
        args.dataset.display()
    );
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = args.name.clone().unwrap_or(stem);
    let target = workspace.hits_file(&name).context("--name")?;
    ensure!(
        args.replace || args.dry_run || !target.exists(),
        "there are hits of the name {name} already ({}); give another --name, or --replace",
        target.display()
    );
    let dataset = open_dataset(&args.dataset)?;
    let lists = read_hits(&args.file, &dataset).context("nothing was imported")?;
    for warning in &lists.warnings {
        say(&format!("warning: {warning}"));
    }
    let heads = heads_of(&lists, &dataset);
    let splits = splits_of(&lists, &dataset);
    let (fingerprint, found, cases) = (lists.fingerprint(&dataset), lists.hit_count(), lists.case_count());
    let text = write_hits(&lines_of(&lists, &dataset), HitFormat::JsonLines, Formulas::Plain)?;
    let with_hits: Vec<usize> = (0..dataset.cases.len()).filter(|case| !lists.of_case(*case).is_empty()).collect();
    let source = HitsFromFile::new(&dataset, lists, usize::MAX, Merging::OneAfterAnother);
    let account = source.account(&dataset, &with_hits).unwrap_or_default();
    if !args.dry_run {
        durable::make_folder(target.parent().unwrap_or(&workspace.path))?;
        durable::write_file(&target, text.as_bytes())?;
    }
    if args.json {
        return print_json(&serde_json::json!({
            "name": name,
            "file": (!args.dry_run).then_some(&target),
            "fingerprint": fingerprint,
            "hits": found,
            "cases": cases,
            "heads": heads,
            "splits": splits.iter().map(|(split, with, all)| {
                serde_json::json!({"split": split, "cases": all, "cases_without_hits": all - with})
            }).collect::<Vec<_>>(),
            "not_allowed": account.not_allowed,
        }));
    }
    let mut lines = vec![format!("hits {name}: {} of {}", count(found, "hit"), count(cases, "case"))];
    for HeadSummary { head, cases, hits } in &heads {
        lines.push(format!("  head {head}: {} of {}", count(*hits, "hit"), count(*cases, "case")));
    }
    for (split, with, all) in &splits {
        lines.push(format!("  split {split}: {} of {} have no hit", all - with, count(*all, "case")));
    }
    if account.not_allowed > 0 {
        lines.push(format!(
            "  {} will never be shown, because the document has the case's own id, group or picture",
            count(account.not_allowed, "hit")
        ));
    }
    lines.push(if args.dry_run {
        "nothing written (--dry-run)".into()
    } else {
        format!("written to {}; `dissent predict --hits {name}` reads them", target.display())
    });
    print_line(&lines.join("\n"))
}

fn heads_of(lists: &HitLists, dataset: &Dataset) -> Vec<HeadSummary> {
    let all = || (0..dataset.cases.len()).flat_map(|case| lists.of_case(case));
    let summary = |head: &crate::run::Head| {
        let own = all().filter(|list| list.head == *head);
        HeadSummary { head: head.to_string(), cases: own.clone().count(), hits: own.map(|list| list.hits.len()).sum() }
    };
    lists.heads.iter().map(summary).collect()
}

/// Each split that the file touches, with its cases that have hits and all its cases.
fn splits_of(lists: &HitLists, dataset: &Dataset) -> Vec<(Split, usize, usize)> {
    let has_hits = |position: usize| !lists.of_case(position).is_empty();
    let touched: HashSet<Split> = dataset
        .cases
        .iter()
        .enumerate()
        .filter(|(position, _)| has_hits(*position))
        .map(|(_, case)| case.split)
        .collect();
    let mut splits: Vec<Split> = touched.into_iter().collect();
    splits.sort_unstable();
    let counted = |split: Split| {
        let own = dataset.cases.iter().enumerate().filter(|(_, case)| case.split == split);
        let with = own.clone().filter(|(position, _)| has_hits(*position)).count();
        (split, with, own.count())
    };
    splits.into_iter().map(counted).collect()
}

fn lines_of(lists: &HitLists, dataset: &Dataset) -> Vec<HitLine> {
    let mut lines = Vec::with_capacity(lists.hit_count());
    for (position, case) in dataset.cases.iter().enumerate() {
        for list in lists.of_case(position) {
            lines.extend(list.hits.iter().map(|hit| HitLine {
                case: case.id.clone(),
                head: list.head,
                rank: hit.rank,
                document: dataset.corpus.document(hit.row).id.to_owned(),
                score: hit.score,
            }));
        }
    }
    lines
}
