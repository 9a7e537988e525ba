//! The annotations that the explorer shows, by the position of their case in the dataset: the annotator's own, and what
//! everybody says.

use super::app::App;
use crate::annotation::{AnnotationSession, CaseAnnotation, CaseReview, Category, CategoryId, Event};
use crate::data::Dataset;
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The annotator's own annotations of the dataset's cases.
pub fn own_annotations(session: &AnnotationSession, dataset: &Dataset) -> FxHashMap<usize, Arc<CaseAnnotation>> {
    let cases = dataset.cases.iter().enumerate();
    cases.filter_map(|(position, case)| Some((position, Arc::clone(session.own_annotation(&case.id)?)))).collect()
}

/// What everybody says about the dataset's cases, without cases that nobody has annotated or decided.
pub fn case_reviews(session: &AnnotationSession, dataset: &Dataset) -> FxHashMap<usize, CaseReview> {
    let reviews = dataset.cases.iter().map(|case| session.review(&case.id)).enumerate();
    reviews.filter(|(_, review)| !review.is_empty()).collect()
}

/// Positions of the cases that these events are about.
pub(in crate::tui) fn cases_of(events: &[Arc<Event>], dataset: &Dataset) -> BTreeSet<usize> {
    let ids: HashSet<&str> = events.iter().map(|event| event.case.as_str()).collect();
    let cases = dataset.cases.iter().enumerate();
    cases.filter(|(_, case)| ids.contains(case.id.as_str())).map(|(position, _)| position).collect()
}

impl App {
    /// Takes over what the session holds on this case.
    pub(in crate::tui) fn refresh_annotations(&mut self, case: usize, session: &AnnotationSession) {
        let Some(id) = self.dataset.cases.get(case).map(|case| case.id.as_str()) else { return };
        match session.own_annotation(id) {
            Some(annotation) => drop(self.marks.insert(case, Arc::clone(annotation))),
            None => drop(self.marks.remove(&case)),
        }
        let review = session.review(id);
        if review.is_empty() {
            self.people.remove(&case);
        } else {
            self.people.insert(case, review);
        }
    }

    /// Those of these categories that the taxonomy has, in its order.
    pub fn known_categories<'a>(&'a self, ids: &'a BTreeSet<CategoryId>) -> impl Iterator<Item = &'a Category> {
        self.categories.iter().filter(|category| ids.contains(&category.id))
    }

    /// "Misleading look-alike, Other", or "no category".
    pub fn category_names(&self, ids: &BTreeSet<CategoryId>) -> String {
        let names: Vec<&str> = self.known_categories(ids).map(|category| category.name.as_str()).collect();
        if names.is_empty() { "no category".to_owned() } else { names.join(", ") }
    }
}
