//! Computes the annotation from the events of one pass. Fields of events are borrowed until the last event is known.

use super::case_annotation::CaseAnnotation;
use super::category_id::{CategoryId, GivenDefinitions};
use super::event::{Event, EventContext, EventKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// The result of the events so far.
#[derive(Default)]
pub(super) struct Replay<'a> {
    pass: u32,
    categories: Option<&'a BTreeSet<CategoryId>>,
    hits: BTreeMap<&'a str, &'a BTreeSet<CategoryId>>,
    note: Option<&'a str>,
    skipped: bool,
    unsure: bool,
    flagged: bool,
    seconds: Option<f64>,
    /// The definitions that the case's categories were given under, if known.
    definitions: Option<&'a Arc<GivenDefinitions>>,
    /// Like `definitions`, for each document's categories.
    hit_definitions: BTreeMap<&'a str, &'a Arc<GivenDefinitions>>,
    given_by: Option<Uuid>,
    /// Context of the latest categories or skip of the case.
    made: Option<&'a EventContext>,
    /// Context of the latest categories of a document.
    made_of_hit: Option<&'a EventContext>,
    ts: Option<OffsetDateTime>,
    event_ids: Vec<Uuid>,
}

impl<'a> Replay<'a> {
    pub fn of_pass(pass: u32) -> Self {
        Self { pass, ..Self::default() }
    }

    /// Adds the next event that counts, in the order of replay.
    pub fn take_in(&mut self, event: &'a Event) {
        match &event.kind {
            EventKind::Annotate { categories } => {
                self.categories = Some(categories);
                self.skipped &= categories.is_empty();
                self.definitions = Some(&event.context.definitions);
                self.given_by = Some(event.id);
                self.made = Some(&event.context);
            }
            EventKind::Hit { document, categories } => {
                if categories.is_empty() {
                    self.hits.remove(document.as_str());
                    self.hit_definitions.remove(document.as_str());
                } else {
                    self.hits.insert(document, categories);
                    self.hit_definitions.insert(document, &event.context.definitions);
                    self.skipped = false;
                }
                self.made_of_hit = Some(&event.context);
            }
            EventKind::Skip => {
                self.categories = None;
                self.definitions = None;
                self.given_by = Some(event.id);
                self.hits.clear();
                self.hit_definitions.clear();
                self.skipped = true;
                self.made = Some(&event.context);
            }
            EventKind::Note { note } => self.note = Some(note.as_str()).filter(|note| !note.is_empty()),
            EventKind::Unsure { unsure } => self.unsure = *unsure,
            EventKind::Flag { flag } => self.flagged = *flag,
            EventKind::Decide { .. } | EventKind::Undo { .. } | EventKind::Redo { .. } => return,
        }
        if let Some(seconds) = event.context.seconds {
            self.seconds = Some(self.seconds.unwrap_or(0.0) + seconds);
        }
        self.ts = Some(event.ts);
        self.event_ids.push(event.id);
    }

    /// The annotation after the last event.
    pub fn finish(self) -> CaseAnnotation {
        let made = self.made.or(self.made_of_hit);
        let hit_definitions = self.hit_definitions.into_iter().filter(|(_, given)| !given.is_empty());
        CaseAnnotation {
            definitions: self.definitions.cloned().unwrap_or_default(),
            hit_definitions: hit_definitions
                .map(|(document, given)| (document.to_owned(), Arc::clone(given)))
                .collect(),
            given_by: self.given_by,
            categories: self.categories.cloned().unwrap_or_default(),
            hits: self.hits.into_iter().map(|(document, given)| (document.to_owned(), given.clone())).collect(),
            note: self.note.map(str::to_owned),
            skipped: self.skipped,
            unsure: self.unsure,
            flagged: self.flagged,
            blind: made.is_some_and(|made| made.blind),
            seconds: self.seconds,
            pass: self.pass,
            ts: self.ts.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            run_fingerprint: made.and_then(|made| made.run_fingerprint.clone()),
            answers_fingerprint: made.and_then(|made| made.answers_fingerprint.clone()),
            event_ids: self.event_ids,
        }
    }
}
