//! Coefficients that correct the observed agreement for chance: (observed − chance) / (1 − chance). They differ in how
//! they define chance.

use super::counted::{Counted, Given, annotators_of};

/// Fleiss' kappa (1971), with missing values as generalised by Gwet (2014): chance is the sum of the squared shares of
/// the answers. `None` if only one answer was given.
pub(super) fn fleiss(counted: &Counted, weights: &[usize]) -> Option<f64> {
    let chance = counted.shares(weights).iter().map(|share| share * share).sum();
    corrected(counted.observed_agreement(weights)?, chance)
}

/// Gwet's AC1 (2008): chance is Σ share · (1 − share) / (answers − 1), over the `answers` that can be given. `None` if
/// only one can be.
pub(super) fn gwet(counted: &Counted, weights: &[usize]) -> Option<f64> {
    if counted.answers < 2 {
        return None;
    }
    let spread: f64 = counted.shares(weights).iter().map(|share| share * (1.0 - share)).sum();
    corrected(counted.observed_agreement(weights)?, spread / (counted.answers - 1) as f64)
}

/// Cohen's kappa (1960) of two annotators from the number of units by their two answers: chance is the sum over answers
/// of the product of both annotators' shares. `None` without a unit, or if both gave one and the same answer.
pub(super) fn cohen(pairs: &[(usize, usize)], weights: &[usize], answers: usize) -> Option<f64> {
    let (mut first, mut second) = (vec![0_usize; answers], vec![0_usize; answers]);
    let (mut n, mut alike) = (0, 0);
    for ((one, other), weight) in pairs.iter().zip(weights) {
        first[*one] += weight;
        second[*other] += weight;
        n += weight;
        if one == other {
            alike += weight;
        }
    }
    if n == 0 {
        return None;
    }
    let n = n as f64;
    let chance = first.iter().zip(&second).map(|(one, other)| *one as f64 / n * (*other as f64 / n)).sum();
    corrected(alike as f64 / n, chance)
}

/// Krippendorff's alpha (2011, section C and formula D): 1 − observed / expected disagreement, over the units with two
/// annotators or more. `distance[one][other]` of two answers is 0 to 1. `None` if no two different answers were given.
pub(super) fn krippendorff(counted: &Counted, weights: &[usize], distance: &[Vec<f64>]) -> Option<f64> {
    let mut totals = vec![0.0; counted.answers];
    let (mut n, mut observed) = (0.0, 0.0);
    for (pattern, weight) in counted.patterns.iter().zip(weights) {
        let annotators = annotators_of(pattern);
        if *weight == 0 || annotators < 2 {
            continue;
        }
        let weight = *weight as f64;
        for Given { answer, annotators } in pattern {
            totals[*answer] += weight * *annotators as f64;
        }
        n += weight * annotators as f64;
        observed += weight * disagreement_within(pattern, distance) / (annotators - 1) as f64;
    }
    let mut expected = 0.0;
    for (one, total) in totals.iter().enumerate().filter(|(_, total)| **total > 0.0) {
        let others = totals[..one].iter().zip(&distance[one]);
        expected += 2.0 * total * others.map(|(other, distance)| other * distance).sum::<f64>();
    }
    // observed / n over expected / (n · (n − 1)).
    (expected > 0.0).then(|| 1.0 - observed * (n - 1.0) / expected)
}

/// The sum of distances over the ordered pairs of annotators.
fn disagreement_within(pattern: &[Given], distance: &[Vec<f64>]) -> f64 {
    let mut sum = 0.0;
    for (place, one) in pattern.iter().enumerate() {
        for other in &pattern[..place] {
            sum += 2.0 * (one.annotators * other.annotators) as f64 * distance[one.answer][other.answer];
        }
    }
    sum
}

fn corrected(observed: f64, chance: f64) -> Option<f64> {
    // If only one answer was given, its share is 1 up to rounding.
    (1.0 - chance > 1e-12).then(|| (observed - chance) / (1.0 - chance))
}
