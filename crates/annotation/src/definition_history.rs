//! The taxonomy's definitions, current and earlier, and which of them an annotation was made under.

use super::category_id::GivenDefinitions;
use super::event::EventKind;
use super::{CaseAnnotation, EarlierDefinition, Taxonomy, TaxonomyVersions};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The taxonomy with the earlier wordings of its categories.
#[derive(Clone, Debug)]
pub struct DefinitionHistory {
    taxonomy: Taxonomy,
    versions: TaxonomyVersions,
    /// Definition fingerprints of all categories now: every annotation is compared with them, and hashing is not free.
    current: GivenDefinitions,
}

impl DefinitionHistory {
    pub fn new(taxonomy: Taxonomy, versions: TaxonomyVersions) -> Self {
        let current = taxonomy.definitions_of(taxonomy.categories.iter().map(|category| &category.id));
        Self { taxonomy, versions, current }
    }

    /// The current taxonomy.
    pub fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// Whether any category of this annotation, including those of documents, has been reworded or removed since.
    pub fn is_outdated(&self, annotation: &CaseAnnotation) -> bool {
        annotation.all_definitions().any(|given| !self.is_current(given))
    }

    /// The categories of this annotation, including those of documents, that have been reworded or removed since;
    /// each once.
    pub fn earlier_definitions(&self, annotation: &CaseAnnotation) -> Vec<EarlierDefinition> {
        let mut earlier: Vec<EarlierDefinition> = Vec::new();
        for given in annotation.all_definitions().filter(|given| !self.is_current(given)) {
            for found in self.versions.earlier(given, &self.taxonomy) {
                if !earlier.contains(&found) {
                    earlier.push(found);
                }
            }
        }
        earlier
    }

    fn is_current(&self, given: &GivenDefinitions) -> bool {
        given.iter().all(|(id, then)| self.current.get(id) == Some(then))
    }

    /// The definitions that an event records for its categories. They are the current ones, except for a category that
    /// stays while others change: it keeps the definition that it was given under.
    pub(super) fn definitions_for(&self, kind: &EventKind, before: Option<&CaseAnnotation>) -> GivenDefinitions {
        let Some(categories) = kind.categories() else { return GivenDefinitions::new() };
        let mut definitions = self.taxonomy.definitions_of(categories);
        let Some(before) = before else { return definitions };
        let nothing = BTreeSet::new();
        let no_definitions = Arc::default();
        let (given, given_under) = match kind {
            EventKind::Annotate { .. } => (&before.categories, &before.definitions),
            EventKind::Hit { document, .. } => (
                before.hits.get(document).unwrap_or(&nothing),
                before.hit_definitions.get(document).unwrap_or(&no_definitions),
            ),
            _ => return definitions,
        };
        // Giving the same categories again confirms them under the current definitions.
        if given != categories {
            for id in given.intersection(categories) {
                match given_under.get(id) {
                    Some(then) => definitions.insert(id.clone(), then.clone()),
                    None => definitions.remove(id),
                };
            }
        }
        definitions
    }
}
