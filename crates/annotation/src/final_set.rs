//! The final set: one answer per case, computed and never stored. An adjudicator's decision comes first. Without one,
//! a case has the categories that all its annotators gave, even if there is only one annotator. If they differ there
//! is no answer, because a majority would settle the very cases that adjudication is for.

use super::rated_cases::positions_of;
use super::table_export::{Column, Kind};
use super::{AnnotationState, CaseReview, CategoryId, Standing, Taxonomy};
use anyhow::{Context, Result};
use dissent_core::data::{Case, Split};
use dissent_evaluation::report::{Named, NamedErrors};
use serde::Serialize;
use std::collections::HashMap;
use time::format_description::well_known::Rfc3339;

/// The final answer to one case. A field that is unknown is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FinalRow<'a> {
    pub case: &'a str,
    pub task: Option<&'a str>,
    pub split: Option<Split>,
    /// The gold answer, a label id of the task.
    pub gold: Option<&'a str>,
    /// "decided", "agreed", "single" or "disputed"; "open" if nobody gave a category.
    pub standing: &'static str,
    /// Ids of the final categories; null if there is no final answer.
    pub categories: Option<Vec<&'a str>>,
    /// Their names; the id again if the taxonomy does not know it.
    pub category_names: Option<Vec<&'a str>>,
    /// Annotators who gave the case a category.
    pub annotators: Vec<&'a str>,
    /// The decision: adjudicator, reason and time.
    pub adjudicator: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub decided_at: Option<String>,
    /// Somebody has annotated the case anew since it was decided.
    pub outdated: bool,
}

/// One row per review, in their order. A case that is not in the dataset any more keeps its row, without task, split
/// and gold.
///
/// # Errors
/// Fails if a time cannot be written as RFC 3339 (a year beyond 9999).
pub fn final_rows<'a>(
    reviews: &'a [CaseReview],
    taxonomy: &'a Taxonomy,
    cases: &'a [Case],
) -> Result<Vec<FinalRow<'a>>> {
    let positions = positions_of(cases);
    let name_of = |id: &'a CategoryId| taxonomy.by_id(id).map_or(id.as_str(), |category| category.name.as_str());
    let mut rows = Vec::new();
    for review in reviews {
        let known = positions.get(review.case.as_str()).map(|position| &cases[*position]);
        let (standing, categories) = (review.standing(), review.final_categories());
        let mut row = FinalRow {
            case: &review.case,
            task: known.map(|case| case.task.as_str()),
            split: known.map(|case| case.split),
            gold: known.map(|case| case.answer.as_str()),
            standing: standing.word(),
            categories: categories.map(|categories| categories.iter().map(CategoryId::as_str).collect()),
            category_names: categories.map(|categories| categories.iter().map(name_of).collect()),
            annotators: review.votes().map(|vote| vote.annotator.as_str()).collect(),
            adjudicator: None,
            reason: None,
            decided_at: None,
            outdated: false,
        };
        if let Some(decision) = &review.decision {
            row.adjudicator = Some(&decision.adjudicator);
            row.reason = Some(decision.reason.as_str()).filter(|reason| !reason.is_empty());
            row.decided_at = Some(decision.ts.format(&Rfc3339).context("cannot write the time of a decision")?);
            row.outdated = standing.is_to_be_decided();
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The fields of [`FinalRow`] in order.
pub const FINAL_COLUMNS: [Column; 12] = [
    Column::new("case", Kind::Text),
    Column::new("task", Kind::Text),
    Column::new("split", Kind::Text),
    Column::new("gold", Kind::Text),
    Column::new("standing", Kind::Text),
    Column::new("categories", Kind::List),
    Column::new("category_names", Kind::List),
    Column::new("annotators", Kind::List),
    Column::new("adjudicator", Kind::Text),
    Column::new("reason", Kind::Text),
    Column::new("decided_at", Kind::Time),
    Column::new("outdated", Kind::Flag),
];

/// The final set for the report: which category explains which part of the oracle gap. `None` if nobody annotated a
/// case of the dataset.
pub fn named_errors(state: &AnnotationState, taxonomy: &Taxonomy, cases: &[Case]) -> Option<NamedErrors> {
    let positions = positions_of(cases);
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut named = NamedErrors::default();
    for category in &taxonomy.categories {
        places.insert(category.id.as_str(), named.categories.len());
        named.categories.push(category.name.clone());
    }
    let reviews = state.reviews();
    for review in &reviews {
        let Some(position) = positions.get(review.case.as_str()) else { continue };
        let name = match review.standing() {
            Standing::Open => continue,
            Standing::Disputed => Named::Open,
            Standing::Single | Standing::Agreed | Standing::Decided { .. } => {
                let mut own = Vec::new();
                for id in review.final_categories().into_iter().flatten() {
                    // An id of an earlier taxonomy is its own name.
                    let next = named.categories.len();
                    let place = *places.entry(id.as_str()).or_insert(next);
                    if place == next {
                        named.categories.push(id.to_string());
                    }
                    own.push(place);
                }
                Named::As(own)
            }
        };
        named.of_case.insert(*position, name);
    }
    (!named.of_case.is_empty()).then_some(named)
}
