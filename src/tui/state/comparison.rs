//! Another run beside the one on the screen: who is right, whose answer flips.

use super::answers::CaseAnswers;
use crate::analysis::{CaseOutcome, Fused};
use crate::data::Answer;
use crate::tui::update::app::App;
use rustc_hash::FxHashMap;

/// The run that is compared with.
#[derive(Clone, Debug, Default)]
pub struct Against {
    pub name: String,
    /// By the case's position in the dataset.
    pub answers: FxHashMap<usize, CaseAnswers>,
}

/// Fused answers of both runs against gold: A is the run on the screen, B the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhoIsRight {
    Both,
    OnlyA,
    OnlyB,
    Neither,
}

impl WhoIsRight {
    pub const ALL: [Self; 4] = [Self::Both, Self::OnlyA, Self::OnlyB, Self::Neither];

    /// The word after `against:` in a filter.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::OnlyA => "a",
            Self::OnlyB => "b",
            Self::Neither => "neither",
        }
    }
}

impl App {
    /// Is there another run to compare with?
    pub fn compares_runs(&self) -> bool {
        self.against.is_some()
    }

    /// The other run's answers to a case.
    pub fn other_answers(&self, case: usize) -> Option<&CaseAnswers> {
        self.against.as_ref()?.answers.get(&case)
    }

    /// The answers of a case beside its gold label; `None` until every hit is read.
    pub fn outcome_of(&self, case: usize) -> Option<CaseOutcome> {
        let gold = self.gold_of(self.dataset.cases.get(case)?)?;
        self.answers_of(case)?.outcome(Some(gold))
    }

    /// Which of the two runs answers this case rightly; `None` where one of them has no answer.
    pub fn who_is_right(&self, case: usize) -> Option<WhoIsRight> {
        let gold = self.gold_of(self.dataset.cases.get(case)?)?;
        let right = |answers: &CaseAnswers| Some(answers.fused()?.prediction.is_right(Some(gold)));
        Some(match (right(self.answers_of(case)?)?, right(self.other_answers(case)?)?) {
            (true, true) => WhoIsRight::Both,
            (true, false) => WhoIsRight::OnlyA,
            (false, true) => WhoIsRight::OnlyB,
            (false, false) => WhoIsRight::Neither,
        })
    }

    /// Do the fused answers of the two runs differ?
    pub fn fused_flips(&self, case: usize) -> bool {
        let label = |answers: Option<&CaseAnswers>| answers.and_then(CaseAnswers::fused).map(answer_of);
        let (one, other) = (label(self.answers_of(case)), label(self.other_answers(case)));
        one.is_some() && other.is_some() && one != other
    }
}

fn answer_of(fused: &Fused) -> Option<Answer> {
    fused.prediction.answer
}
