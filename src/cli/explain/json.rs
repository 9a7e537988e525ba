//! An explanation as JSON (docs/reference/explain.md).

use super::Explained;
use crate::explain::{RegionWeights, WordWeights};
use serde_json::{Value, json};

/// The whole report.
pub(super) fn report(explained: &Explained) -> Value {
    let explanation = &explained.explanation;
    let (answer, runner_up) = explained.labels();
    json!({
        "case": explained.case.id,
        "question": explained.dataset.question_of(explained.case),
        "document": explained.document.map(|document| document.id),
        "hit": explained.hit.map(|(number, _)| number),
        "reader": explained.reader,
        "method": explanation.method,
        "label": explained.label(),
        "answer_set": explained.answer_set(),
        "answer": answer,
        "runner_up": runner_up,
        "log_odds": explanation.log_odds,
        "is_approximate": explanation.is_bound,
        "words": explanation.words.as_ref().map(words),
        "regions": {
            "document": explanation.document.as_ref().map(regions),
            "query": explanation.query.as_ref().map(regions),
        },
        "questions_asked": explained.asked,
    })
}

fn words(words: &WordWeights) -> Value {
    let part = |part: &crate::explain::WordWeight| {
        json!({
            "text": words.text(part),
            "start": part.range.start,
            "end": part.range.end,
            "weight": part.weight,
            "is_approximate": part.is_bound,
        })
    };
    json!({
        "caption": words.caption,
        "parts": words.parts.iter().map(part).collect::<Vec<_>>(),
        "strongest": words.strongest(3).into_iter().map(part).collect::<Vec<_>>(),
    })
}

fn regions(regions: &RegionWeights) -> Value {
    let (region, weight) = regions.strongest();
    json!({
        "weights": regions.weights,
        "covered_alone": regions.is_fine,
        "is_approximate": regions.has_bounds,
        "strongest": { "row": region.row, "column": region.column, "weight": weight },
    })
}
