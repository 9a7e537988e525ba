//! Exchanges annotations between screen and journals: events of others, results of edits, and what was shown
//! meanwhile.

use super::event_loop::Session;
use crate::annotation::{AnnotationEdit, Event};
use crate::cases::annotations::cases_of;
use crate::tui::state::overlay::Notice;
use crate::tui::update::edit_result::EditOutcome;
use std::sync::Arc;

impl Session<'_> {
    /// Shows the events of others; returns whether there were any. Events about a case that is being decided wait, so
    /// that the decision is about what was on the screen.
    pub(super) fn show_new_events(&mut self) -> bool {
        let decided = self.app.case_with_others_shown().and_then(|case| self.app.cases().get(case));
        let waits = |event: &Arc<Event>| decided.is_some_and(|case| *case.id == *event.case);
        let (waiting, new_events): (Vec<_>, Vec<_>) = std::mem::take(&mut self.new_events).into_iter().partition(waits);
        self.new_events = waiting;
        let mut own = Vec::new();
        for event in &new_events {
            if self.annotations.receive(event) && event.annotator == self.annotations.annotator() {
                own.push(Arc::clone(event));
            }
        }
        for case in cases_of(&new_events, self.app.dataset()) {
            self.app.refresh_annotations(case, &self.annotations);
        }
        for case in cases_of(&own, self.app.dataset()) {
            self.app.note_change_elsewhere(case);
        }
        !new_events.is_empty()
    }

    /// Applies an edit to the journal and returns the changed case with its new annotation.
    pub(super) fn apply(&mut self, edit: &AnnotationEdit) -> Result<EditOutcome, String> {
        if let Some((event, case)) = self.annotations.next_of_another_session(edit)
            && self.warned_of_step.replace(event) != Some(event)
        {
            return Ok(EditOutcome::OfAnotherSession { id: case.to_owned() });
        }
        let events = self.annotations.take_step(edit).map_err(|error| format!("{error:#}"))?;
        let Some(event) = events.last() else { return Ok(EditOutcome::Nothing) };
        if events.len() > 1 {
            self.refresh_cases_of(&events);
            return Ok(EditOutcome::Many { count: events.len() });
        }
        let Some(case) = self.app.dataset().cases.iter().position(|case| case.id == *event.case) else {
            return Ok(EditOutcome::Elsewhere { id: event.case.to_string() });
        };
        self.app.refresh_annotations(case, &self.annotations);
        Ok(EditOutcome::Changed { case, annotation: self.annotations.own_annotation(&event.case).cloned() })
    }

    /// Applies edits as one step and shows their cases. If the queue tells something about the gold answer or about
    /// others' annotations, it tells it about each of them.
    pub(super) fn apply_many(&mut self, edits: &[AnnotationEdit]) {
        if self.app.queue_reveals_gold() || self.app.view().filter().depends_on_others() {
            for case in edits.iter().filter_map(AnnotationEdit::case) {
                self.unblind(case);
            }
        }
        let (events, error) = self.annotations.apply_as_step(edits);
        self.refresh_cases_of(&events);
        self.app.recorded_many(edits.len(), events.len(), error.map(|error| format!("{error:#}")));
    }

    fn refresh_cases_of(&mut self, events: &[Event]) {
        let events: Vec<Arc<Event>> = events.iter().cloned().map(Arc::new).collect();
        for case in cases_of(&events, self.app.dataset()) {
            self.app.refresh_annotations(case, &self.annotations);
        }
    }

    /// Tells the annotation session what is on the screen, so that new events record it.
    pub(super) fn set_shown_case(&mut self) {
        let mut revealed = self.app.cases_revealed_by_figures();
        revealed.extend(self.app.case_with_others_shown());
        if let Some(case) = self.app.queue().current() {
            let tells_of_others =
                self.app.cases().standing_shown(case).is_some() || self.app.view().filter().depends_on_others();
            if self.app.reveals_gold() || tells_of_others {
                revealed.push(case);
            }
            let answers = self.app.cases().answers_fingerprint_of(case);
            if let Some(shown) = self.app.cases().get(case) {
                self.annotations.show(&shown.id, answers.as_deref());
            }
        }
        for case in revealed {
            let id = self.app.cases().id_of(case);
            self.unblind(&id);
        }
        if let Some(case) = self.app.queue().current() {
            let is_blind = self.annotations.is_blind(&self.app.cases().id_of(case));
            self.app.set_blind(case, is_blind);
        }
    }

    fn unblind(&mut self, case: &str) {
        if let Err(error) = self.annotations.unblind(case) {
            self.app.notify(Notice::Error(format!("{error:#}")));
        }
    }
}
