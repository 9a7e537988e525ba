//! What one annotator says about one case, and what an adjudicator decided.

use super::event::{Event, EventKind};
use super::taxonomy::Taxonomy;
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;
use uuid::Uuid;

/// What one annotator says about one case now, in one pass.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseAnnotation {
    /// Ids of categories of the taxonomy, given to the case.
    pub categories: BTreeSet<String>,
    /// By document id: the categories given to that document. No set is empty.
    pub hits: BTreeMap<String, BTreeSet<String>>,
    pub note: Option<String>,
    pub skipped: bool,
    pub unsure: bool,
    pub flagged: bool,
    /// The last categories or skip were given without sight of the gold answer and of what anybody had said before.
    pub blind: bool,
    /// Time spent on the case, of the events that say so.
    pub seconds: Option<f64>,
    /// From 1.
    pub pass: u32,
    /// Of each category given to the case or a document: fingerprint of its definition at that time, where it is known.
    pub definitions: BTreeMap<String, String>,
    /// When the last event that counts was made.
    pub ts: OffsetDateTime,
    /// Of the run on the screen at the last categories or skip.
    pub run_fingerprint: Option<String>,
    /// Of the documents and answers on the screen then.
    pub answers_fingerprint: Option<String>,
    /// The events that count, in order.
    pub event_ids: Vec<Uuid>,
}

/// An adjudicator's word on a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub adjudicator: String,
    /// Empty where none of the taxonomy's categories applies.
    pub categories: BTreeSet<String>,
    /// As in [`CaseAnnotation::definitions`].
    pub definitions: BTreeMap<String, String>,
    /// Why, in words; may be empty.
    pub reason: String,
    /// The latest event of each annotation that the adjudicator saw.
    pub seen: Vec<Uuid>,
    pub ts: OffsetDateTime,
    pub event_id: Uuid,
}

impl Default for CaseAnnotation {
    /// Nothing said yet.
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
            definitions: BTreeMap::new(),
            ts: OffsetDateTime::UNIX_EPOCH,
            run_fingerprint: None,
            answers_fingerprint: None,
            event_ids: Vec::new(),
        }
    }
}

impl CaseAnnotation {
    /// Has the annotator given a category, to the case or a document, or skipped the case on purpose?
    pub fn is_decided(&self) -> bool {
        self.skipped || !self.categories.is_empty() || !self.hits.is_empty()
    }

    /// The categories whose definition has changed since, or that the taxonomy no longer has. One whose definition was
    /// not recorded (version 1 of the journal) is not among them.
    pub fn earlier_definitions(&self, taxonomy: &Taxonomy) -> Vec<&str> {
        taxonomy.changed_since(&self.definitions)
    }

    /// Takes in the next event that counts, in the order of replay.
    pub(super) fn take_in(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Annotate { categories } => {
                self.categories.clone_from(categories);
                self.skipped &= categories.is_empty();
                self.was_made_as(event);
            }
            EventKind::Hit { document, categories } => {
                if categories.is_empty() {
                    self.hits.remove(document);
                } else {
                    self.hits.insert(document.clone(), categories.clone());
                    self.skipped = false;
                }
                self.was_made_as(event);
            }
            EventKind::Skip => {
                self.categories.clear();
                self.hits.clear();
                self.skipped = true;
                self.was_made_as(event);
            }
            EventKind::Note { note } => self.note = Some(note.clone()).filter(|note| !note.is_empty()),
            EventKind::Unsure { unsure } => self.unsure = *unsure,
            EventKind::Flag { flag } => self.flagged = *flag,
            EventKind::Decide { .. } | EventKind::Undo { .. } | EventKind::Redo { .. } => return,
        }
        if let Some(seconds) = event.circumstances.seconds {
            self.seconds = Some(self.seconds.unwrap_or(0.0) + seconds);
        }
        self.ts = event.ts;
        self.event_ids.push(event.id);
    }

    /// Keeps what the event says of its categories and of what was on the screen.
    fn was_made_as(&mut self, event: &Event) {
        let made = &event.circumstances;
        self.blind = made.blind;
        self.run_fingerprint.clone_from(&made.run_fingerprint);
        self.answers_fingerprint.clone_from(&made.answers_fingerprint);
        for category in event.kind.categories().into_iter().flatten() {
            match made.definitions.get(category) {
                Some(definition) => self.definitions.insert(category.clone(), definition.clone()),
                None => self.definitions.remove(category),
            };
        }
        let (categories, hits) = (&self.categories, &self.hits);
        let is_given = |id: &String| categories.contains(id) || hits.values().any(|given| given.contains(id));
        self.definitions.retain(|id, _| is_given(id));
    }
}

impl Decision {
    /// The decision that this event is, if it is one.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let EventKind::Decide { categories, reason, seen } = &event.kind else { return None };
        Some(Self {
            adjudicator: event.annotator.clone(),
            categories: categories.clone(),
            definitions: event.circumstances.definitions.clone(),
            reason: reason.clone(),
            seen: seen.clone(),
            ts: event.ts,
            event_id: event.id,
        })
    }
}
