//! Takes in the result of an edit: what the journal wrote, or why it could not.

use super::app::{App, Notice, Overlay};
use crate::tui::effect::Effect;
use crate::tui::state::annotation_view::{AnnotationEdit, EditOutcome};

impl App {
    /// The journal has written a record, or could not. Only a written one shows, and only then does the place move on.
    pub fn recorded(&mut self, record: &AnnotationEdit, outcome: Result<EditOutcome, String>) -> Vec<Effect> {
        let changed = match outcome {
            Ok(EditOutcome::Changed { case, mark }) => Some((case, mark)),
            Ok(EditOutcome::Elsewhere { id }) => {
                let what = if *record == AnnotationEdit::Redo { "redone" } else { "undone" };
                self.notice = Some(Notice::Said(format!("{id}: {what}; this case is not in this dataset")));
                return Vec::new();
            }
            Ok(EditOutcome::Nothing) => None,
            Err(message) => {
                self.notice = Some(Notice::Error(format!("not saved: {message}")));
                // What was typed is still there to be kept elsewhere, or tried again.
                if let AnnotationEdit::Note { text, .. } = record {
                    self.overlay = Some(Overlay::Note(text.clone().into()));
                }
                return Vec::new();
            }
        };
        let Some((case, mark)) = changed else {
            let what = if *record == AnnotationEdit::Redo { "redo" } else { "undo" };
            self.notice = Some(Notice::Said(format!("nothing to {what}")));
            return Vec::new();
        };
        self.marks.insert(case, mark);
        let id = self.dataset.cases.get(case).map(|case| case.id.clone()).unwrap_or_default();
        match record {
            AnnotationEdit::Annotate { .. } => {
                let given = self.marks.get(&case).map(|mark| mark.categories.clone()).unwrap_or_default();
                let names = self.names_of(&given);
                self.notice = Some(Notice::Said(format!("{id}: {names} (u takes it back)")));
                // Where a case may have several, more may follow.
                if self.several { Vec::new() } else { self.next_case() }
            }
            AnnotationEdit::Hit { document, .. } => {
                let given = self.marks.get(&case).and_then(|mark| mark.hits.get(document)).cloned().unwrap_or_default();
                let names = self.names_of(&given);
                self.notice = Some(Notice::Said(format!("{document}: {names} (u takes it back)")));
                Vec::new()
            }
            AnnotationEdit::Unsure { .. } | AnnotationEdit::Flag { .. } => {
                let mark = self.marks.get(&case).cloned().unwrap_or_default();
                let (is_on, word) = if matches!(record, AnnotationEdit::Flag { .. }) {
                    (mark.flagged, "flagged")
                } else {
                    (mark.unsure, "unsure")
                };
                let word = if is_on { word.to_owned() } else { format!("no longer {word}") };
                self.notice = Some(Notice::Said(format!("{id}: {word} (u takes it back)")));
                Vec::new()
            }
            AnnotationEdit::Decide { categories, .. } => {
                let names = self.names_of(categories);
                self.notice = Some(Notice::Said(format!("{id}: decided: {names} (u takes it back)")));
                self.decided(case)
            }
            AnnotationEdit::Skip { .. } => {
                self.notice = Some(Notice::Said(format!("{id}: skipped (u takes it back)")));
                self.next_case()
            }
            AnnotationEdit::Note { .. } => {
                self.notice = Some(Notice::Said(format!("{id}: note saved")));
                Vec::new()
            }
            AnnotationEdit::Undo | AnnotationEdit::Redo => {
                let what = if *record == AnnotationEdit::Redo { "redone" } else { "undone" };
                self.notice = Some(Notice::Said(format!("{id}: {what}")));
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
