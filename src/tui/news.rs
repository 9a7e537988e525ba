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

    /// The journal has written a record, or could not. Only a written one shows, and only then does the place move on.
    pub fn recorded(&mut self, record: &Record, outcome: Result<Recorded, String>) -> Vec<Effect> {
        let changed = match outcome {
            Ok(Recorded::Changed { case, mark }) => Some((case, mark)),
            Ok(Recorded::Elsewhere { id }) => {
                let what = if *record == Record::Redo { "brought" } else { "taken" };
                self.notice = Some(Notice::Said(format!("{id}: {what} back; it is not in this dataset")));
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
            let what = if *record == Record::Redo { "redo" } else { "undo" };
            self.notice = Some(Notice::Said(format!("nothing to {what}")));
            return Vec::new();
        };
        self.marks.insert(case, mark);
        let id = self.dataset.cases.get(case).map(|case| case.id.clone()).unwrap_or_default();
        match record {
            Record::Annotate { .. } => {
                let given = self.marks.get(&case).map(|mark| mark.categories.clone()).unwrap_or_default();
                let names = self.names_of(&given);
                self.notice = Some(Notice::Said(format!("{id}: {names} (u takes it back)")));
                // Where a case may have several, more may follow.
                if self.several { Vec::new() } else { self.next_case() }
            }
            Record::Hit { document, .. } => {
                let given = self.marks.get(&case).and_then(|mark| mark.hits.get(document)).cloned().unwrap_or_default();
                let names = self.names_of(&given);
                self.notice = Some(Notice::Said(format!("{document}: {names} (u takes it back)")));
                Vec::new()
            }
            Record::Unsure { .. } | Record::Flag { .. } => {
                let mark = self.marks.get(&case).cloned().unwrap_or_default();
                let (is_on, word) = if matches!(record, Record::Flag { .. }) {
                    (mark.flagged, "flagged")
                } else {
                    (mark.unsure, "unsure")
                };
                let word = if is_on { word.to_owned() } else { format!("not {word} any more") };
                self.notice = Some(Notice::Said(format!("{id}: {word} (u takes it back)")));
                Vec::new()
            }
            Record::Decide { categories, .. } => {
                let names = self.names_of(categories);
                self.notice = Some(Notice::Said(format!("{id}: decided: {names} (u takes it back)")));
                self.decided(case)
            }
            Record::Skip { .. } => {
                self.notice = Some(Notice::Said(format!("{id}: skipped (u takes it back)")));
                self.next_case()
            }
            Record::Note { .. } => {
                self.notice = Some(Notice::Said(format!("{id}: note written")));
                Vec::new()
            }
            Record::Undo | Record::Redo => {
                let what = if *record == Record::Redo { "brought" } else { "taken" };
                self.notice = Some(Notice::Said(format!("{id}: {what} back")));
                if self.queue.current() == Some(case) || !self.queue.go_to(case) {
                    return Vec::new();
                }
                let effects = self.open_current();
                if matches!(self.overlay, Some(Overlay::Adjudication(_))) {
                    self.open_adjudication(self.case_with_people().is_some());
                }
                effects
            }
        }
    }

    /// "Misleading look-alike, Other", or "no category".
    pub fn names_of(&self, categories: &[usize]) -> String {
        let known = categories.iter().filter_map(|category| self.categories.get(*category));
        let names: Vec<&str> = known.map(|category| category.name.as_str()).collect();
        if names.is_empty() { "no category".to_owned() } else { names.join(", ") }
    }

    fn next_case(&mut self) -> Vec<Effect> {
        if self.queue.step(1) { self.open_current() } else { Vec::new() }
    }
}
