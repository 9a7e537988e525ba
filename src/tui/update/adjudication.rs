//! Deciding a case: everybody's annotations side by side, a choice and a reason.

use super::app::App;
use crate::annotation::{AnnotationEdit, CategoryId};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::adjudication::Adjudication;
use crate::tui::state::overlay::Overlay;
use std::collections::BTreeSet;
use tui_input::Input;

impl App {
    pub(super) fn open_adjudication(&mut self, is_revealed: bool) {
        let Some(case) = self.queue.current() else { return };
        let is_revealed = is_revealed || !self.cases.hides_others(case);
        self.open(Overlay::Adjudication(Adjudication { case, is_revealed, ..Adjudication::default() }));
    }

    pub(super) fn update_adjudication(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::NextHit | Action::PreviousHit => return self.adjudicate_another(action == Action::NextHit),
            Action::Undo => return vec![Effect::Record(AnnotationEdit::Undo)],
            Action::Redo => return vec![Effect::Record(AnnotationEdit::Redo)],
            Action::Accept => return self.decide(),
            Action::ExportQueue => return self.export_queue(),
            Action::Cancel => {
                self.overlay = None;
                return Vec::new();
            }
            _ => {}
        }
        let several = self.cases.takes_several_categories();
        let Some(Overlay::Adjudication(adjudication)) = &mut self.overlay else { return Vec::new() };
        let review = self.cases.review_of(adjudication.case);
        let authored = review.map_or(&[][..], |review| review.annotations.as_slice());
        match action {
            Action::Down => adjudication.selected = (adjudication.selected + 1).min(authored.len().saturating_sub(1)),
            Action::Up => adjudication.selected = adjudication.selected.saturating_sub(1),
            Action::Reveal => adjudication.is_revealed = true,
            Action::Complete => return self.copy_categories(),
            Action::Delete => adjudication.chosen = Some(BTreeSet::new()),
            Action::Annotate(category)
                if self.cases.category(&category).is_some_and(|known| known.level.is_of_case()) =>
            {
                adjudication.choose(category, several);
            }
            Action::Note => adjudication.typing = Some(Input::new(adjudication.reason.clone())),
            _ => {}
        }
        Vec::new()
    }

    /// The categories that can be copied from the selected annotator.
    ///
    /// # Errors
    /// Fails with the reason if there is nothing to copy.
    pub fn categories_to_copy(&self) -> Result<BTreeSet<CategoryId>, String> {
        let Some(Overlay::Adjudication(open)) = &self.overlay else { return Err(String::new()) };
        if !open.is_revealed {
            return Err("nothing copied: press s to show the annotations of the case".to_owned());
        }
        let selected = self.cases.review_of(open.case).and_then(|review| review.annotations.get(open.selected));
        let Some(authored) = selected else { return Err("nothing copied: nobody has annotated this case".to_owned()) };
        let (name, annotation) = (&authored.annotator, &authored.annotation);
        let known = annotation.categories.iter().filter(|id| self.cases.category(id).is_some());
        let known: BTreeSet<CategoryId> = known.cloned().collect();
        if !known.is_empty() {
            return Ok(known);
        }
        let reason = if !annotation.categories.is_empty() {
            "used a category that the taxonomy no longer has"
        } else if annotation.skipped {
            "skipped this case; x decides that no category applies"
        } else {
            "gave the case no category; x decides that none applies"
        };
        Err(format!("nothing copied: {name} {reason}"))
    }

    fn copy_categories(&mut self) -> Vec<Effect> {
        match (self.categories_to_copy(), &mut self.overlay) {
            (Ok(categories), Some(Overlay::Adjudication(open))) => open.chosen = Some(categories),
            (Err(reason), _) => self.say(reason),
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn update_reason(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Adjudication(adjudication)) = &mut self.overlay else { return Vec::new() };
        match (action, adjudication.typing.take()) {
            (Action::Accept, Some(input)) => input.value().trim().clone_into(&mut adjudication.reason),
            (Action::Cancel, _) => {}
            (_, typing) => adjudication.typing = typing,
        }
        Vec::new()
    }

    /// Records the decision together with the annotations it was based on; nobody decides what they have not seen.
    fn decide(&mut self) -> Vec<Effect> {
        let Some(Overlay::Adjudication(adjudication)) = &self.overlay else { return Vec::new() };
        let missing = match &adjudication.chosen {
            _ if !adjudication.is_revealed => "nothing decided: press s to show the annotations of the case",
            None => "nothing decided: press a category's key, Space for the selected annotator's, x for none",
            Some(categories) => {
                let case = self.cases.id_of(adjudication.case);
                let (categories, reason) = (categories.clone(), adjudication.reason.clone());
                return vec![Effect::Record(AnnotationEdit::Decide { case, categories, reason })];
            }
        };
        self.say(missing);
        Vec::new()
    }

    fn adjudicate_another(&mut self, forward: bool) -> Vec<Effect> {
        let is_revealed = self.case_with_others_shown().is_some();
        if !self.queue.step(if forward { 1 } else { -1 }) {
            return Vec::new();
        }
        let effects = self.open_current();
        self.open_adjudication(is_revealed);
        effects
    }

    /// Goes on to the next case after a decision is on disk; that case is decided in the same overlay.
    pub(super) fn decided(&mut self, case: usize) -> Vec<Effect> {
        let is_open = matches!(&self.overlay, Some(Overlay::Adjudication(open)) if open.case == case);
        if !is_open {
            return Vec::new();
        }
        if self.queue.place() + 1 == self.queue.shown().len() {
            self.overlay = None;
            return Vec::new();
        }
        self.adjudicate_another(true)
    }
}
