//! What comes back from the world: engine events and the journal's word.

use super::app::{App, Notice, Overlay};
use super::effect::Effect;
use super::mark::{Record, Recorded};
use crate::engine::Event;

impl App {
    /// Takes in what the engine reports. Answers about any case are kept, whatever is shown.
    pub fn on_engine_event(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Ready(description) => {
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
            Event::Probed { case, probe, outcome } => self.probed(case, probe, outcome),
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
        if self.filter.is_empty() {
            return Vec::new();
        }
        let mut effects = self.admit(case);
        if !self.ahead.iter().any(|case| self.is_unread(*case)) {
            effects.extend(self.work_ahead());
        }
        effects
    }

    /// The journal has written a record, or could not. Only a written one shows, and only then does the place move on.
    pub fn recorded(&mut self, record: &Record, outcome: Result<Recorded, String>) -> Vec<Effect> {
        let changed = match outcome {
            Ok(Recorded::Changed { case, mark }) => Some((case, mark)),
            Ok(Recorded::Elsewhere { id }) => {
                self.notice = Some(Notice::Said(format!("{id}: taken back; it is not in this dataset")));
                return Vec::new();
            }
            Ok(Recorded::Nothing) => None,
            Err(message) => {
                self.notice = Some(Notice::Error(format!("not saved: {message}")));
                // What was typed is still there to be kept elsewhere, or tried again.
                if let Record::Note { text, .. } = record {
                    self.overlay = Some(Overlay::Note(text.clone().into()));
                }
                return Vec::new();
            }
        };
        let Some((case, mark)) = changed else {
            self.notice = Some(Notice::Said("nothing to undo".into()));
            return Vec::new();
        };
        self.marks.insert(case, mark);
        let id = self.dataset.cases.get(case).map(|case| case.id.clone()).unwrap_or_default();
        match record {
            Record::Annotate { category, .. } => {
                let name = self.categories.get(*category).map(|category| category.name.as_str()).unwrap_or_default();
                self.notice = Some(Notice::Said(format!("{id}: {name} (u takes it back)")));
                self.next_case()
            }
            Record::Skip { .. } => {
                self.notice = Some(Notice::Said(format!("{id}: skipped (u takes it back)")));
                self.next_case()
            }
            Record::Note { .. } => {
                self.notice = Some(Notice::Said(format!("{id}: note written")));
                Vec::new()
            }
            Record::Undo => {
                self.notice = Some(Notice::Said(format!("{id}: taken back")));
                if self.queue.current() == Some(case) || !self.queue.go_to(case) {
                    Vec::new()
                } else {
                    self.open_current()
                }
            }
        }
    }

    fn next_case(&mut self) -> Vec<Effect> {
        if self.queue.step(1) { self.open_current() } else { Vec::new() }
    }
}
