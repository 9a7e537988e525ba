//! `dissent annotations disagreements`: lists the cases for an adjudicator, with each annotator's categories and note.

use super::Annotations;
use crate::annotation::{Disagreement, disagreements};
use crate::cli::Common;
use crate::output::{count, one_line, print_json, print_line, say};
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;

/// Arguments of `dissent annotations disagreements`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory; default: the embedded sample
    dataset: Option<PathBuf>,
    /// Print one JSON array instead of text
    #[arg(long)]
    json: bool,
}

/// Prints the cases, the largest disagreement first.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let annotations = Annotations::open(args.dataset, common)?;
    let found = disagreements(&annotations.state);
    let cases = &annotations.dataset.cases;
    let known: HashMap<&str, &crate::data::Case> = cases.iter().map(|case| (case.id.as_str(), case)).collect();
    if args.json {
        let array: Vec<Value> = found
            .iter()
            .map(|disagreement| {
                let case = known.get(disagreement.case);
                let mut object = json_of(disagreement);
                object["task"] = json!(case.map(|case| &case.task));
                object["split"] = json!(case.map(|case| case.split));
                object["gold"] = json!(case.map(|case| &case.answer));
                object
            })
            .collect();
        return print_json(&array);
    }
    for disagreement in &found {
        let about = known.get(disagreement.case).map_or_else(
            || "not in the dataset".to_owned(),
            |case| format!("{}, {}, gold {}", case.task, case.split, case.answer),
        );
        print_line(&format!(
            "{} ({}), distance {:.2}",
            one_line(disagreement.case),
            one_line(&about),
            disagreement.distance
        ))?;
        for (annotator, annotation) in &disagreement.voices {
            print_line(&format!("  {}: {}", one_line(annotator), one_line(&annotation.in_words())))?;
        }
        if let Some(decision) = disagreement.outdated {
            let decided = one_line(&decision.in_words());
            print_line(&format!("  ({decided}; annotated again since)"))?;
        }
    }
    say(&format!("{} to decide", count(found.len(), "case")));
    Ok(())
}

fn json_of(disagreement: &Disagreement<'_>) -> Value {
    let voices = disagreement.voices.iter().map(|(annotator, annotation)| {
        json!({
            "annotator": annotator,
            "categories": annotation.categories,
            "hits": annotation.hits,
            "skipped": annotation.skipped,
            "unsure": annotation.unsure,
            "flagged": annotation.flagged,
            "note": annotation.note,
        })
    });
    let outdated = disagreement.outdated.map(|decision| {
        json!({"adjudicator": decision.adjudicator, "categories": decision.categories, "reason": decision.reason})
    });
    json!({
        "case": disagreement.case,
        "distance": disagreement.distance,
        "annotations": voices.collect::<Vec<_>>(),
        "outdated_decision": outdated,
    })
}
