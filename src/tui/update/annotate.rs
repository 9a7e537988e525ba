//! Naming the error of a case or a document, notes, skips.

use super::app::App;
use super::category_target::CategoryTarget;
use crate::annotation::{AnnotationEdit, CategoryId};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Overlay;
use tui_input::Input;

impl App {
    /// Annotates the case with a category, or the selected document if the hits have the focus and the category is
    /// for documents.
    pub(super) fn annotate(&mut self, id: &CategoryId) -> Vec<Effect> {
        let Some(known) = self.cases.category(id).filter(|_| self.current().is_some()) else { return Vec::new() };
        let category = id.clone();
        match self.label_target(known) {
            Some(CategoryTarget::Hit { document, .. }) => {
                self.record_here(|case| AnnotationEdit::ToggleHitCategory { case, document, category })
            }
            Some(_) => self.record_here(|case| AnnotationEdit::ToggleCategory { case, category }),
            None => {
                self.say(format!("{} applies to documents: press Tab and select a hit", known.name));
                Vec::new()
            }
        }
    }

    /// Asks for an edit of the current case.
    pub(super) fn record_here(&self, edit: impl FnOnce(String) -> AnnotationEdit) -> Vec<Effect> {
        let Some((_, case)) = self.current() else { return Vec::new() };
        vec![Effect::Record(edit(case.id.clone()))]
    }

    pub(super) fn open_note(&mut self) {
        let Some(case) = self.queue.current() else { return };
        let text = self.cases.annotation_of(case).and_then(|annotation| annotation.note.clone()).unwrap_or_default();
        self.open(Overlay::Note(Input::new(text)));
    }

    pub(super) fn update_note(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Note(input)) = &self.overlay else { return Vec::new() };
        let text = input.value().trim().to_owned();
        match action {
            Action::Accept => {
                self.overlay = None;
                self.record_here(|case| AnnotationEdit::Note { case, text })
            }
            Action::Cancel => {
                self.overlay = None;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}
