//! The state of all annotations: a fold over the events.

use super::event::{Event, EventKind};
use std::collections::{BTreeMap, HashMap, HashSet};
use time::OffsetDateTime;
use uuid::Uuid;

/// What one annotator says about one case now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseAnnotation {
    /// Id of a category of the taxonomy.
    pub category: Option<String>,
    pub note: Option<String>,
    pub skipped: bool,
    /// When the last event that counts was made.
    pub ts: OffsetDateTime,
    /// Of the run on the screen at the last category or skip.
    pub run_fingerprint: Option<String>,
    /// The events that count, in order.
    pub event_ids: Vec<Uuid>,
}

/// All annotators' annotations. Any order and any repetition of the same events gives the same state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnotationState {
    seen: HashSet<Uuid>,
    /// (annotator, event undone): only one's own events are undone.
    undone: HashSet<(String, Uuid)>,
    /// By annotator, then case: the events other than undos, in the order of replay, undone ones included.
    events: BTreeMap<String, BTreeMap<String, Vec<Event>>>,
    /// The same keys, without cases whose every event is undone.
    current: BTreeMap<String, BTreeMap<String, CaseAnnotation>>,
    /// Where an event is, so that an undo finds the case it changes even if it names another.
    case_of: HashMap<Uuid, String>,
}

impl AnnotationState {
    /// The state after all these events.
    pub fn fold(events: &[Event]) -> Self {
        let mut state = Self::default();
        for event in events {
            state.apply(event);
        }
        state
    }

    /// Takes in one more event; one seen before changes nothing.
    pub fn apply(&mut self, event: &Event) {
        if !self.seen.insert(event.id) {
            return;
        }
        if let EventKind::Undo { undoes } = event.kind {
            self.undone.insert((event.annotator.clone(), undoes));
            if let Some(case) = self.case_of.get(&undoes).cloned() {
                self.replay(&event.annotator, &case);
            }
            return;
        }
        self.case_of.insert(event.id, event.case.clone());
        let of_case = self.events.entry(event.annotator.clone()).or_default().entry(event.case.clone()).or_default();
        let position = of_case.partition_point(|earlier| earlier.order() < event.order());
        of_case.insert(position, event.clone());
        self.replay(&event.annotator, &event.case);
    }

    /// What `annotator` says about `case`; `None` if nothing, or nothing any more.
    pub fn of(&self, annotator: &str, case: &str) -> Option<&CaseAnnotation> {
        self.current.get(annotator)?.get(case)
    }

    /// Every annotation as (annotator, case, annotation), ordered by annotator and case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &CaseAnnotation)> {
        self.current.iter().flat_map(|(annotator, cases)| {
            cases.iter().map(|(case, annotation)| (annotator.as_str(), case.as_str(), annotation))
        })
    }

    /// Computes the annotation of one case anew from its events.
    fn replay(&mut self, annotator: &str, case: &str) {
        let Some(events) = self.events.get(annotator).and_then(|cases| cases.get(case)) else { return };
        let mut annotation: Option<CaseAnnotation> = None;
        for event in events {
            if self.undone.contains(&(annotator.to_owned(), event.id)) {
                continue;
            }
            let now = annotation.get_or_insert_with(|| CaseAnnotation {
                category: None,
                note: None,
                skipped: false,
                ts: event.ts,
                run_fingerprint: None,
                event_ids: Vec::new(),
            });
            now.take_in(event);
        }
        let cases = self.current.entry(annotator.to_owned()).or_default();
        match annotation {
            Some(annotation) => cases.insert(case.to_owned(), annotation),
            None => cases.remove(case),
        };
        if cases.is_empty() {
            self.current.remove(annotator);
        }
    }
}

impl CaseAnnotation {
    fn take_in(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Annotate { category } => {
                self.category = Some(category.clone());
                self.skipped = false;
                self.run_fingerprint.clone_from(&event.run_fingerprint);
            }
            EventKind::Skip => {
                self.category = None;
                self.skipped = true;
                self.run_fingerprint.clone_from(&event.run_fingerprint);
            }
            EventKind::Note { note } => self.note = Some(note.clone()).filter(|note| !note.is_empty()),
            EventKind::Undo { .. } => return,
        }
        self.ts = event.ts;
        self.event_ids.push(event.id);
    }
}
