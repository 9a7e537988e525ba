//! Warns before a key changes what another session of the same annotator has said meanwhile. The same key pressed again
//! goes on.

use super::app::App;
use super::label_many::cases_in_words;
use crate::annotation::remarks;

/// Letters of a note in a warning.
const LONGEST_NOTE: usize = 40;

impl App {
    /// Notes that another session of the same annotator has changed this case.
    pub fn note_change_elsewhere(&mut self, case: usize) {
        self.changed_elsewhere.insert(case);
    }

    /// Warns once if another session of this annotator has changed the current case meanwhile: what is recorded now could
    /// replace what was said there. `key` is the key to press again.
    pub(super) fn warns_of_another_session(&mut self, key: &str) -> bool {
        let Some(case) = self.queue.current().filter(|case| self.changed_elsewhere.remove(case)) else { return false };
        let (id, annotator, said) = (self.cases.id_of(case), self.cases.annotator(), self.own_words(case));
        self.say(format!("another session of {annotator} has changed {id} to {said}: press {key} again to replace it"));
        true
    }

    /// Like [`Self::warns_of_another_session`], for many cases that get a label at once.
    pub(super) fn warns_of_another_session_for(&mut self, cases: &[usize]) -> bool {
        let changed: Vec<usize> = cases.iter().copied().filter(|case| self.changed_elsewhere.remove(case)).collect();
        let Some(first) = changed.first() else { return false };
        let (id, annotator) = (self.cases.id_of(*first), self.cases.annotator());
        let which = if changed.len() == 1 {
            format!("{id}, one of them")
        } else {
            format!("{} of them, {id} first", cases_in_words(changed.len()))
        };
        self.say(format!("another session of {annotator} has changed {which}: press Enter again to label them"));
        true
    }

    /// Warns that an undo or redo would take what another session of this annotator wrote on this case.
    pub(super) fn warn_of_step_of_another_session(&mut self, case: &str, back: &str) {
        // Short, because a narrow window cuts the middle.
        self.say(format!("another session changed {case}: press again to {back} it"));
    }

    /// The annotator's own annotation in words, such as "Look-alike; us-doc-001: Other; note “blurred”".
    fn own_words(&self, case: usize) -> String {
        let Some(own) = self.cases.annotation_of(case) else { return "nothing".to_owned() };
        let mut parts = Vec::new();
        if !own.skipped {
            parts.push(self.cases.category_names(&own.categories));
        }
        parts.extend(remarks(own.skipped, own.unsure, own.flagged).map(str::to_owned));
        for (document, given) in &own.hits {
            parts.push(format!("{document}: {}", self.cases.category_names(given)));
        }
        if let Some(note) = &own.note {
            let mut start: String = note.chars().take(LONGEST_NOTE).collect();
            if start.len() < note.len() {
                start.push('…');
            }
            parts.push(format!("note “{start}”"));
        }
        parts.join("; ")
    }
}
