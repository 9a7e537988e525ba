//! `dissent annotations disagreements`: lists the cases for an adjudicator, with each annotator's categories and note.

use super::Annotations;
use crate::annotation::{CaseReview, disagreements};
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
            .map(|review| {
                let case = known.get(review.case.as_str());
                let mut object = json_of(review);
                object["task"] = json!(case.map(|case| &case.task));
                object["split"] = json!(case.map(|case| case.split));
                object["gold"] = json!(case.map(|case| &case.answer));
                object
            })
            .collect();
        return print_json(&array);
    }
    for review in &found {
        let about = known.get(review.case.as_str()).map_or_else(
            || "not in the dataset".to_owned(),
            |case| format!("{}, {}, gold {}", case.task, case.split, case.answer),
        );
        print_line(&format!(
            "{} ({}), distance {:.2}",
            one_line(&review.case),
            one_line(&about),
            review.disagreement()
        ))?;
        for authored in &review.annotations {
            let annotation = one_line(&authored.annotation.in_words());
            print_line(&format!("  {}: {annotation}", one_line(&authored.annotator)))?;
        }
        if let Some(decision) = &review.decision {
            let decided = one_line(&decision.in_words());
            print_line(&format!("  ({decided}; annotated again since)"))?;
        }
    }
    say(&format!("{} to decide", count(found.len(), "case")));
    Ok(())
}

fn json_of(review: &CaseReview) -> Value {
    let annotations = review.annotations.iter().map(|authored| {
        let annotation = &authored.annotation;
        json!({
            "annotator": authored.annotator,
            "categories": annotation.categories,
            "hits": annotation.hits,
            "skipped": annotation.skipped,
            "unsure": annotation.unsure,
            "flagged": annotation.flagged,
            "note": annotation.note,
        })
    });
    // A decision is among these only if somebody has annotated the case anew since.
    let outdated = review.decision.as_ref().map(|decision| {
        json!({"adjudicator": decision.adjudicator, "categories": decision.categories, "reason": decision.reason})
    });
    json!({
        "case": review.case,
        "distance": review.disagreement(),
        "annotations": annotations.collect::<Vec<_>>(),
        "outdated_decision": outdated,
    })
}
