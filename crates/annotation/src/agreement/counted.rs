//! Units by the number of annotators per answer, which suffices for the coefficients of several annotators.

use super::ratings::Ratings;
use std::collections::HashMap;

/// An answer and the number of annotators who gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Given {
    pub answer: usize,
    pub annotators: usize,
}

/// The units with an answer. Units with the same answers are one pattern, so that a resample counts patterns and not
/// units.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub patterns: Vec<Vec<Given>>,
    /// The pattern of each unit.
    pub cells: Vec<usize>,
    /// Answers that can be given.
    pub answers: usize,
    /// Units of each pattern.
    pub weights: Vec<usize>,
}

impl Counted {
    pub fn of(ratings: &Ratings) -> Self {
        let mut positions: HashMap<Vec<Given>, usize> = HashMap::new();
        let mut counted =
            Self { patterns: Vec::new(), cells: Vec::new(), answers: ratings.answers().len(), weights: Vec::new() };
        let mut counts = vec![0; ratings.answers().len()];
        for unit in ratings.units() {
            for answer in unit.iter().flatten() {
                counts[*answer] += 1;
            }
            let mut pattern: Vec<Given> = Vec::with_capacity(2);
            for answer in unit.iter().flatten() {
                // The answer is counted at its first mention.
                let annotators = std::mem::take(&mut counts[*answer]);
                if annotators > 0 {
                    pattern.push(Given { answer: *answer, annotators });
                }
            }
            if pattern.is_empty() {
                continue;
            }
            pattern.sort_unstable();
            let cell = *positions.entry(pattern).or_insert_with_key(|pattern| {
                counted.patterns.push(pattern.clone());
                counted.weights.push(0);
                counted.patterns.len() - 1
            });
            counted.cells.push(cell);
            counted.weights[cell] += 1;
        }
        counted
    }

    /// Mean over the units with two annotators or more of the share of their pairs that agree.
    pub fn observed_agreement(&self, weights: &[usize]) -> Option<f64> {
        let (mut units, mut agreement) = (0, 0.0);
        for (pattern, weight) in self.patterns.iter().zip(weights) {
            let annotators = annotators_of(pattern);
            if *weight == 0 || annotators < 2 {
                continue;
            }
            let alike: usize = pattern.iter().map(|given| given.annotators * (given.annotators - 1)).sum();
            agreement += *weight as f64 * alike as f64 / (annotators * (annotators - 1)) as f64;
            units += weight;
        }
        (units > 0).then(|| agreement / units as f64)
    }

    /// Mean over the units of each answer's share of the unit's annotators; empty without a unit.
    pub fn shares(&self, weights: &[usize]) -> Vec<f64> {
        let mut shares = vec![0.0; self.answers];
        let units: usize = weights.iter().sum();
        for (pattern, weight) in self.patterns.iter().zip(weights) {
            let of_one = *weight as f64 / (annotators_of(pattern) * units.max(1)) as f64;
            for given in pattern {
                shares[given.answer] += of_one * given.annotators as f64;
            }
        }
        shares
    }
}

pub(super) fn annotators_of(pattern: &[Given]) -> usize {
    pattern.iter().map(|given| given.annotators).sum()
}
