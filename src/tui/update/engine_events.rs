//! Takes in what the engine reports.

use super::app::{App, Notice, Overlay};
use crate::pipeline::Event;
use crate::tui::effect::Effect;

impl App {
    /// Takes in what the engine reports. Answers about any case are kept, whatever is shown.
    pub fn on_engine_event(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Ready(description) => {
                self.run_fingerprint = Some(description.run_fingerprint.clone());
                self.engine = Some(description);
                self.progress = None;
            }
            Event::Progress(line) => self.progress = Some(line),
            Event::Hits { case, hits } => {
                self.answers.entry(case).or_default().set_hits(hits);
                if self.queue.current() == Some(case) {
                    self.hit = self.hit.min(self.slots().saturating_sub(1));
                }
            }
            Event::Prediction { case, slot, prediction } => {
                let answers = self.answers.entry(case).or_default();
                answers.set_prediction(slot, prediction);
                if answers.is_settled() {
                    return self.case_is_settled(case);
                }
            }
            Event::ClosedBook { case, prediction } => {
                let answers = self.answers.entry(case).or_default();
                answers.has_no_closed_book = prediction.is_none();
                answers.closed_book = prediction;
                // It comes after the last hit, and filters ask for it, too.
                if answers.is_settled() {
                    return self.case_is_settled(case);
                }
            }
            Event::SearchResults { ticket, results } => {
                if let Some(Overlay::Search(search)) = &mut self.overlay
                    && search.ticket == ticket
                {
                    let best = results.first().filter(|_| search.takes_the_best).map(|result| result.row);
                    search.selected = 0;
                    search.results = Some(results);
                    search.waiting = false;
                    search.takes_the_best = false;
                    if let Some(row) = best {
                        self.overlay = None;
                        return self.put_in(row);
                    }
                }
            }
            Event::SearchFailed { ticket, message } => {
                if let Some(Overlay::Search(search)) = &mut self.overlay
                    && search.ticket == ticket
                {
                    search.asks_nothing();
                    search.trouble = Some(message);
                }
            }
            Event::Probed { case, probe, outcome, .. } => self.probed(case, probe, outcome),
            Event::Failed { case: Some(case), message } => {
                self.answers.entry(case).or_default().failed = Some(message);
                return self.case_is_settled(case);
            }
            Event::Failed { case: None, message } => {
                self.progress = None;
                // The first is why there is no engine; a search that fails later is another matter.
                if self.engine.is_none() && self.engine_failure.is_none() {
                    self.engine_failure = Some(message);
                } else {
                    self.notice = Some(Notice::Error(message));
                }
            }
        }
        Vec::new()
    }

    /// A case is read: a filtered list takes it in, and where the engine has run out of cases it gets more.
    fn case_is_settled(&mut self, case: usize) -> Vec<Effect> {
        self.unsorted.insert(case);
        if self.filter.is_empty() {
            return Vec::new();
        }
        let mut effects = self.admit(case);
        if !self.ahead.iter().any(|case| self.is_unread(*case)) {
            effects.extend(self.work_ahead());
        }
        effects
    }
}
