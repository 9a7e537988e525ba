//! The current case on the screen: its hits, the selected document, the fused answer.

use super::app::App;
use crate::data::Document;
use crate::evaluation::{CaseOutcome, Fused, PartialCaseAnswer, SmallestFlip, UserHit};
use crate::run::{Hit, Prediction};
use crate::tui::state::selection::Shown;
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
    pub fn shown_document(&self) -> Option<&Document> {
        self.dataset().corpus.get(self.shown_row()?)
    }

    /// Name and probability of an answer to the current case, such as "Yes 0.75".
    pub fn answer_in_words(&self, prediction: &Prediction) -> String {
        let case = self.queue.current();
        let name = case.map_or_else(String::new, |case| self.cases.answer_name(case, prediction.answer));
        match prediction.probability() {
            Some(probability) => format!("{name} {probability:.2}"),
            None => name,
        }
    }

    /// Width of the longest name of an answer to the current case, in columns.
    pub fn longest_answer(&self) -> usize {
        let Some((index, case)) = self.current() else { return 0 };
        if self.cases.is_open(index) {
            return self.cases.given_answers(index).iter().map(|(_, words)| words.width()).max().unwrap_or(0);
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
        let (index, case) = self.current()?;
        let gold = self.cases.gold_of(case)?;
        Some(if self.cases.is_open(index) { case.answer.clone() } else { self.cases.answer_name(index, Some(gold)) })
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
        let has_own = self.cases.answers_of(case).is_some_and(|answers| answers.user_hits.iter().any(UserHit::is_read));
        has_own || self.what_if.changes(case)
    }

    /// The slots that are read, including the user's own evidence, and the outcome of their answers and of
    /// [`App::fused_now`] against the gold label.
    pub fn outcome_now(&self) -> Option<(Vec<usize>, CaseOutcome)> {
        let (_, answers) = self.current_answers()?;
        let gold = self.cases.gold_of(self.current()?.1)?;
        let fused = self.fused_now()?.prediction;
        let (slots, predictions): (Vec<usize>, Vec<&Prediction>) = answers.read_slots().into_iter().unzip();
        Some((slots, CaseOutcome::new(Some(gold), predictions, &fused)))
    }

    /// The user's changes to the current case's fusion, in words.
    pub fn what_if_words(&self) -> Option<String> {
        let (case, answers) = self.current_answers()?;
        let words = self.what_if.words(case, answers);
        (self.fusion_is_changed(case) && !words.is_empty()).then_some(words)
    }
}
