//! Two runs on one case: their documents side by side, and moving among them.

use super::app::App;
use crate::cases::comparison::OTHER_KIND_OF_ANSWER;
use crate::evaluation::PartialCaseAnswer;
use crate::tui::state::overlay::Notice;
use crate::tui::state::selection::Shown;

/// A document found by either run, with its position in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aligned {
    /// Row in the corpus.
    pub row: usize,
    pub a: Option<usize>,
    pub b: Option<usize>,
}

impl App {
    /// Says that the loaded models give another kind of probabilities than the run they are compared with. Of a stored run
    /// that was said when it was opened.
    pub(super) fn warn_of_other_kind_of_answers(&mut self) {
        let (Some(models), Some(against)) = (self.worker.models(), self.cases.against()) else { return };
        if self.cases.stored_run().is_none() && against.is_sampled != models.is_sampled {
            let words = format!("run {} {OTHER_KIND_OF_ANSWER}", against.name);
            self.notify(Notice::Error(words));
        }
    }

    pub(super) fn toggle_comparison(&mut self) {
        if !self.cases.compares_runs() {
            self.say("no run to compare with: start with --against NAME");
            return;
        }
        self.comparing = !self.comparing;
        if self.selection.other_hit().is_some() {
            self.selection.show_hit();
        }
    }

    /// A's hits in order, then those that only B found; empty unless both runs are shown and have answered the case.
    pub fn aligned_hits(&self) -> Vec<Aligned> {
        let Some(case) = self.queue.current().filter(|_| self.comparing) else { return Vec::new() };
        match (self.cases.answers_of(case), self.cases.other_answers(case)) {
            (Some(ours), Some(theirs)) => align(ours, theirs),
            _ => Vec::new(),
        }
    }

    /// Moves among A's hits, the documents that only B found, and the user's own evidence, in this order; stops at the ends.
    /// Returns false if no other run is shown.
    pub(super) fn step_aligned(&mut self, steps: isize) -> bool {
        let aligned = self.aligned_hits();
        if aligned.is_empty() {
            return false;
        }
        let (found, only_b) = (self.hits().len(), aligned.len() - self.hits().len());
        let hit = self.selection.hit();
        let of_b = |place: usize| aligned.iter().position(|document| document.a.is_none() && document.b == Some(place));
        let at = match self.selection.other_hit().and_then(of_b) {
            Some(at) => at,
            None if hit < found => hit,
            None => hit + only_b,
        };
        let last = (self.slots() + only_b).saturating_sub(1);
        self.select_aligned(at.saturating_add_signed(steps).min(last));
        true
    }

    /// Selects the document at this place of the table; places after it are those of the user's own evidence.
    pub(super) fn select_aligned(&mut self, at: usize) {
        let aligned = self.aligned_hits();
        match aligned.get(at) {
            Some(Aligned { a: None, b: Some(place), row }) => {
                let last = self.hits().len().saturating_sub(1);
                // The user's own evidence stands after it, and the table of both runs has none of that.
                self.selection.set_hit(self.selection.hit().min(last));
                self.selection.show_other_hit(*place, *row);
            }
            Some(_) => self.selection.look_at_hit(at),
            None => self.selection.look_at_hit(at - (aligned.len() - self.hits().len()).min(at)),
        }
    }

    /// Whether the table shows both runs: the user's own evidence, which is in neither, has the table of this run.
    pub(super) fn shows_aligned(&self) -> bool {
        let is_own = self.selection.shown() == Shown::Hit && self.selection.hit() >= self.hits().len();
        !is_own && !self.aligned_hits().is_empty()
    }
}

/// A's hits in order, then those that only B found.
fn align(ours: &PartialCaseAnswer, theirs: &PartialCaseAnswer) -> Vec<Aligned> {
    let (ours, theirs) = (ours.hits().unwrap_or_default(), theirs.hits().unwrap_or_default());
    let mut aligned = Vec::new();
    for (place, hit) in ours.iter().enumerate() {
        let other = theirs.iter().position(|other| other.row == hit.row);
        aligned.push(Aligned { row: hit.row, a: Some(place), b: other });
    }
    for (place, hit) in theirs.iter().enumerate() {
        if !ours.iter().any(|other| other.row == hit.row) {
            aligned.push(Aligned { row: hit.row, a: None, b: Some(place) });
        }
    }
    aligned
}
