//! The other run that the shown run is compared with.

use crate::evaluation::PartialCaseAnswer;
use crate::run::Ablation;
use rustc_hash::FxHashMap;

/// The other run.
#[derive(Clone, Debug, Default)]
pub struct Against {
    pub name: String,
    /// What the other run withholds from its reader.
    pub ablation: Ablation,
    /// The run was made on another corpus than the shown one: the same ids may stand for other documents.
    pub has_other_corpus: bool,
    /// One of the two runs has log-probabilities, the other shares of sampled answers (≈).
    pub has_other_kind_of_answer: bool,
    /// Its probabilities are shares of sampled answers (≈).
    pub is_sampled: bool,
    /// Answers by the case's position in the dataset.
    pub answers: FxHashMap<usize, PartialCaseAnswer>,
}

/// What follows the name of a run that has the other kind of answers.
pub const OTHER_KIND_OF_ANSWER: &str =
    "has other probabilities: in one of the two runs they are ≈ shares of sampled answers";

/// Correctness of the final answers of both runs: A is the shown run, B the other.
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
