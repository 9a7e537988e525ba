//! `dissent annotations assign`: prints who annotates what if `explore` and `annotate` get the same options.

use super::Annotations;
use crate::annotation::{Assignment, CaseAnnotation};
use crate::cli::Common;
use crate::cli::queue_options::{PlanOptions, cases_of_split, ids_of};
use crate::data::Split;
use crate::output::{count, one_line, print_json, print_line};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `dissent annotations assign`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Only cases of this split; default: test if the dataset has test cases, else all
    #[arg(long, value_enum)]
    split: Option<Split>,
    #[command(flatten)]
    plan: PlanOptions,
    /// Print one JSON object with every case
    #[arg(long)]
    json: bool,
}

/// One annotator's share.
struct Part<'a> {
    annotator: &'a str,
    cases: usize,
    decided: usize,
}

/// Prints the assignment. Equal options give equal assignments; people compare the fingerprint to be sure.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let Some(plan) = args.plan.plan().context("--annotators")? else {
        bail!("expected --annotators A,B,…, the people to divide the cases among");
    };
    let annotations = Annotations::open(Some(args.dataset), common)?;
    let cases = cases_of_split(&annotations.dataset, args.split);
    let ids = ids_of(&annotations.dataset, &cases);
    let assignment = plan.assign(&ids);
    let print = assignment.fingerprint(&ids);
    let mut parts = Vec::new();
    for annotator in plan.annotators() {
        let queue = assignment.queue_of(annotator)?;
        let is_labelled =
            |place: &&usize| annotations.state.of(annotator, ids[**place]).is_some_and(CaseAnnotation::is_labelled);
        parts.push(Part { annotator, cases: queue.len(), decided: queue.iter().filter(is_labelled).count() });
    }
    if args.json {
        let report = json!({
            "assignment": print,
            "annotators": parts.iter().map(|part| json!({
                "annotator": part.annotator, "cases": part.cases, "decided": part.decided,
                "left": part.cases - part.decided })).collect::<Vec<_>>(),
            "overlap": plan.overlap(),
            "seed": plan.seed(),
            "calibration": assignment.calibration.iter().map(|place| ids[*place]).collect::<Vec<_>>(),
            "shared": shared(&assignment),
            "cases": ids.iter().zip(&assignment.of_case).map(|(case, who)| json!({
                "case": case, "annotators": names(&assignment, who) })).collect::<Vec<_>>(),
        });
        return print_json(&report);
    }
    let calibration = count(assignment.calibration.len(), "calibration case");
    print_line(&format!(
        "assignment {print}: {}, {} of {} for each, seed {}, {calibration} for all",
        count(ids.len(), "case"),
        plan.overlap(),
        count(parts.len(), "annotator"),
        plan.seed()
    ))?;
    let width = parts.iter().map(|part| part.annotator.chars().count()).max().unwrap_or(0).max("annotator".len());
    print_line(&format!("{:width$}  cases  decided  left", "annotator"))?;
    for Part { annotator, cases, decided } in &parts {
        let annotator = one_line(annotator);
        print_line(&format!("{annotator:width$}  {cases:>5}  {decided:>7}  {:>4}", cases - decided))?;
    }
    Ok(())
}

/// How many cases each pair of annotators has in common.
fn shared(assignment: &Assignment) -> Vec<serde_json::Value> {
    let mut pairs: Vec<((usize, usize), usize)> = assignment.shared().into_iter().collect();
    pairs.sort_unstable();
    pairs
        .into_iter()
        .map(|((one, other), cases)| json!({ "annotators": names(assignment, &[one, other]), "cases": cases }))
        .collect()
}

fn names<'a>(assignment: &'a Assignment, who: &[usize]) -> Vec<&'a str> {
    who.iter().map(|position| assignment.plan.annotators()[*position].as_str()).collect()
}
