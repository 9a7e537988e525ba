//! One annotator's session: journal, taxonomy, and all annotations so far. The explorer and `dissent annotate` both
//! use it.

use super::definition_history::DefinitionHistory;
use super::event::{Event, EventContext, EventKind};
use super::exposure::UnblindedCases;
use super::{
    AnnotationEdit, AnnotationState, CaseAnnotation, CaseReview, EarlierDefinition, Journal, JournalWatch, Taxonomy,
    TaxonomyVersions, read_folder,
};
use anyhow::{Result, anyhow};
use compact_str::CompactString;
use dissent_core::data::Problem;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

/// One annotator's session. Cases are named by their ids.
#[derive(Debug)]
pub struct AnnotationSession {
    /// An error if the journal cannot be written: then everything can be read and nothing recorded.
    journal: Result<Journal, String>,
    state: AnnotationState,
    definitions: Arc<DefinitionHistory>,
    unblinded: UnblindedCases,
    /// Started before the journals were read, so that it misses nothing.
    watch: JournalWatch,
    annotator: String,
    written: usize,
    /// By case id: the pass to read it in, if that is not the annotator's latest.
    passes: HashMap<String, u32>,
    run_fingerprint: Option<CompactString>,
    on_screen: Option<ShownCase>,
    /// Events that were written as one step.
    steps: Vec<HashSet<Uuid>>,
    /// Events of this annotator that another program wrote since this session began.
    of_other_sessions: HashSet<Uuid>,
}

/// The case that the annotator looks at.
#[derive(Debug)]
struct ShownCase {
    id: String,
    /// When it was first shown, or its latest event was written.
    since: Instant,
    answers_fingerprint: Option<CompactString>,
}

impl AnnotationSession {
    /// Opens the journal of `annotator` in this folder and reads all journals; also returns the lines and files that
    /// could not be read.
    ///
    /// # Errors
    /// Fails if the folder cannot be read. A journal that cannot be written is no error: see
    /// [`write_error`](Self::write_error).
    pub fn open(folder: &Path, annotator: &str, host: &str, taxonomy: Taxonomy) -> Result<(Self, Vec<Problem>)> {
        let watch = JournalWatch::begin(folder);
        let (journal, events, mut problems) = match Journal::open_and_read(folder, annotator, host) {
            Ok((journal, events, problems)) => (Ok(journal), events, problems),
            Err(error) => {
                let (events, problems) = read_folder(folder)?;
                (Err(format!("{error:#}")), events, problems)
            }
        };
        let (versions, unread_versions) = TaxonomyVersions::read(folder);
        let own_path = journal.as_ref().ok().map(Journal::path);
        let (unblinded, unread_looks) = UnblindedCases::open(folder, annotator, own_path);
        problems.extend(unread_versions.into_iter().chain(unread_looks));
        let session = Self {
            journal,
            state: AnnotationState::fold(events),
            definitions: Arc::new(DefinitionHistory::new(taxonomy, versions)),
            unblinded,
            watch,
            annotator: annotator.to_owned(),
            written: 0,
            passes: HashMap::new(),
            run_fingerprint: None,
            on_screen: None,
            steps: Vec::new(),
            of_other_sessions: HashSet::new(),
        };
        Ok((session, problems))
    }

    /// Everybody's annotations, including this annotator's latest event.
    pub fn state(&self) -> &AnnotationState {
        &self.state
    }

    pub fn taxonomy(&self) -> &Taxonomy {
        self.definitions.taxonomy()
    }

    /// The taxonomy with its earlier wordings.
    pub fn definitions(&self) -> &Arc<DefinitionHistory> {
        &self.definitions
    }

    /// See [`DefinitionHistory::earlier_definitions`].
    pub fn earlier_definitions(&self, annotation: &CaseAnnotation) -> Vec<EarlierDefinition> {
        self.definitions.earlier_definitions(annotation)
    }

    pub fn annotator(&self) -> &str {
        &self.annotator
    }

    /// Reason why nothing can be recorded; `None` if the journal can be written.
    pub fn write_error(&self) -> Option<&str> {
        self.journal.as_ref().err().map(String::as_str)
    }

    /// Number of events written in this session.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Path of the journal; `None` if it cannot be written.
    pub fn path(&self) -> Option<&Path> {
        self.journal.as_ref().ok().map(Journal::path)
    }

    /// A watch that reports additions to the journals; it may be used on another thread.
    pub fn watch(&self) -> JournalWatch {
        self.watch.clone()
    }

    /// Adds an event that another process wrote. Returns false for a known one, such as this session's own, which changes
    /// nothing. An event of the same annotator from another machine can be undone, and later events are dated after it.
    pub fn receive(&mut self, event: &Event) -> bool {
        let is_new = self.state.apply(event);
        if is_new && event.annotator == self.annotator {
            self.of_other_sessions.insert(event.id);
            if let Ok(journal) = &mut self.journal {
                journal.know(&self.state.events_of(&self.annotator));
            }
        }
        is_new
    }

    /// Sets the passes in which these cases are read ([`Worklist::passes`](super::Worklist::passes)).
    pub fn set_passes(&mut self, passes: HashMap<String, u32>) {
        self.passes = passes;
    }

    /// The pass in which the annotator reads this case: the one set, else that of their latest annotation.
    pub(crate) fn pass_of(&self, case: &str) -> u32 {
        let latest = || self.state.of(&self.annotator, case).map_or(1, |annotation| annotation.pass);
        self.passes.get(case).copied().unwrap_or_else(latest)
    }

    /// The annotator's own annotation of a case in the current pass; earlier passes stay hidden.
    pub fn own_annotation(&self, case: &str) -> Option<&Arc<CaseAnnotation>> {
        self.state.of_pass(&self.annotator, case, self.pass_of(case))
    }

    /// All annotations of a case.
    pub fn review(&self, case: &str) -> CaseReview {
        self.state.review(case)
    }

    /// Sets the run whose answers are shown; events record its fingerprint.
    pub fn set_run_fingerprint(&mut self, fingerprint: Option<&str>) {
        self.run_fingerprint = fingerprint.map(Into::into);
    }

    /// Sets the case and the answers that are on the screen ([`answers_fingerprint`](super::answers_fingerprint)).
    /// The time spent on the case begins with the first call.
    pub fn show(&mut self, case: &str, answers_fingerprint: Option<&str>) {
        let since = self.on_screen.as_ref().filter(|shown| shown.id == case).map(|shown| shown.since);
        self.on_screen = Some(ShownCase {
            id: case.to_owned(),
            since: since.unwrap_or_else(Instant::now),
            answers_fingerprint: answers_fingerprint.map(Into::into),
        });
    }

    /// Records that the annotator sees the case's gold answer, or something of what others said about it. Their
    /// annotations of it in this pass are not blind from then on, in later sessions either.
    ///
    /// # Errors
    /// Fails if this cannot be written; it is then remembered for this session only.
    pub fn unblind(&mut self, case: &str) -> Result<()> {
        self.unblinded.insert(case, self.pass_of(case))
    }

    /// Whether the next annotation of this case would be blind, as far as this program knows.
    pub fn is_blind(&self, case: &str) -> bool {
        let pass = self.pass_of(case);
        !self.state.was_unblinded(&self.annotator, case, pass) && !self.unblinded.knows(case, pass)
    }

    /// Carries out an edit. The resulting event is on disk when this returns; `None` if there was nothing to undo or
    /// redo.
    ///
    /// # Errors
    /// Fails if the event could not be written; nothing has changed then, and the call may be repeated.
    pub fn apply(&mut self, edit: &AnnotationEdit) -> Result<Option<Event>> {
        let event = match edit.case().zip(self.event_kind(edit)) {
            Some((case, kind)) => Some(self.record(case, kind)?),
            None if *edit == AnnotationEdit::Redo => self.writable_journal()?.redo()?,
            None => self.writable_journal()?.undo()?,
        };
        if let Some(event) = &event {
            self.written += 1;
            self.state.apply(event);
        }
        Ok(event)
    }

    /// Carries out several edits as one step of this session, which [`take_step`](Self::take_step) undoes and redoes as
    /// a whole. Stops at the first edit that cannot be written; returns the events that are on disk, and the error.
    pub fn apply_as_step(&mut self, edits: &[AnnotationEdit]) -> (Vec<Event>, Option<anyhow::Error>) {
        let mut events = Vec::new();
        let mut failure = None;
        for edit in edits {
            match self.apply(edit) {
                Ok(event) => events.extend(event),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        self.steps.push(events.iter().map(|event| event.id).collect());
        (events, failure)
    }

    /// Like [`apply`](Self::apply); but undo and redo go on through all events of a step of this session. Later
    /// sessions do not know the steps and undo event by event.
    ///
    /// # Errors
    /// Fails like [`apply`](Self::apply). If a part of a step is undone then, the next call goes on.
    pub fn take_step(&mut self, edit: &AnnotationEdit) -> Result<Vec<Event>> {
        let next = |session: &Self| session.next_of(edit).map(|(id, _)| id);
        let first = next(self);
        let step = self.steps.iter().find(|step| first.is_some_and(|id| step.contains(&id))).cloned();
        let mut events: Vec<Event> = self.apply(edit)?.into_iter().collect();
        if let Some(step) = step {
            while next(self).is_some_and(|id| step.contains(&id)) {
                match self.apply(edit) {
                    Ok(event) => events.extend(event),
                    Err(error) if events.is_empty() => return Err(error),
                    // What is undone so far is on disk and must be shown.
                    Err(_) => break,
                }
            }
        }
        Ok(events)
    }

    /// The event that this undo or redo takes, and its case.
    fn next_of(&self, edit: &AnnotationEdit) -> Option<(Uuid, &str)> {
        let journal = self.journal.as_ref().ok()?;
        match edit {
            AnnotationEdit::Undo => journal.next_undo(),
            AnnotationEdit::Redo => journal.next_redo(),
            _ => None,
        }
    }

    /// The event that this undo or redo takes and its case, if another session of this annotator wrote it since this one
    /// began: the annotator may not mean it.
    pub fn next_of_another_session(&self, edit: &AnnotationEdit) -> Option<(Uuid, &str)> {
        self.next_of(edit).filter(|(id, _)| self.of_other_sessions.contains(id))
    }

    /// Writes an event with its pass, the definitions of its categories, and whether the annotator was blind.
    fn record(&mut self, case: &str, kind: EventKind) -> Result<Event> {
        let before = self.own_annotation(case).map(Arc::as_ref);
        let definitions = self.definitions.definitions_for(&kind, before).into();
        let pass = self.pass_of(case);
        // An adjudicator has seen all annotations. An annotator who was unblinded once stays so, even after starting
        // anew.
        let blind = !matches!(kind, EventKind::Decide { .. })
            && !self.state.was_unblinded(&self.annotator, case, pass)
            && !self.unblinded.holds(case, pass);
        let shown = self.on_screen.as_ref().filter(|shown| shown.id == case);
        let context = EventContext {
            run_fingerprint: self.run_fingerprint.clone(),
            answers_fingerprint: shown.and_then(|shown| shown.answers_fingerprint.clone()),
            blind,
            seconds: shown.map(|shown| shown.since.elapsed().as_secs_f64()),
            pass,
            definitions,
        };
        let event = self.writable_journal()?.append(case, kind, context)?;
        if let Some(shown) = self.on_screen.as_mut().filter(|shown| shown.id == case) {
            shown.since = Instant::now();
        }
        Ok(event)
    }

    fn writable_journal(&mut self) -> Result<&mut Journal> {
        self.journal.as_mut().map_err(|message| anyhow!("{message}"))
    }

    /// The event that changes the current annotation as the edit asks; `None` for undo and redo.
    fn event_kind(&self, edit: &AnnotationEdit) -> Option<EventKind> {
        let before = self.own_annotation(edit.case()?);
        let nothing = BTreeSet::new();
        Some(match edit {
            AnnotationEdit::SetCategories { categories, .. } => {
                EventKind::Annotate { categories: categories.clone().into() }
            }
            AnnotationEdit::ToggleCategory { category, .. } => {
                let given = before.map_or(&nothing, |before| &before.categories);
                EventKind::Annotate { categories: self.taxonomy().with_assigned(given, category).into() }
            }
            AnnotationEdit::SetHitCategories { document, categories, .. } => {
                EventKind::Hit { document: document.clone(), categories: categories.clone().into() }
            }
            AnnotationEdit::ToggleHitCategory { document, category, .. } => {
                let given = before.and_then(|before| before.hits.get(document)).unwrap_or(&nothing);
                // Unlike a case, a document loses its only category when the same key is pressed again.
                let is_only = given.len() == 1 && given.contains(category);
                let categories = if is_only { BTreeSet::new() } else { self.taxonomy().with_assigned(given, category) };
                EventKind::Hit { document: document.clone(), categories: categories.into() }
            }
            AnnotationEdit::Note { text, .. } => EventKind::Note { note: text.clone() },
            AnnotationEdit::ToggleUnsure { .. } => EventKind::Unsure { unsure: !before.is_some_and(|it| it.unsure) },
            AnnotationEdit::ToggleFlag { .. } => EventKind::Flag { flag: !before.is_some_and(|it| it.flagged) },
            AnnotationEdit::Skip { .. } => EventKind::Skip,
            AnnotationEdit::Decide { case, categories, reason } => EventKind::Decide {
                categories: categories.clone().into(),
                reason: reason.clone(),
                seen: self.review(case).seen_by_a_decision(),
            },
            AnnotationEdit::Undo | AnnotationEdit::Redo => return None,
        })
    }
}
