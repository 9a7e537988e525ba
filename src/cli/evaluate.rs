//! `dissent evaluate`: the figures of stored runs, and each against the first on the same cases.

use super::Common;
use super::output::{print_line, say};
use crate::analysis::{CaseOutcome, Comparison, PairedOutcome, Summary, SummaryCase};
use crate::data::{Dataset, Split};
use crate::engine::CaseAnswer;
use crate::engine::run::{Run, RunIdentity};
use crate::workspace::Workspace;
use anyhow::{Result, ensure};
use serde_json::json;
use std::collections::HashMap;
use std::path::PathBuf;

/// Arguments of `dissent evaluate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Names of stored runs; the first one's inconsistent cases are everybody's
    #[arg(long, required = true, value_delimiter = ',', value_name = "A,B,…")]
    runs: Vec<String>,
    /// Which cases
    #[arg(long, value_enum, default_value_t = Split::Test)]
    split: Split,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The answers of one run to the cases of the split.
struct Answers {
    name: String,
    identity: RunIdentity,
    cases: Vec<(CaseAnswer, SummaryCase)>,
}

/// Prints one summary per run, then one comparison with the first run for each of the others.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let dataset = Dataset::open(&args.dataset)?;
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    let mut all = Vec::new();
    for name in &args.runs {
        all.push(answers_of(&dataset, &workspace, name, args.split)?);
    }
    let split = args.split.to_string();
    let mut runs = Vec::new();
    let mut text = String::new();
    for answers in &all {
        let cases: Vec<SummaryCase> = answers.cases.iter().map(|(_, case)| case.clone()).collect();
        let summary = Summary::of(&split, &cases);
        text.push_str(&format!("run {}\n{}", answers.name, summary.text()));
        runs.push(json!({"run": answers.name, "summary": summary}));
    }
    let mut comparisons = Vec::new();
    for second in all.iter().skip(1) {
        let differences = all[0].identity.differences(&second.identity);
        if !differences.is_empty() {
            text.push_str(&format!("{} and {} differ in {}\n", all[0].name, second.name, differences.join(", ")));
        }
        let pairs = pairs_of(&all[0], second);
        ensure!(
            !pairs.is_empty(),
            "the runs {} and {} have no case of the split {split} in common",
            all[0].name,
            second.name
        );
        let comparison = Comparison::of(&split, &all[0].name, &second.name, &pairs);
        let alone = all[0].cases.len() + second.cases.len() - 2 * pairs.len();
        if alone > 0 {
            text.push_str(&format!("{alone} cases are in one of the two only and are left out of the comparison\n"));
        }
        text.push_str(&comparison.text());
        comparisons.push(comparison);
    }
    if args.json {
        let value = json!({"split": split, "runs": runs, "comparisons": comparisons});
        return print_line(&serde_json::to_string_pretty(&value)?);
    }
    print_line(text.trim_end())
}

fn answers_of(dataset: &Dataset, workspace: &Workspace, name: &str, split: Split) -> Result<Answers> {
    let folder = workspace.run_dir(name)?;
    let mut cases = Vec::new();
    let run = Run::open(&folder)?;
    if let Some(remark) = run.remark() {
        say(&remark);
    }
    let identity = run.identity.clone();
    for answer in run.into_answers(dataset)? {
        if dataset.cases[answer.case].split == split
            && let Some(case) = answer.to_summary_case(dataset)
        {
            cases.push((answer, case));
        }
    }
    ensure!(!cases.is_empty(), "the run in {} has no case of the split {split}", folder.display());
    Ok(Answers { name: name.into(), identity, cases })
}

/// Cases that both read.
fn pairs_of(first: &Answers, second: &Answers) -> Vec<PairedOutcome> {
    let seconds: HashMap<usize, &(CaseAnswer, SummaryCase)> =
        second.cases.iter().map(|pair| (pair.0.case, pair)).collect();
    let mut pairs = Vec::new();
    for (answer, case) in &first.cases {
        let Some((other_answer, other)) = seconds.get(&answer.case) else { continue };
        pairs.push(PairedOutcome {
            task: case.task.clone(),
            first: outcome_of(case),
            second: outcome_of(other),
            same_documents: rows_of(answer) == rows_of(other_answer),
        });
    }
    pairs
}

/// What the run says in the end: its closed-book answer where it read without documents.
fn outcome_of(case: &SummaryCase) -> CaseOutcome {
    let closed_book = || {
        let answer = case.closed_book.flatten();
        CaseOutcome { gold: case.gold, answers: vec![answer], fused: answer }
    };
    case.outcome.clone().unwrap_or_else(closed_book)
}

fn rows_of(answer: &CaseAnswer) -> Vec<usize> {
    let mut rows: Vec<usize> = answer.hits.iter().map(|hit| hit.row).collect();
    rows.sort_unstable();
    rows
}
