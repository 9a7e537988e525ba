//! From the events of one pass to the annotation: what they say is borrowed until the last one is known.

use super::case_annotation::CaseAnnotation;
use super::event::{Circumstances, Event, EventKind};
use compact_str::CompactString;
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;
use uuid::Uuid;

/// What the events so far add up to.
#[derive(Default)]
pub(super) struct Replay<'a> {
    pass: u32,
    categories: Option<&'a BTreeSet<String>>,
    hits: BTreeMap<&'a str, &'a BTreeSet<String>>,
    note: Option<&'a str>,
    skipped: bool,
    unsure: bool,
    flagged: bool,
    seconds: Option<f64>,
    /// Of each category that was ever given: the definition at the last time it was.
    definitions: BTreeMap<&'a str, Option<&'a str>>,
    /// Of the last categories or skip.
    made: Option<&'a Circumstances>,
    ts: Option<OffsetDateTime>,
    event_ids: Vec<Uuid>,
}

impl<'a> Replay<'a> {
    pub fn of_pass(pass: u32) -> Self {
        Self { pass, ..Self::default() }
    }

    /// Takes in the next event that counts, in the order of replay.
    pub fn take_in(&mut self, event: &'a Event) {
        match &event.kind {
            EventKind::Annotate { categories } => {
                self.categories = Some(categories);
                self.skipped &= categories.is_empty();
                self.give(categories, event);
            }
            EventKind::Hit { document, categories } => {
                if categories.is_empty() {
                    self.hits.remove(document.as_str());
                } else {
                    self.hits.insert(document, categories);
                    self.skipped = false;
                }
                self.give(categories, event);
            }
            EventKind::Skip => {
                self.categories = None;
                self.hits.clear();
                self.skipped = true;
                self.made = Some(&event.circumstances);
            }
            EventKind::Note { note } => self.note = Some(note.as_str()).filter(|note| !note.is_empty()),
            EventKind::Unsure { unsure } => self.unsure = *unsure,
            EventKind::Flag { flag } => self.flagged = *flag,
            EventKind::Decide { .. } | EventKind::Undo { .. } | EventKind::Redo { .. } => return,
        }
        if let Some(seconds) = event.circumstances.seconds {
            self.seconds = Some(self.seconds.unwrap_or(0.0) + seconds);
        }
        self.ts = Some(event.ts);
        self.event_ids.push(event.id);
    }

    fn give(&mut self, categories: &'a BTreeSet<String>, event: &'a Event) {
        self.made = Some(&event.circumstances);
        for category in categories {
            let definition = event.circumstances.definitions.get(category.as_str()).map(CompactString::as_str);
            self.definitions.insert(category, definition);
        }
    }

    /// The annotation after the last event.
    pub fn finish(self) -> CaseAnnotation {
        let given = self.categories.into_iter().chain(self.hits.values().copied()).flatten();
        let given: BTreeSet<&str> = given.map(String::as_str).collect();
        let definitions = given.iter().filter_map(|id| {
            let definition = self.definitions.get(id).copied().flatten()?;
            Some(((*id).into(), definition.into()))
        });
        let made = self.made;
        CaseAnnotation {
            definitions: definitions.collect(),
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
