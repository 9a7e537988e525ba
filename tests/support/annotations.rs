//! Annotations and reviews as journals lead to them, by the places of categories in the default taxonomy.
#![allow(dead_code, reason = "each binary uses a part")]

use dissent::annotation::{
    AnnotationEdit, AuthoredAnnotation, CaseAnnotation, CaseReview, CategoryId, Decision, DefinitionHistory,
    GivenDefinitions, Taxonomy, TaxonomyVersions,
};
use dissent::tui::update::edit_result::EditOutcome;
use std::collections::BTreeSet;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

pub fn case_id(case: usize) -> String {
    format!("us-test-{:04}", case + 1)
}

pub fn category_id(place: usize) -> CategoryId {
    Taxonomy::default().categories[place].id.clone()
}

pub fn category_ids(places: &[usize]) -> BTreeSet<CategoryId> {
    places.iter().map(|place| category_id(*place)).collect()
}

/// A case with these categories.
pub fn annotation(places: &[usize]) -> CaseAnnotation {
    CaseAnnotation { categories: category_ids(places), ..CaseAnnotation::default() }
}

pub fn toggle(case: usize, place: usize) -> AnnotationEdit {
    AnnotationEdit::ToggleCategory { case: case_id(case), category: category_id(place) }
}

/// The journal's result for an edit.
#[allow(clippy::unnecessary_wraps, reason = "what the journal answers")]
pub fn written(case: usize, annotation: CaseAnnotation) -> Result<EditOutcome, String> {
    Ok(EditOutcome::Changed { case, annotation: Some(Arc::new(annotation)) })
}

pub fn review<const N: usize>(annotations: [(&str, CaseAnnotation); N], decision: Option<Decision>) -> CaseReview {
    let authored = |(annotator, annotation): (&str, CaseAnnotation)| AuthoredAnnotation {
        annotator: annotator.into(),
        annotation: Arc::new(annotation),
    };
    CaseReview {
        case: "of a test".into(),
        annotations: annotations.map(authored).into(),
        decision: decision.map(Arc::new),
    }
}

/// Eve's decision at the beginning of time: annotations of a later time outdate it.
pub fn decision(categories: BTreeSet<CategoryId>, reason: &str) -> Decision {
    Decision {
        adjudicator: "eve".into(),
        categories,
        definitions: Arc::default(),
        reason: reason.into(),
        seen: Vec::new(),
        ts: OffsetDateTime::UNIX_EPOCH,
        event_id: Uuid::nil(),
    }
}

/// A history in which this category had another definition before somebody edited the taxonomy, and the definition of
/// then, as annotations record it.
pub fn reworded(id: &CategoryId, definition: &str) -> (Arc<DefinitionHistory>, Arc<GivenDefinitions>) {
    let now = Taxonomy::default();
    let mut before = now.clone();
    let category = before.categories.iter_mut().find(|category| category.id == *id).unwrap();
    category.definition = definition.into();
    let given = before.definitions_of([id]);
    let mut versions = TaxonomyVersions::default();
    versions.add(before);
    (Arc::new(DefinitionHistory::new(now, versions)), Arc::new(given))
}
