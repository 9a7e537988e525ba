//! Annotations as ratings: each annotator's set of categories per case.

use super::agreement::{RatedCases, Ratings};
use super::{AnnotationState, CaseAnnotation, CategoryId, Taxonomy};
use dissent_core::data::{Case, Task};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The annotations that count. Only categories given to the case itself are ratings; skips, notes and adjudicators'
/// decisions are not. Of several passes, the last counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted<'a> {
    /// Only annotations by these people; empty for everybody.
    pub annotators: &'a [String],
    /// Only blind annotations.
    pub blind_only: bool,
    /// Only annotations that are not marked as unsure.
    pub sure_only: bool,
}

impl Counted<'_> {
    fn takes(self, annotator: &str, annotation: &CaseAnnotation) -> bool {
        (self.annotators.is_empty() || self.annotators.iter().any(|name| name == annotator))
            && !annotation.categories.is_empty()
            && (annotation.blind || !self.blind_only)
            && !(annotation.unsure && self.sure_only)
    }
}

/// The ratings of the dataset's cases, in the order of the cases. Cases that are not in the dataset any more and
/// annotators without a rating are left out. Categories are named by their ids, those of the taxonomy first.
pub fn rated_cases(
    state: &AnnotationState,
    taxonomy: &Taxonomy,
    tasks: &[Task],
    cases: &[Case],
    counted: Counted<'_>,
) -> RatedCases {
    let positions = positions_of(cases);
    let groups = groups_of(cases);
    let mut by_case: BTreeMap<usize, Vec<(&str, &CaseAnnotation)>> = BTreeMap::new();
    let mut annotators: BTreeSet<&str> = BTreeSet::new();
    for (annotator, case, annotation) in
        state.iter().filter(|(annotator, _, annotation)| counted.takes(annotator, annotation))
    {
        if let Some(position) = positions.get(case) {
            by_case.entry(*position).or_default().push((annotator, annotation));
            annotators.insert(annotator);
        }
    }
    let annotators: Vec<&str> = annotators.into_iter().collect();
    let categories = Categories::of(taxonomy, by_case.values().flatten().map(|(_, annotation)| *annotation));
    let mut rated = RatedCases {
        ratings: Ratings::new(annotators.iter().map(|name| (*name).to_owned()).collect(), categories.ids()),
        task_order: tasks.iter().map(|task| task.id.clone()).collect(),
        ..RatedCases::default()
    };
    for (position, said) in by_case {
        let mut row = vec![None; annotators.len()];
        for (annotator, annotation) in said {
            if let Ok(place) = annotators.binary_search(&annotator) {
                row[place] = Some(categories.set_of(annotation));
            }
        }
        rated.ratings.push_of_group(row, groups[position]);
        rated.cases.push(position);
        rated.tasks.push(cases[position].task.clone());
    }
    rated.second_readings = second_readings(state, taxonomy, &positions, &groups, counted);
    rated
}

/// The first pass against the last, for each annotator who read cases again.
fn second_readings(
    state: &AnnotationState,
    taxonomy: &Taxonomy,
    positions: &HashMap<&str, usize>,
    groups: &[usize],
    counted: Counted<'_>,
) -> Vec<Ratings> {
    let passes: Vec<_> = state
        .passes()
        .filter(|(annotator, case, annotation)| counted.takes(annotator, annotation) && positions.contains_key(case))
        .collect();
    let mut readings = Vec::new();
    for own in passes.chunk_by(|one, other| one.0 == other.0) {
        let categories = Categories::of(taxonomy, own.iter().map(|(.., annotation)| *annotation));
        let mut ratings = Ratings::new(vec![own[0].0.to_owned(), format!("{} again", own[0].0)], categories.ids());
        for of_case in own.chunk_by(|one, other| one.1 == other.1) {
            if let [first, .., last] = of_case {
                let said = vec![Some(categories.set_of(first.2)), Some(categories.set_of(last.2))];
                ratings.push_of_group(said, groups[positions[first.1]]);
            }
        }
        if !ratings.units().is_empty() {
            readings.push(ratings);
        }
    }
    readings
}

pub(super) fn positions_of(cases: &[Case]) -> HashMap<&str, usize> {
    cases.iter().enumerate().map(|(position, case)| (case.id.as_str(), position)).collect()
}

/// Per case: position of the first case of its group (patient or study), or its own if it has no group.
fn groups_of(cases: &[Case]) -> Vec<usize> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let cases = cases.iter().enumerate();
    cases
        .map(|(position, case)| case.group.as_deref().map_or(position, |group| *first.entry(group).or_insert(position)))
        .collect()
}

/// Ids of categories by position: those of the taxonomy in its order, then others that were given.
struct Categories<'a> {
    positions: HashMap<&'a str, usize>,
}

impl<'a> Categories<'a> {
    fn of(taxonomy: &'a Taxonomy, annotations: impl Iterator<Item = &'a CaseAnnotation>) -> Self {
        let mut positions = HashMap::new();
        let known = taxonomy.categories.iter().map(|category| category.id.as_str());
        let others: BTreeSet<&str> =
            annotations.flat_map(|annotation| &annotation.categories).map(CategoryId::as_str).collect();
        for id in known.chain(others) {
            let next = positions.len();
            positions.entry(id).or_insert(next);
        }
        Self { positions }
    }

    fn ids(&self) -> Vec<String> {
        let mut ids: Vec<(&usize, &&str)> = self.positions.iter().map(|(id, position)| (position, id)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| (*id).to_owned()).collect()
    }

    fn set_of(&self, annotation: &CaseAnnotation) -> Vec<usize> {
        annotation.categories.iter().filter_map(|id| self.positions.get(id.as_str()).copied()).collect()
    }
}
