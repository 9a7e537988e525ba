//! One annotator's annotation of one case, and an adjudicator's decision.

use super::category_id::{CategoryId, GivenDefinitions};
use super::event::{Event, EventKind};
use super::taxonomy::Taxonomy;
use compact_str::CompactString;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// One annotator's annotation of one case in one pass, after all events that count.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseAnnotation {
    /// Ids of categories of the taxonomy, given to the case.
    pub categories: BTreeSet<CategoryId>,
    /// By document id: the categories given to that document. No set is empty.
    pub hits: BTreeMap<String, BTreeSet<CategoryId>>,
    pub note: Option<String>,
    pub skipped: bool,
    pub unsure: bool,
    pub flagged: bool,
    /// The latest categories or skip were given before the annotator saw the gold answer or any earlier annotation.
    pub blind: bool,
    /// Time spent on the case, summed over the events that record it.
    pub seconds: Option<f64>,
    /// Number of the pass, from 1.
    pub pass: u32,
    /// Per category of the case: fingerprint of the definition it was given under, if known.
    pub definitions: Arc<GivenDefinitions>,
    /// Like `definitions`, for the categories of documents, by document id.
    pub hit_definitions: BTreeMap<String, Arc<GivenDefinitions>>,
    /// The event that gave the case its categories, or took them away.
    pub given_by: Option<Uuid>,
    /// Time of the latest event that counts.
    pub ts: OffsetDateTime,
    /// Fingerprint of the run on the screen at the latest categories or skip of the case, else of a document.
    pub run_fingerprint: Option<CompactString>,
    /// Fingerprint of the documents and answers on the screen then.
    pub answers_fingerprint: Option<CompactString>,
    /// The events that count, in order.
    pub event_ids: Vec<Uuid>,
}

/// An adjudicator's decision of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub adjudicator: String,
    /// Empty if no category of the taxonomy applies.
    pub categories: BTreeSet<CategoryId>,
    /// See [`CaseAnnotation::definitions`].
    pub definitions: Arc<GivenDefinitions>,
    /// The reason in words; may be empty.
    pub reason: String,
    /// Events of the annotations that the adjudicator saw.
    pub seen: Vec<Uuid>,
    pub ts: OffsetDateTime,
    pub event_id: Uuid,
}

impl Default for CaseAnnotation {
    /// An empty annotation.
    fn default() -> Self {
        Self {
            categories: BTreeSet::new(),
            hits: BTreeMap::new(),
            note: None,
            skipped: false,
            unsure: false,
            flagged: false,
            blind: false,
            seconds: None,
            pass: 1,
            definitions: Arc::default(),
            hit_definitions: BTreeMap::new(),
            given_by: None,
            ts: OffsetDateTime::UNIX_EPOCH,
            run_fingerprint: None,
            answers_fingerprint: None,
            event_ids: Vec::new(),
        }
    }
}

impl CaseAnnotation {
    /// Whether the annotator is done with the case: it has a category, or was skipped on purpose. This is what "labelled"
    /// and "left" mean everywhere. A note, a flag or the label of a document says nothing about the case itself.
    pub fn is_labelled(&self) -> bool {
        self.skipped || !self.categories.is_empty()
    }

    /// Whether it is empty, perhaps after something was taken back.
    pub fn is_empty(&self) -> bool {
        !self.is_labelled() && self.hits.is_empty() && !self.unsure && !self.flagged && self.note.is_none()
    }

    /// The annotation in words, such as "look-alike, other; d7 look-alike; unsure; note: the margin is copied".
    pub fn in_words(&self) -> String {
        let mut parts = Vec::new();
        if !self.categories.is_empty() {
            parts.push(listed(&self.categories));
        }
        for (document, categories) in &self.hits {
            parts.push(format!("{document} {}", listed(categories)));
        }
        parts.extend(remarks(self.skipped, self.unsure, self.flagged).map(str::to_owned));
        parts.extend(self.note.iter().map(|note| format!("note: {note}")));
        if parts.is_empty() { "nothing said".to_owned() } else { parts.join("; ") }
    }

    /// The categories whose definition has changed since, or that the taxonomy no longer has. A category without a
    /// recorded definition (version 1 of the journal) is not among them.
    pub fn earlier_definitions(&self, taxonomy: &Taxonomy) -> Vec<&str> {
        let changed: BTreeSet<&str> = self.all_definitions().flat_map(|given| taxonomy.changed_since(given)).collect();
        changed.into_iter().collect()
    }

    /// The definitions of the case's categories, then of each document's.
    pub(super) fn all_definitions(&self) -> impl Iterator<Item = &GivenDefinitions> {
        std::iter::once(&self.definitions).chain(self.hit_definitions.values()).map(Arc::as_ref)
    }
}

/// The words for those of the three flags that are true.
pub fn remarks(skipped: bool, unsure: bool, flagged: bool) -> impl Iterator<Item = &'static str> {
    let all = [(skipped, "skipped"), (unsure, "unsure"), (flagged, "flagged")];
    all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word)
}

/// A list such as "look-alike, other".
fn listed(categories: &BTreeSet<CategoryId>) -> String {
    categories.iter().map(CategoryId::as_str).collect::<Vec<_>>().join(", ")
}

impl Decision {
    /// The decision in words, such as "eve decided look-alike: the margin is copied".
    pub fn in_words(&self) -> String {
        let categories = if self.categories.is_empty() { "no category".to_owned() } else { listed(&self.categories) };
        let reason = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        format!("{} decided {categories}{reason}", self.adjudicator)
    }

    /// The decision that this event records, if any.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let EventKind::Decide { categories, reason, seen } = &event.kind else { return None };
        Some(Self {
            adjudicator: event.annotator.to_string(),
            categories: categories.as_ref().clone(),
            definitions: event.context.definitions.clone(),
            reason: reason.clone(),
            seen: seen.clone(),
            ts: event.ts,
            event_id: event.id,
        })
    }
}
