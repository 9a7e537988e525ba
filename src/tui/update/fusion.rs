//! Changes to the fusion of the current case.

use super::app::App;
use crate::annotation::AnnotationEdit;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::selection::Shown;

impl App {
    /// Changes the fusion. The fused answer follows in the same frame, because no model is needed.
    pub(super) fn change_fusion(&mut self, action: Action) {
        let Some(case) = self.queue.current() else { return };
        let hit = self.selection.hit();
        let has_hit = hit < self.slots();
        let of_one_hit = matches!(action, Action::DropHit | Action::WeighUp | Action::WeighDown);
        if of_one_hit && self.selection.shown() != Shown::Hit {
            self.say("the document shown is not a hit: Esc returns to the hits");
            return;
        }
        match action {
            Action::DropHit if has_hit => self.what_if.toggle_drop(case, hit),
            Action::WeighUp if has_hit => self.what_if.weigh(case, hit, true),
            Action::WeighDown if has_hit => self.what_if.weigh(case, hit, false),
            Action::NextFuser => self.what_if.next_fuser(),
            Action::Sharpen | Action::Flatten if !self.what_if.has_temperature() => {
                let fuser = self.what_if.fuser().name();
                self.say(format!("{fuser} does not use the temperature: m changes the method"));
            }
            Action::Sharpen => self.what_if.change_temperature(false),
            Action::Flatten => self.what_if.change_temperature(true),
            Action::NextHead => {
                let hits = self.hits().to_vec();
                self.what_if.next_head(&hits);
            }
            Action::ResetFusion => {
                self.what_if.reset(case);
                self.remove_own(case);
            }
            _ => {}
        }
    }

    pub(super) fn keep_what_if(&mut self) -> Vec<Effect> {
        let Some(case) = self.queue.current() else { return Vec::new() };
        let Some(words) = self.what_if_words() else {
            self.say("the fusion is unchanged: Space drops a hit, + and - weigh it, m changes the method");
            return Vec::new();
        };
        let answer =
            self.fused_now().map_or_else(|| "no answer".to_owned(), |fused| self.answer_in_words(&fused.prediction));
        let words = format!("what if {words}: {answer}");
        let before = self.cases.annotation_of(case).and_then(|annotation| annotation.note.clone());
        let text = before.map_or(words.clone(), |note| format!("{note}; {words}"));
        self.record_here(|case| AnnotationEdit::Note { case, text })
    }
}
