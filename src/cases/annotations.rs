//! The annotations, by the position of their case in the dataset: the annotator's own, and the reviews
//! of all annotators.

use crate::annotation::{AnnotationSession, AnnotationState, CaseAnnotation, CaseReview, Event};
use crate::data::Dataset;
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The annotator's own annotations of the dataset's cases.
pub fn own_annotations(session: &AnnotationSession, dataset: &Dataset) -> FxHashMap<usize, Arc<CaseAnnotation>> {
    let cases = dataset.cases.iter().enumerate();
    cases.filter_map(|(position, case)| Some((position, Arc::clone(session.own_annotation(&case.id)?)))).collect()
}

/// The reviews of the dataset's cases, without cases that nobody has annotated or decided.
pub fn case_reviews(state: &AnnotationState, dataset: &Dataset) -> FxHashMap<usize, CaseReview> {
    let reviews = dataset.cases.iter().map(|case| state.review(&case.id)).enumerate();
    reviews.filter(|(_, review)| !review.is_empty()).collect()
}

/// The latest annotations by this annotator among what everybody says.
pub fn annotations_by<'a>(
    annotator: &str,
    reviews: impl IntoIterator<Item = (&'a usize, &'a CaseReview)>,
) -> FxHashMap<usize, Arc<CaseAnnotation>> {
    let mut annotations = FxHashMap::default();
    for (case, review) in reviews {
        let own = review.annotations.iter().find(|authored| authored.annotator == annotator);
        annotations.extend(own.map(|own| (*case, Arc::clone(&own.annotation))));
    }
    annotations
}

/// Positions of the cases that these events are about.
pub fn cases_of(events: &[Arc<Event>], dataset: &Dataset) -> BTreeSet<usize> {
    let ids: HashSet<&str> = events.iter().map(|event| event.case.as_str()).collect();
    let cases = dataset.cases.iter().enumerate();
    cases.filter(|(_, case)| ids.contains(case.id.as_str())).map(|(position, _)| position).collect()
}
