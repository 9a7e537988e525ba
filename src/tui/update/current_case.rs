//! The current case on the screen: its hits, the selected document, the fused answer.

use super::app::App;
use crate::cases::given_evidence::GivenEvidence;
use crate::data::DocumentView;
use crate::evaluation::{CaseOutcome, Fused, PartialCaseAnswer, SmallestFlip};
use crate::run::{Hit, Prediction};
use crate::tui::state::caption_names::NamedCaption;
use crate::tui::state::selection::Shown;
use std::sync::Arc;
use unicode_width::UnicodeWidthStr;

impl App {
    fn current_answers(&self) -> Option<(usize, &PartialCaseAnswer)> {
        let case = self.queue.current()?;
        Some((case, self.cases.answers_of(case)?))
    }

    /// The hits of the current case; empty until they arrive.
    pub fn hits(&self) -> &[Hit] {
        self.current_answers().and_then(|(_, answers)| answers.hits()).unwrap_or_default()
    }

    /// Number of hits of the current case, including the user's own evidence.
    pub fn slots(&self) -> usize {
        self.current_answers().map_or(0, |(_, answers)| answers.slots())
    }

    /// The selected hit.
    pub fn selected_hit(&self) -> Option<&Hit> {
        self.current_answers()?.1.hit_at(self.selection.hit())
    }

    /// Row of the document whose image is shown; keys for documents act on it.
    pub fn shown_row(&self) -> Option<usize> {
        match self.selection.shown() {
            Shown::Row(row) => Some(row),
            Shown::Hit => self.selected_hit().map(|hit| hit.row),
        }
    }

    /// The document whose image is shown.
    pub fn shown_document(&self) -> Option<DocumentView<'_>> {
        self.dataset().corpus.get(self.shown_row()?)
    }

    /// The other run's hit that is shown, and the answer with it, if only that run found it.
    pub fn other_hit_shown(&self) -> Option<(&Hit, Option<&Prediction>)> {
        let place = self.selection.other_hit()?;
        let answers = self.cases.other_answers(self.queue.current()?)?;
        Some((answers.hits()?.get(place)?, answers.prediction_at(place)))
    }

    /// Name and probability of an answer to the current case, such as "Yes 0.75".
    pub fn answer_in_words(&self, prediction: &Prediction) -> String {
        let case = self.queue.current();
        let name = case.map_or_else(String::new, |case| self.cases.answer_name(case, prediction.answer));
        match prediction.probability() {
            Some(probability) => format!("{name} {}{probability:.2}", prediction.probability_sign().trim()),
            None => name,
        }
    }

    /// Width of the longest name of an answer to the current case, in columns.
    pub fn longest_answer(&self) -> usize {
        let Some((index, case)) = self.current() else { return 0 };
        if self.cases.is_open(index) || self.cases.takes_sets(index) {
            let given = self.cases.given_answers(index);
            let width = |answer| self.cases.answer_name(index, Some(answer)).width();
            return given.iter().map(|(answer, _)| width(*answer)).max().unwrap_or(0);
        }
        let labels = self.cases.task_of(case).map(|task| task.labels.as_slice()).unwrap_or_default();
        labels.iter().map(|label| label.name.width()).max().unwrap_or(0)
    }

    /// Whether the current case is answered in words.
    pub fn is_in_words(&self) -> bool {
        self.queue.current().is_some_and(|case| self.cases.is_open(case))
    }

    /// The gold answer to the current case: its label's name, or its words.
    pub fn gold_name(&self) -> Option<String> {
        self.cases.gold_name(self.current()?.0)
    }

    /// The fused answer of the current case with the user's changes, if any. `None` until every hit is read, or if
    /// every hit is dropped.
    pub fn fused_now(&self) -> Option<Fused> {
        let (case, answers) = self.current_answers()?;
        if !self.fusion_is_changed(case) {
            return answers.fused().cloned();
        }
        self.what_if.reweighing(case, answers).fuse(&answers.found_with_user_hits()?)
    }

    /// The fewest hits whose removal changes the answer of [`App::fused_now`], as positions among the hits.
    pub fn smallest_flip(&self) -> Option<SmallestFlip> {
        let (case, answers) = self.current_answers()?;
        self.last_flip.of(&self.what_if.reweighing(case, answers), &answers.found_with_user_hits()?)
    }

    /// Whether the fused answer on the screen may differ from that of the hits as retrieved.
    pub fn fusion_is_changed(&self, case: usize) -> bool {
        self.cases.answers_of(case).is_some_and(|answers| self.what_if.changes(case, answers))
    }

    /// The slots that the case's figures count, with the reader's answers: what was retrieved, and of a person's own
    /// evidence what is put in.
    pub fn counted_slots(&self) -> Vec<(usize, &Prediction)> {
        let Some((case, answers)) = self.current_answers() else { return Vec::new() };
        let mut slots = answers.read_slots();
        slots.retain(|(slot, _)| answers.user_hit_at(*slot).is_none() || !self.what_if.hit(case, *slot).dropped);
        slots
    }

    /// Whether the user's own evidence, which nobody has retrieved, is among what the case's figures count?
    pub fn counts_own_evidence(&self) -> bool {
        let Some((_, answers)) = self.current_answers() else { return false };
        self.counted_slots().last().is_some_and(|(slot, _)| answers.user_hit_at(*slot).is_some())
    }

    /// What the reader was given in this slot of the current case.
    pub fn given_at(&self, slot: usize) -> Option<GivenEvidence<'_>> {
        self.cases.given_at(self.queue.current()?, slot)
    }

    /// What the reader of the other run was given in the current case with the document in this row.
    pub fn given_by_other(&self, row: usize) -> Option<GivenEvidence<'_>> {
        self.cases.given_by_other(self.queue.current()?, row)
    }

    /// This document's caption on one line, with the parts that name a label of the current case.
    pub fn caption_names(&self, document: DocumentView) -> Option<Arc<NamedCaption>> {
        let (index, case) = self.current()?;
        Some(self.caption_names.of(index, self.cases.task_of(case)?, document))
    }

    /// What the reader was given with the document that is shown: the other run's reader, if only that run found it. A
    /// document found by search is shown whole.
    pub fn given_evidence(&self) -> Option<GivenEvidence<'_>> {
        match self.selection.shown() {
            Shown::Row(row) if self.selection.other_hit().is_some() => self.given_by_other(row),
            Shown::Row(row) => self.dataset().corpus.get(row).map(GivenEvidence::whole),
            Shown::Hit => self.given_at(self.selection.hit()),
        }
    }

    /// The answers on the screen beside the gold label: the slots that count, and of their answers and the fused one of
    /// [`App::fused_now`] what they say together.
    pub fn outcome_now(&self) -> Option<(Vec<usize>, CaseOutcome)> {
        let gold = self.cases.gold_of(self.current()?.1)?;
        let fused = self.fused_now()?.prediction;
        let (slots, predictions): (Vec<usize>, Vec<&Prediction>) = self.counted_slots().into_iter().unzip();
        Some((slots, CaseOutcome::new(Some(gold), predictions, &fused)))
    }

    /// The user's changes to the current case's fusion, in words.
    pub fn what_if_words(&self) -> Option<String> {
        let (case, answers) = self.current_answers()?;
        let words = self.what_if.words(case, answers, &|own| self.cases.own_evidence_name(own));
        let words = self.cases.in_words_of_run(&words).into_owned();
        (self.fusion_is_changed(case) && !words.is_empty()).then_some(words)
    }
}
