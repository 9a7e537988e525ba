//! Orders of the queue.

use super::queue::Queue;
use crate::cases::Cases;
use crate::evaluation::PartialCaseAnswer;
use std::cmp::Ordering;

/// An order. Cases that rank equal, and cases that are not read, keep the queue's own order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Dataset,
    Disagreement,
    Entropy,
    LeastConfident,
    OracleButWrong,
    Flips,
    UnseenFirst,
}

impl Order {
    pub const ALL: [Self; 7] = [
        Self::Dataset,
        Self::Disagreement,
        Self::Entropy,
        Self::LeastConfident,
        Self::OracleButWrong,
        Self::Flips,
        Self::UnseenFirst,
    ];

    /// Name on the screen and in saved views.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Disagreement => "disagreement",
            Self::Entropy => "entropy",
            Self::LeastConfident => "least-confident",
            Self::OracleButWrong => "oracle-but-wrong",
            Self::Flips => "flips",
            Self::UnseenFirst => "unseen",
        }
    }

    /// Purpose of the order.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Dataset => "the order of the dataset or of the assignment",
            Self::Disagreement => "most pairs of differing answers first",
            Self::Entropy => "most evenly split answers first",
            Self::LeastConfident => "smallest probability of the fused answer first",
            Self::OracleButWrong => "fused wrong although one hit is right, first",
            Self::Flips => "cases that the other run answers differently first",
            Self::UnseenFirst => "cases not opened yet first",
        }
    }

    /// Whether it depends on the models' answers.
    pub fn depends_on_answers(self) -> bool {
        !matches!(self, Self::Dataset | Self::UnseenFirst)
    }

    /// The order with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }

    /// Sorts positions of cases.
    pub fn sort(self, cases: &Cases, queue: &Queue, list: &mut [usize]) {
        if self == Self::Dataset {
            list.sort_unstable_by_key(|case| queue.place_among_all(*case));
            return;
        }
        // Each key is computed once: 20,000 cases take 300,000 comparisons.
        let key = |case: usize| (self.urgency(cases, case), queue.place_among_all(case), case);
        let mut keyed: Vec<(f64, usize, usize)> = list.iter().map(|case| key(*case)).collect();
        keyed.sort_by(|one, other| other.0.partial_cmp(&one.0).unwrap_or(Ordering::Equal).then(one.1.cmp(&other.1)));
        for (place, (.., case)) in list.iter_mut().zip(keyed) {
            *place = case;
        }
    }

    /// Sort key; larger comes first. Cases that are not read have the smallest.
    fn urgency(self, cases: &Cases, index: usize) -> f64 {
        let answers = cases.answers_of(index);
        let yes = |yes: bool| f64::from(u8::from(yes));
        let value = match self {
            Self::Dataset => None,
            Self::Disagreement => answers.and_then(PartialCaseAnswer::disagreement),
            Self::Entropy => answers.and_then(PartialCaseAnswer::entropy),
            Self::LeastConfident => {
                let fused = answers.and_then(PartialCaseAnswer::fused);
                fused.and_then(|fused| fused.prediction.probability()).map(|probability| -f64::from(probability))
            }
            Self::OracleButWrong => cases.outcome_of(index).map(|outcome| yes(outcome.is_in_gap())),
            Self::Flips => Some(yes(cases.fused_flips(index))),
            Self::UnseenFirst => Some(yes(!cases.is_seen(index))),
        };
        value.unwrap_or(f64::NEG_INFINITY)
    }
}
