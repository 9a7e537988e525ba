//! Deciding a case: everybody's words side by side, a choice and a reason.

use super::app::{App, Notice, Overlay};
use crate::annotation::{AnnotationEdit, CaseReview, CategoryId};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use std::collections::BTreeSet;
use tui_input::Input;

/// The case being decided.
#[derive(Clone, Debug, Default)]
pub struct Adjudication {
    /// Position in the dataset.
    pub case: usize,
    /// What others said is on the screen; once asked for it is for the next cases, too.
    pub is_revealed: bool,
    /// Place among the voices.
    pub selected: usize,
    /// The categories decided on; `None` until something is chosen.
    pub chosen: Option<BTreeSet<CategoryId>>,
    pub reason: String,
    /// The reason while it is being typed.
    pub typing: Option<Input>,
}

impl App {
    /// What everybody says about a case; `None` if nobody has annotated or decided it.
    pub fn people_on(&self, case: usize) -> Option<&CaseReview> {
        self.people.get(&case)
    }

    /// Are others' words to stay out of sight until they are asked for? Whoever reads blind, or has not said anything of
    /// the case yet, is not to be led.
    pub fn hides_people(&self, case: usize) -> bool {
        self.is_blind || !self.marks.get(&case).is_some_and(|own| own.is_decided())
    }

    /// Where the case stands among all who spoke, as the line under its answers has it; `None` where nobody else did, or
    /// where that would lead.
    pub fn standing_shown(&self, case: usize) -> Option<&'static str> {
        let others = self.people_on(case).filter(|review| self.count_of_others(review) > 0);
        others.filter(|_| !self.hides_people(case)).map(|review| review.standing().word())
    }

    /// How many others than the annotator have annotated the case.
    pub fn count_of_others(&self, review: &CaseReview) -> usize {
        review.annotations.iter().filter(|authored| authored.annotator != self.annotator).count()
    }

    /// The case of which others' words are on the screen.
    pub fn case_with_people(&self) -> Option<usize> {
        match &self.overlay {
            Some(Overlay::Adjudication(adjudication)) => adjudication.is_revealed.then_some(adjudication.case),
            _ => None,
        }
    }

    pub(super) fn open_adjudication(&mut self, is_revealed: bool) {
        let Some(case) = self.queue.current() else { return };
        let is_revealed = is_revealed || !self.hides_people(case);
        self.overlay = Some(Overlay::Adjudication(Adjudication { case, is_revealed, ..Adjudication::default() }));
    }

    pub(super) fn update_adjudication(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::NextHit | Action::PreviousHit => return self.adjudicate_another(action == Action::NextHit),
            Action::Undo => return vec![Effect::Record(AnnotationEdit::Undo)],
            Action::Redo => return vec![Effect::Record(AnnotationEdit::Redo)],
            Action::Accept => return self.decide(),
            Action::Cancel => {
                self.overlay = None;
                return Vec::new();
            }
            _ => {}
        }
        let several = self.several;
        let Some(Overlay::Adjudication(adjudication)) = &mut self.overlay else { return Vec::new() };
        let authored = self.people.get(&adjudication.case).map_or(&[][..], |review| review.annotations.as_slice());
        match action {
            Action::Down => adjudication.selected = (adjudication.selected + 1).min(authored.len().saturating_sub(1)),
            Action::Up => adjudication.selected = adjudication.selected.saturating_sub(1),
            Action::Reveal => adjudication.is_revealed = true,
            Action::Complete if adjudication.is_revealed => {
                let selected = authored.get(adjudication.selected);
                let ids = selected.into_iter().flat_map(|authored| &authored.annotation.categories);
                let known: BTreeSet<CategoryId> =
                    ids.filter(|id| self.categories.iter().any(|known| known.id == **id)).cloned().collect();
                if !known.is_empty() {
                    adjudication.chosen = Some(known);
                }
            }
            Action::Delete => adjudication.chosen = Some(BTreeSet::new()),
            Action::Annotate(category)
                if self.categories.iter().any(|known| known.id == category && known.level.is_of_case()) =>
            {
                adjudication.choose(category, several);
            }
            Action::Note => adjudication.typing = Some(Input::new(adjudication.reason.clone())),
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

    /// A decision takes down what it was made on: nobody decides what they have not seen.
    fn decide(&mut self) -> Vec<Effect> {
        let Some(Overlay::Adjudication(adjudication)) = &self.overlay else { return Vec::new() };
        let missing = match &adjudication.chosen {
            _ if !adjudication.is_revealed => "nothing decided: press s to show the annotations of the case",
            None => "nothing decided: press a category's key, Space for the selected annotator's, x for none",
            Some(categories) => {
                let Some(case) = self.dataset.cases.get(adjudication.case) else { return Vec::new() };
                let (case, categories, reason) = (case.id.clone(), categories.clone(), adjudication.reason.clone());
                return vec![Effect::Record(AnnotationEdit::Decide { case, categories, reason })];
            }
        };
        self.notice = Some(Notice::Said(missing.into()));
        Vec::new()
    }

    fn adjudicate_another(&mut self, forward: bool) -> Vec<Effect> {
        let is_revealed = self.case_with_people().is_some();
        if !self.queue.step(if forward { 1 } else { -1 }) {
            return Vec::new();
        }
        let effects = self.open_current();
        self.open_adjudication(is_revealed);
        effects
    }

    /// A decision is on disk: on to the next case, which is decided in the same place.
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

impl Adjudication {
    /// As for annotations: where a case may have several categories one is put in or taken out, else it takes the place
    /// of the other.
    fn choose(&mut self, category: CategoryId, several: bool) {
        if !several {
            self.chosen = Some(BTreeSet::from([category]));
            return;
        }
        let chosen = self.chosen.get_or_insert_default();
        if !chosen.remove(&category) {
            chosen.insert(category);
        }
    }
}
