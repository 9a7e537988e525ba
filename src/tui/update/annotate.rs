//! Naming the error of a case or a document, notes, skips.

use super::app::App;
use super::category_target::CategoryTarget;
use crate::annotation::{AnnotationEdit, CategoryId};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Overlay;
use tui_input::Input;

/// The key to press again after a warning.
const SAME_KEY: &str = "the key";

impl App {
    /// Annotates the case with a category, or the selected document if the hits have the focus and the category is
    /// for documents.
    pub(super) fn annotate(&mut self, id: &CategoryId) -> Vec<Effect> {
        let Some(known) = self.cases.category(id).filter(|_| self.current().is_some()) else { return Vec::new() };
        let (category, name, target) = (id.clone(), known.name.clone(), self.label_target(known));
        if target.is_some() && self.warns_of_another_session(SAME_KEY) {
            return Vec::new();
        }
        match target {
            Some(CategoryTarget::Hit { document, .. }) => {
                self.record_here(|case| AnnotationEdit::ToggleHitCategory { case, document, category })
            }
            Some(_) => self.record_here(|case| AnnotationEdit::ToggleCategory { case, category }),
            None if self.selects_own_evidence() => {
                let key = self.key_of(&Action::SwitchFocus).map_or_else(String::new, |key| format!(" ({key})"));
                let what = match self.selection.other_hit() {
                    Some(_) => "only the other run found this document",
                    None => "this is not a hit",
                };
                self.say(format!("{what}, so it takes no label: select a hit or a case{key}"));
                Vec::new()
            }
            None => {
                self.say(format!("{name} applies to documents: press Tab and select a hit"));
                Vec::new()
            }
        }
    }

    pub(super) fn skip(&mut self) -> Vec<Effect> {
        if self.warns_of_another_session(SAME_KEY) {
            return Vec::new();
        }
        self.record_here(|case| AnnotationEdit::Skip { case })
    }

    /// Marks the annotation as unsure, or flags the case; the same key takes it back.
    pub(super) fn toggle_remark(&mut self, edit: impl FnOnce(String) -> AnnotationEdit) -> Vec<Effect> {
        if self.warns_of_another_session(SAME_KEY) {
            return Vec::new();
        }
        self.record_here(edit)
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
                if self.warns_of_another_session("Enter") {
                    return Vec::new();
                }
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
