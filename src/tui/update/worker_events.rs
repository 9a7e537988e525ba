//! Handles the worker's reports.

use super::app::App;
use crate::pipeline::Event;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::{Notice, Overlay};

impl App {
    /// Handles an event of the worker. Answers are kept for every case, not only the current one.
    pub fn on_worker_event(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Ready(description) => {
                self.cases.set_run_fingerprint(description.run_fingerprint.clone());
                self.worker.ready(description);
                self.warn_of_other_kind_of_answers();
                if self.hosted().is_some() {
                    // Cases were asked for before anybody knew that they cost something.
                    let was_reading = self.reading_rest.take().is_some();
                    let mut effects = self.work_ahead();
                    if was_reading {
                        effects.extend(self.read_rest());
                    }
                    return effects;
                }
            }
            Event::Usage(usage) => self.server_usage = Some(usage),
            Event::Progress(line) => self.worker.set_progress(line),
            Event::Stored(answer) => {
                let case = answer.case;
                *self.cases.answers_mut(case) = answer.into();
                return self.case_is_settled(case);
            }
            Event::Hits { case, hits } => {
                self.cases.answers_mut(case).set_hits(hits);
                if self.queue.current() == Some(case) {
                    let slots = self.slots();
                    self.selection.keep_within(slots);
                }
            }
            Event::Prediction { case, slot, prediction } => {
                let answers = self.cases.answers_mut(case);
                answers.set_prediction(slot, prediction);
                if answers.is_settled() {
                    return self.case_is_settled(case);
                }
            }
            Event::ClosedBook { case, prediction } => {
                let answers = self.cases.answers_mut(case);
                answers.closed_book = Some(prediction);
                // The closed-book answer comes after the last hit, and filters need it, too.
                if answers.is_settled() {
                    return self.case_is_settled(case);
                }
            }
            Event::SearchResults { ticket, results } => {
                let Some(Overlay::Search(search)) = &mut self.overlay else { return Vec::new() };
                if let Some(row) = search.take_results(ticket, results) {
                    self.overlay = None;
                    return self.put_in(row);
                }
            }
            Event::SearchFailed { ticket, message } => {
                if let Some(Overlay::Search(search)) = &mut self.overlay {
                    search.fail(ticket, message);
                }
            }
            Event::Probed { case, probe, shown, outcome } => self.probed(case, probe, shown.as_ref(), outcome),
            Event::Explaining { ticket, progress } => {
                if let Some(Overlay::Why(why)) = &mut self.overlay {
                    why.take_progress(ticket, progress);
                }
            }
            Event::Explained { ticket, outcome, .. } => {
                if let Some(Overlay::Why(why)) = &mut self.overlay {
                    why.take_outcome(ticket, outcome);
                }
            }
            Event::Failed { case: Some(case), message } => {
                self.cases.answers_mut(case).failed = Some(message);
                return self.case_is_settled(case);
            }
            Event::Failed { case: None, message } => {
                if let Some(message) = self.worker.failed(message) {
                    self.notify(Notice::Error(message));
                }
                if !self.can_read_rest() {
                    self.reading_rest = None;
                }
            }
        }
        Vec::new()
    }

    /// Updates the list after a case has been read, and asks for more cases if the worker has run out.
    fn case_is_settled(&mut self, case: usize) -> Vec<Effect> {
        self.view.add_unsorted(case);
        self.one_more_is_answered(case);
        if self.view.filter().is_empty() {
            return Vec::new();
        }
        let mut effects = self.admit(case);
        if !self.ahead.iter().any(|case| self.cases.is_unread(*case)) {
            effects.extend(self.work_ahead());
        }
        effects
    }
}
