//! The state of all annotations: a fold over the events.

use super::case_annotation::{CaseAnnotation, Decision};
use super::case_review::{AuthoredAnnotation, CaseReview};
use super::event::{Event, EventKind};
use super::folder::read_folder;
use super::replay::Replay;
use anyhow::Result;
use dissent_core::data::Problem;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// All annotators' annotations and the adjudicators' decisions. The same events give the same state in any order and
/// any repetition, because an annotator's annotation of a case depends only on the set of their events on that case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnnotationState {
    /// Records by annotator, then case.
    records: BTreeMap<String, BTreeMap<String, Record>>,
}

/// One annotator's events on one case and their result.
#[derive(Clone, Debug, Default, PartialEq)]
struct Record {
    /// In the order of replay, without repetitions. Undone events, undos and redos are included.
    events: Vec<Arc<Event>>,
    /// By pass; only passes with an event that counts.
    passes: BTreeMap<u32, Arc<CaseAnnotation>>,
    decision: Option<Arc<Decision>>,
}

impl AnnotationState {
    /// The state after all these events.
    pub fn fold(events: impl IntoIterator<Item = impl Into<Arc<Event>>>) -> Self {
        let records = by_annotator_and_case(events.into_iter().map(Into::into).collect())
            .into_par_iter()
            .map(|events| {
                let mut record = Record { events, ..Record::default() };
                record.sort();
                record.replay();
                record
            })
            .collect::<Vec<Record>>();
        let mut state = Self::default();
        for record in records {
            // A group has at least one event, which names annotator and case.
            let Some(first) = record.events.first() else { continue };
            let (annotator, case) = (first.annotator.to_string(), first.case.to_string());
            state.records.entry(annotator).or_default().insert(case, record);
        }
        state
    }

    /// The state after the events of all journals in this folder, and the lines that could not be read.
    ///
    /// # Errors
    /// Fails if the folder or a file in it cannot be read.
    pub fn read(folder: &Path) -> Result<(Self, Vec<Problem>)> {
        let (events, problems) = read_folder(folder)?;
        Ok((Self::fold(events), problems))
    }

    /// Adds one more event; returns false if it is known already, which changes nothing.
    pub fn apply(&mut self, event: &Event) -> bool {
        let record = self.record_of(event);
        if record.events.iter().any(|known| **known == *event) {
            return false;
        }
        record.events.push(Arc::new(event.clone()));
        record.sort();
        record.replay();
        true
    }

    /// The annotation of `case` by `annotator`; `None` if there is none that counts. Of several passes, it is the
    /// last in which they decided anything.
    pub fn of(&self, annotator: &str, case: &str) -> Option<&CaseAnnotation> {
        self.records.get(annotator)?.get(case)?.latest().map(Arc::as_ref)
    }

    /// The annotation of `case` by `annotator` in this pass.
    pub fn of_pass(&self, annotator: &str, case: &str, pass: u32) -> Option<&Arc<CaseAnnotation>> {
        self.records.get(annotator)?.get(case)?.passes.get(&pass)
    }

    /// Every annotator's latest annotations as (annotator, case, annotation), ordered by annotator and case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &CaseAnnotation)> {
        self.all_records().filter_map(|(annotator, case, record)| Some((annotator, case, record.latest()?.as_ref())))
    }

    /// Every pass of every annotator, ordered by annotator, case and pass.
    pub fn passes(&self) -> impl Iterator<Item = (&str, &str, &CaseAnnotation)> {
        self.all_records().flat_map(|(annotator, case, record)| {
            record.passes.values().map(move |pass| (annotator, case, pass.as_ref()))
        })
    }

    /// All annotations of one case.
    pub fn review(&self, case: &str) -> CaseReview {
        let mut annotations = Vec::new();
        for (annotator, cases) in &self.records {
            if let Some(annotation) = cases.get(case).and_then(Record::latest) {
                let (annotator, annotation) = (annotator.as_str().into(), Arc::clone(annotation));
                annotations.push(AuthoredAnnotation { annotator, annotation });
            }
        }
        CaseReview { case: case.into(), annotations, decision: self.decision(case).cloned() }
    }

    /// The review of every case that somebody annotated or decided, ordered by case id.
    pub fn reviews(&self) -> Vec<CaseReview> {
        self.cases().into_iter().map(|case| self.review(case)).collect()
    }

    /// The decision on a case that counts: of several adjudicators' the latest.
    pub fn decision(&self, case: &str) -> Option<&Arc<Decision>> {
        let decisions = self.records.values().filter_map(|cases| cases.get(case)?.decision.as_ref());
        decisions.max_by_key(|decision| (decision.ts, decision.event_id))
    }

    /// Whether the annotator recorded any event on the case in this pass that was not blind, even if it was undone
    /// since. Version 1 of the journal does not record this.
    pub(crate) fn was_unblinded(&self, annotator: &str, case: &str, pass: u32) -> bool {
        let record = self.records.get(annotator).and_then(|cases| cases.get(case));
        record.is_some_and(|record| {
            record.events.iter().any(|event| match event.kind {
                EventKind::Undo { .. } | EventKind::Redo { .. } => false,
                EventKind::Decide { .. } => true,
                _ => event.v > 1 && event.context.pass == pass && !event.context.blind,
            })
        })
    }

    /// Every event of this annotator in the order of replay.
    pub(super) fn events_of(&self, annotator: &str) -> Vec<Arc<Event>> {
        let records = self.records.get(annotator).into_iter().flat_map(BTreeMap::values);
        let mut events: Vec<Arc<Event>> = records.flat_map(|record| record.events.iter().cloned()).collect();
        events.sort_by_key(|event| event.order());
        events
    }

    /// Everybody who has an event, even if it was undone.
    pub fn annotators(&self) -> impl Iterator<Item = &str> {
        self.records.keys().map(String::as_str)
    }

    /// Every case that somebody annotated or decided, in order, each once.
    pub fn cases(&self) -> Vec<&str> {
        let mut cases: Vec<&str> = self
            .all_records()
            .filter(|(_, _, record)| !record.passes.is_empty() || record.decision.is_some())
            .map(|(_, case, _)| case)
            .collect();
        cases.sort_unstable();
        cases.dedup();
        cases
    }

    fn all_records(&self) -> impl Iterator<Item = (&str, &str, &Record)> {
        self.records.iter().flat_map(|(annotator, cases)| {
            cases.iter().map(|(case, record)| (annotator.as_str(), case.as_str(), record))
        })
    }

    fn record_of(&mut self, event: &Event) -> &mut Record {
        self.records.entry(event.annotator.to_string()).or_default().entry(event.case.to_string()).or_default()
    }
}

/// The events in groups of one annotator and one case, in the order in which they came.
fn by_annotator_and_case(events: Vec<Arc<Event>>) -> Vec<Vec<Arc<Event>>> {
    let mut groups: FxHashMap<(&str, &str), usize> = FxHashMap::default();
    let mut sizes = Vec::new();
    let mut group_of = Vec::with_capacity(events.len());
    for event in &events {
        let group = *groups.entry((&event.annotator, &event.case)).or_insert(sizes.len());
        if group == sizes.len() {
            sizes.push(0);
        }
        sizes[group] += 1;
        group_of.push(group);
    }
    let mut grouped: Vec<Vec<Arc<Event>>> = sizes.into_iter().map(Vec::with_capacity).collect();
    for (event, group) in events.into_iter().zip(group_of) {
        grouped[group].push(event);
    }
    grouped
}

impl Record {
    /// Puts the events into the order of replay, each once. If two different events have one id, which no program
    /// writes, the same one is kept in any order.
    fn sort(&mut self) {
        self.events.sort_by_key(|event| event.order());
        self.events.dedup_by(|later, earlier| later == earlier);
        let mut ids: Vec<Uuid> = self.events.iter().map(|event| event.id).collect();
        ids.sort_unstable();
        if ids.windows(2).all(|pair| pair[0] != pair[1]) {
            return;
        }
        let mut by_id: HashMap<Uuid, Arc<Event>> = HashMap::new();
        for event in self.events.drain(..) {
            match by_id.get_mut(&event.id) {
                Some(kept) if event.is_before(kept) => *kept = event,
                Some(_) => {}
                None => drop(by_id.insert(event.id, event)),
            }
        }
        self.events = by_id.into_values().collect();
        self.events.sort_by_key(|event| event.order());
    }

    /// Computes annotation and decision from the events. An event is undone if the last undo or redo that names it is
    /// an undo.
    fn replay(&mut self) {
        let mut is_undone: FxHashMap<Uuid, bool> = FxHashMap::default();
        for event in &self.events {
            match event.kind {
                EventKind::Undo { undoes } => is_undone.insert(undoes, true),
                EventKind::Redo { redoes } => is_undone.insert(redoes, false),
                _ => None,
            };
        }
        self.decision = None;
        let mut passes: BTreeMap<u32, Replay> = BTreeMap::new();
        for event in &self.events {
            if is_undone.get(&event.id) == Some(&true) {
                continue;
            }
            match event.kind {
                EventKind::Undo { .. } | EventKind::Redo { .. } => {}
                EventKind::Decide { .. } => self.decision = Decision::of(event).map(Arc::new),
                _ => {
                    let pass = event.context.pass;
                    passes.entry(pass).or_insert_with(|| Replay::of_pass(pass)).take_in(event);
                }
            }
        }
        self.passes = passes.into_iter().map(|(pass, replay)| (pass, Arc::new(replay.finish()))).collect();
    }

    fn latest(&self) -> Option<&Arc<CaseAnnotation>> {
        let labelled = self.passes.values().rev().find(|pass| pass.is_labelled() || !pass.hits.is_empty());
        labelled.or_else(|| self.passes.values().next_back())
    }
}
