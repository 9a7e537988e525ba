//! Another run beside the one on the screen.

use crate::evaluation::CaseAnswers;
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
