//! Cases that annotators disagree on, with what each of them said and why.

use super::agreement::masi_distance;
use super::{AnnotationState, CaseAnnotation, Decision, Standing};
use std::collections::BTreeSet;

/// A case for an adjudicator.
#[derive(Clone, Debug, PartialEq)]
pub struct Disagreement<'a> {
    /// Id of the case.
    pub case: &'a str,
    /// What each annotator says, by name; those who skipped the case or only left a note are here as well.
    pub voices: Vec<(&'a str, &'a CaseAnnotation)>,
    /// An earlier decision, which somebody has annotated anew since.
    pub outdated: Option<&'a Decision>,
    /// Mean MASI distance of the pairs of annotators who gave categories: 1 where no two have a category in common.
    pub distance: f64,
}

/// The cases that are to be decided, those that annotators differ most on first, then by id.
pub fn disagreements(state: &AnnotationState) -> Vec<Disagreement<'_>> {
    let mut found = Vec::new();
    for case in state.cases() {
        let standing = state.standing(case);
        if !standing.is_to_be_decided() {
            continue;
        }
        let voices: Vec<(&str, &CaseAnnotation)> = state.on_case(case).collect();
        let outdated = match standing {
            Standing::Decided { decision, .. } => Some(decision),
            _ => None,
        };
        let distance = mean_distance(&voices);
        found.push(Disagreement { case, voices, outdated, distance });
    }
    found.sort_by(|one, other| other.distance.total_cmp(&one.distance).then(one.case.cmp(other.case)));
    found
}

fn mean_distance(voices: &[(&str, &CaseAnnotation)]) -> f64 {
    let given: Vec<&BTreeSet<String>> =
        voices.iter().map(|(_, annotation)| &annotation.categories).filter(|set| !set.is_empty()).collect();
    let ids: BTreeSet<&String> = given.iter().flat_map(|set| set.iter()).collect();
    let ids: Vec<&String> = ids.into_iter().collect();
    let positions = |set: &BTreeSet<String>| -> Vec<usize> {
        ids.iter().enumerate().filter(|(_, id)| set.contains(**id)).map(|(position, _)| position).collect()
    };
    let sets: Vec<Vec<usize>> = given.into_iter().map(positions).collect();
    let (mut pairs, mut sum) = (0, 0.0);
    for (place, one) in sets.iter().enumerate() {
        for other in &sets[..place] {
            sum += masi_distance(one, other);
            pairs += 1;
        }
    }
    if pairs == 0 { 0.0 } else { sum / f64::from(pairs) }
}
