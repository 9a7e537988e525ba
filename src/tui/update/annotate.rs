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
        let (category, name, target) = (id.clone(), known.name.clone(), self.label_target(known));
        if target.is_some() && self.warns_of_another_session() {
            return Vec::new();
        }
        match target {
            Some(CategoryTarget::Hit { document, .. }) => {
                self.record_here(|case| AnnotationEdit::ToggleHitCategory { case, document, category })
            }
            Some(_) => self.record_here(|case| AnnotationEdit::ToggleCategory { case, category }),
            None if self.selects_own_evidence() => {
                let key = self.key_of(&Action::SwitchFocus).map_or_else(String::new, |key| format!(" ({key})"));
                self.say(format!("this is not a hit, so it takes no label: select a hit or a case{key}"));
                Vec::new()
            }
            None => {
                self.say(format!("{name} applies to documents: press Tab and select a hit"));
                Vec::new()
            }
        }
    }

    pub(super) fn skip(&mut self) -> Vec<Effect> {
        if self.warns_of_another_session() {
            return Vec::new();
        }
        self.record_here(|case| AnnotationEdit::Skip { case })
    }

    /// Notes that another session of the same annotator has changed this case.
    pub fn note_change_elsewhere(&mut self, case: usize) {
        self.changed_elsewhere.insert(case);
    }

    /// Warns once if another session of this annotator has changed the current case meanwhile: the key would replace
    /// what was said there. The same key pressed again goes on.
    fn warns_of_another_session(&mut self) -> bool {
        let Some(case) = self.queue.current().filter(|case| self.changed_elsewhere.remove(case)) else { return false };
        let own = self.cases.annotation_of(case);
        let names = own.map_or_else(|| "nothing".to_owned(), |own| self.cases.category_names(&own.categories));
        let (id, annotator) = (self.cases.id_of(case), self.cases.annotator());
        self.say(format!(
            "another session of {annotator} has changed {id} to {names}: press the key again to replace it"
        ));
        true
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
