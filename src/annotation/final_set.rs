//! The final set: one answer a case, derived and never stored. An adjudicator's decision counts before all else; without one
//! a case has the categories that all its annotators gave, be it one annotator. Where they differ there is no answer: a
//! majority is not made one, because it would settle without a look the very cases that adjudication is for.

use super::rated_cases::positions_of;
use super::table_export::{Column, Kind};
use super::{AnnotationState, Standing, Taxonomy};
use crate::analysis::report::{Named, NamedErrors};
use crate::data::{Case, Split};
use anyhow::{Context, Result};
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
    /// "decided", "agreed", "single" or "disputed"; "open" where nobody gave a category.
    pub standing: &'static str,
    /// Ids of the final categories; null where there is no final answer.
    pub categories: Option<Vec<&'a str>>,
    /// Their names; the id again where the taxonomy does not know it.
    pub category_names: Option<Vec<&'a str>>,
    /// Who gave the case a category.
    pub annotators: Vec<&'a str>,
    /// Who decided, why and when.
    pub adjudicator: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub decided_at: Option<String>,
    /// Somebody has annotated the case anew since it was decided.
    pub outdated: bool,
}

/// One row per case that somebody annotated or decided, ordered by case. A case that is not in the dataset any more keeps
/// its row, without task, split and gold.
///
/// # Errors
/// When a time cannot be written as RFC 3339 (a year beyond 9999).
pub fn final_rows<'a>(
    state: &'a AnnotationState,
    taxonomy: &'a Taxonomy,
    cases: &'a [Case],
) -> Result<Vec<FinalRow<'a>>> {
    let positions = positions_of(cases);
    let name_of = |id: &'a String| taxonomy.by_id(id).map_or(id.as_str(), |category| category.name.as_str());
    let mut rows = Vec::new();
    for case in state.cases() {
        let known = positions.get(case).map(|position| &cases[*position]);
        let standing = state.standing(case);
        let categories = standing.categories();
        let mut row = FinalRow {
            case,
            task: known.map(|case| case.task.as_str()),
            split: known.map(|case| case.split),
            gold: known.map(|case| case.answer.as_str()),
            standing: standing.word(),
            categories: categories.map(|categories| categories.iter().map(String::as_str).collect()),
            category_names: categories.map(|categories| categories.iter().map(name_of).collect()),
            annotators: state
                .on_case(case)
                .filter(|(_, annotation)| !annotation.categories.is_empty())
                .map(|(annotator, _)| annotator)
                .collect(),
            adjudicator: None,
            reason: None,
            decided_at: None,
            outdated: false,
        };
        if let Standing::Decided { decision, is_outdated } = standing {
            row.adjudicator = Some(&decision.adjudicator);
            row.reason = Some(decision.reason.as_str()).filter(|reason| !reason.is_empty());
            row.decided_at = Some(decision.ts.format(&Rfc3339).context("cannot write the time of a decision")?);
            row.outdated = is_outdated;
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

impl Standing<'_> {
    /// The word for it in files and tables.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Single(_) => "single",
            Self::Agreed(_) => "agreed",
            Self::Disputed => "disputed",
            Self::Decided { .. } => "decided",
        }
    }
}

/// The final set for the report: which error explains which part of the oracle gap. `None` where nobody annotated a case of
/// the dataset.
pub fn named_errors(state: &AnnotationState, taxonomy: &Taxonomy, cases: &[Case]) -> Option<NamedErrors> {
    let positions = positions_of(cases);
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut named = NamedErrors::default();
    for category in &taxonomy.categories {
        places.insert(&category.id, named.categories.len());
        named.categories.push(category.name.clone());
    }
    for case in state.cases() {
        let Some(position) = positions.get(case) else { continue };
        let name = match state.standing(case) {
            Standing::Open => continue,
            Standing::Disputed => Named::Open,
            standing => {
                let mut own = Vec::new();
                for id in standing.categories().into_iter().flatten() {
                    // Of an earlier taxonomy.
                    let next = named.categories.len();
                    let place = *places.entry(id).or_insert(next);
                    if place == next {
                        named.categories.push(id.clone());
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
