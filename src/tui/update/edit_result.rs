//! Handles the result of an edit: the journal has written it, or could not.

use super::app::App;
use super::label_many::cases_in_words;
use crate::annotation::{AnnotationEdit, CaseAnnotation};
use crate::tui::effect::Effect;
use crate::tui::state::overlay::{Notice, Overlay};
use std::sync::Arc;

/// Effect of an edit that is on disk.
#[derive(Clone, Debug, PartialEq)]
pub enum EditOutcome {
    /// The case has this annotation now; `None` if nothing is left of it.
    Changed { case: usize, annotation: Option<Arc<CaseAnnotation>> },
    /// An undo or redo changed the annotation of a case that this dataset lacks.
    Elsewhere { id: String },
    /// An undo or redo changed this many cases, which were labelled at once.
    Many { count: usize },
    /// Another session of the annotator wrote what the undo or redo would take, on the case with this id; nothing was
    /// changed.
    OfAnotherSession { id: String },
    /// There was nothing to undo or redo.
    Nothing,
}

impl App {
    /// Handles a written edit, or the failure to write it. Only a written edit is shown and moves to the next case.
    pub fn recorded(&mut self, edit: &AnnotationEdit, outcome: Result<EditOutcome, String>) -> Vec<Effect> {
        let is_redo = *edit == AnnotationEdit::Redo;
        let back = if is_redo { "redone" } else { "undone" };
        let (case, annotation) = match outcome {
            Ok(EditOutcome::Changed { case, annotation }) => (case, annotation),
            Ok(EditOutcome::Elsewhere { id }) => {
                self.say(format!("{id}: {back}; this case is not in this dataset"));
                return Vec::new();
            }
            Ok(EditOutcome::Many { count }) => {
                self.say(format!("{}: {back}", cases_in_words(count)));
                return Vec::new();
            }
            Ok(EditOutcome::OfAnotherSession { id }) => {
                self.warn_of_step_of_another_session(&id, if is_redo { "redo" } else { "undo" });
                return Vec::new();
            }
            Ok(EditOutcome::Nothing) => {
                let what = if is_redo { "redo" } else { "undo" };
                self.say(format!("nothing to {what}"));
                return Vec::new();
            }
            Err(message) => {
                self.notify(Notice::Error(format!("not saved: {message}")));
                // Reopen the editor with the text, so that it can be copied or tried again.
                if let AnnotationEdit::Note { text, .. } = edit {
                    self.open(Overlay::Note(text.clone().into()));
                }
                return Vec::new();
            }
        };
        let id = self.cases.id_of(case);
        let said = self.what_was_recorded(&id, edit, annotation.as_deref());
        self.cases.set_annotation(case, annotation);
        self.changed_elsewhere.remove(&case);
        self.say(said);
        match edit {
            // If a case may have several categories, more may follow, so stay.
            AnnotationEdit::ToggleCategory { .. } | AnnotationEdit::SetCategories { .. }
                if !self.cases.takes_several_categories() =>
            {
                self.next_case()
            }
            AnnotationEdit::Skip { .. } => self.next_case(),
            AnnotationEdit::Decide { .. } => self.decided(case),
            AnnotationEdit::Undo | AnnotationEdit::Redo => self.show_changed(case),
            _ => Vec::new(),
        }
    }

    /// The notice about what is on disk now.
    fn what_was_recorded(&self, id: &str, edit: &AnnotationEdit, annotation: Option<&CaseAnnotation>) -> String {
        let nothing = CaseAnnotation::default();
        let annotation = annotation.unwrap_or(&nothing);
        let said = match edit {
            AnnotationEdit::SetCategories { .. } | AnnotationEdit::ToggleCategory { .. } => {
                format!("{id}: {}", self.cases.category_names(&annotation.categories))
            }
            AnnotationEdit::SetHitCategories { document, .. } | AnnotationEdit::ToggleHitCategory { document, .. } => {
                let given = annotation.hits.get(document);
                let names = given.map_or_else(
                    || self.cases.category_names(&nothing.categories),
                    |ids| self.cases.category_names(ids),
                );
                format!("{document}: {names}")
            }
            AnnotationEdit::ToggleUnsure { .. } if annotation.unsure => format!("{id}: unsure"),
            AnnotationEdit::ToggleUnsure { .. } => format!("{id}: no longer unsure"),
            AnnotationEdit::ToggleFlag { .. } if annotation.flagged => format!("{id}: flagged"),
            AnnotationEdit::ToggleFlag { .. } => format!("{id}: no longer flagged"),
            AnnotationEdit::Decide { categories, .. } => {
                format!("{id}: decided: {}", self.cases.category_names(categories))
            }
            AnnotationEdit::Skip { .. } => format!("{id}: skipped"),
            AnnotationEdit::Note { .. } => return format!("{id}: note saved"),
            AnnotationEdit::Undo => return format!("{id}: undone"),
            AnnotationEdit::Redo => return format!("{id}: redone"),
        };
        format!("{said} (u takes it back)")
    }

    /// Goes to the case whose annotation was changed by undo or redo.
    fn show_changed(&mut self, case: usize) -> Vec<Effect> {
        if self.queue.current() == Some(case) || !self.queue.go_to(case) {
            return Vec::new();
        }
        let effects = self.open_current();
        if matches!(self.overlay, Some(Overlay::Adjudication(_))) {
            self.open_adjudication(self.case_with_others_shown().is_some());
        }
        effects
    }

    fn next_case(&mut self) -> Vec<Effect> {
        if self.queue.step(1) { self.open_current() } else { Vec::new() }
    }
}
