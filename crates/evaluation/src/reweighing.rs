//! The fused answer with other weights: hits dropped or reweighed, another fuser, another temperature. It is computed
//! from the K predictions without any model.

use super::{Fused, Fuser, ScoredHit};

/// Limit on the sets of hits that [`Reweighing::smallest_flip`] tries within a frame: enough for all sets of twelve
/// hits.
const SETS: usize = 4_096;

/// A fusion as changed by the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Reweighing {
    pub fuser: Fuser,
    /// Divides the normalised scores before the softmax that gives λ; 1 is the paper's. Only for a fuser that
    /// [has one](Fuser::has_temperature).
    pub temperature: f32,
    /// Factors on the hits' weights; 0 drops a hit. Missing factors are 1.
    pub factors: Vec<f32>,
}

/// The fewest hits whose removal changes the fused answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmallestFlip {
    /// Removing these hits changes it, and no smaller set does; of sets of equal size, the first one.
    Without(Vec<usize>),
    /// No set of hits changes it; sets that leave nothing to fuse do not count.
    Never,
    /// No set of at most this size changes it; larger sets are too many to try.
    NoneUpTo(usize),
}

impl Default for Reweighing {
    /// The unchanged late fusion of the paper.
    fn default() -> Self {
        Self { fuser: Fuser::ScoreWeighted, temperature: 1.0, factors: Vec::new() }
    }
}

impl Reweighing {
    /// The fused answer. `None` if every hit is dropped, or if the fuser needs log-probabilities and there are none.
    pub fn fuse(&self, found: &[ScoredHit]) -> Option<Fused> {
        let factor = |hit: usize| self.factors.get(hit).copied().unwrap_or(1.0);
        let kept: Vec<usize> = (0..found.len()).filter(|hit| factor(*hit) > 0.0).collect();
        // Dropped hits must not count: the best score of a head is that of its remaining hits.
        let among: Vec<ScoredHit> = kept.iter().map(|hit| found[*hit]).collect();
        let mut weights = vec![0.0; found.len()];
        for (hit, weight) in kept.iter().zip(self.fuser.weights(&among, self.temperature)?) {
            weights[*hit] = weight * factor(*hit);
        }
        let sum: f32 = weights.iter().sum();
        if sum <= 0.0 {
            return None;
        }
        let weights: Vec<f32> = weights.iter().map(|weight| weight / sum).collect();
        Some(Fused { prediction: self.fuser.combine(found, &weights)?, weights })
    }

    /// The fewest hits whose removal changes the fused answer. `None` if there is no answer.
    pub fn smallest_flip(&self, found: &[ScoredHit]) -> Option<SmallestFlip> {
        let answer = self.fuse(found)?.prediction.answer;
        let kept: Vec<usize> =
            (0..found.len()).filter(|hit| self.factors.get(*hit).is_none_or(|factor| *factor > 0.0)).collect();
        let mut tried = 0;
        for size in 1..kept.len() {
            let mut chosen: Vec<usize> = (0..size).collect();
            loop {
                // Single hits are always tried, however many there are.
                if tried >= SETS && size > 1 {
                    return Some(SmallestFlip::NoneUpTo(size - 1));
                }
                let removed: Vec<usize> = chosen.iter().map(|place| kept[*place]).collect();
                let changed = self.without(&removed, found.len()).fuse(found);
                if changed.is_some_and(|fused| fused.prediction.answer != answer) {
                    return Some(SmallestFlip::Without(removed));
                }
                tried += 1;
                if !next_combination(&mut chosen, kept.len()) {
                    break;
                }
            }
        }
        Some(SmallestFlip::Never)
    }

    fn without(&self, removed: &[usize], count: usize) -> Self {
        let mut factors = self.factors.clone();
        factors.resize(count, 1.0);
        for hit in removed {
            factors[*hit] = 0.0;
        }
        Self { factors, ..self.clone() }
    }
}

/// Advances to the next choice of `chosen.len()` positions below `count` in lexicographic order; returns false after
/// the last.
fn next_combination(chosen: &mut [usize], count: usize) -> bool {
    let size = chosen.len();
    for place in (0..size).rev() {
        if chosen[place] < count - size + place {
            chosen[place] += 1;
            for later in place + 1..size {
                chosen[later] = chosen[later - 1] + 1;
            }
            return true;
        }
    }
    false
}

/// The push of each hit on the margin of the fused answer over the runner-up: λ · (log p(answer) − log p(runner-up)).
/// They sum to the margin; a negative one pushes away from the answer, and a hit without weight adds 0. `None` if
/// there are no log-probabilities or only one label.
pub fn contributions(found: &[ScoredHit], fused: &Fused) -> Option<Vec<f32>> {
    let scores = fused.prediction.scores.as_ref()?.log_probabilities();
    let answer = fused.prediction.label()?;
    let others = (0..scores.len()).filter(|label| *label != answer);
    let runner_up = others.max_by(|one, other| scores[*one].total_cmp(&scores[*other]))?;
    let mut parts = Vec::with_capacity(found.len());
    for ((_, prediction), weight) in found.iter().zip(&fused.weights) {
        if *weight == 0.0 {
            parts.push(0.0);
            continue;
        }
        let scores = prediction.scores.as_ref()?.log_probabilities();
        parts.push(weight * (scores.get(answer)? - scores.get(runner_up)?));
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuse;
    use dissent_core::run::{Head, LabelScores, Prediction, Provenance};

    /// Three hits for label 0; the last, very confident, for label 1.
    fn with_found(test: impl Fn(&[ScoredHit])) {
        let said = |p: f32| Prediction::from(LabelScores::exact(vec![p.ln(), (1.0 - p).ln()]));
        let predictions = [said(0.7), said(0.6), said(0.8), said(0.04)];
        let heads = [Head::Image, Head::Image, Head::Caption, Head::Caption];
        let places: Vec<[Provenance; 1]> = (0..4)
            .map(|i| [Provenance { head: heads[i], rank: i % 2 + 1, score: Some(0.9 - 0.1 * i as f32) }])
            .collect();
        let found: Vec<ScoredHit> = places.iter().map(<[_; 1]>::as_slice).zip(&predictions).collect();
        test(&found);
    }

    #[test]
    fn unchanged_it_is_the_papers_fusion() {
        with_found(|found| assert_eq!(Reweighing::default().fuse(found), fuse(found)));
    }

    #[test]
    fn a_dropped_hit_is_as_if_it_had_not_been_found() {
        with_found(|found| {
            let changed =
                Reweighing { factors: vec![1.0, 1.0, 1.0, 0.0], ..Reweighing::default() }.fuse(found).unwrap();
            let without = fuse(&found[..3]).unwrap();
            assert_eq!(changed.prediction, without.prediction);
            assert_eq!(changed.weights[3], 0.0);
            let none = Reweighing { factors: vec![0.0; 4], ..Reweighing::default() };
            assert_eq!(none.fuse(found), None);
        });
    }

    #[test]
    fn the_smallest_set_flips_and_no_smaller_one_does() {
        with_found(|found| {
            let how = Reweighing::default();
            assert_eq!(how.fuse(found).unwrap().prediction.label(), Some(1));
            assert_eq!(how.smallest_flip(found), Some(SmallestFlip::Without(vec![3])));
            let majority = Reweighing { fuser: Fuser::Majority, ..how };
            assert_eq!(majority.fuse(found).unwrap().prediction.label(), Some(0));
            // One against one is a tie, which the first wins, so all three must go.
            assert_eq!(majority.smallest_flip(found), Some(SmallestFlip::Without(vec![0, 1, 2])));
        });
    }

    #[test]
    fn a_search_that_gives_up_says_how_far_it_came() {
        // 20 hits say 0 and the last 8 say 1: 12 of the majority must go, far beyond what is tried.
        let said = |p: f32| Prediction::from(LabelScores::exact(vec![p.ln(), (1.0 - p).ln()]));
        let place = |rank: usize| [Provenance { head: Head::Image, rank, score: Some(0.9) }];
        let flip = |first: usize, second: usize| {
            let predictions: Vec<Prediction> =
                (0..first + second).map(|hit| said(if hit < first { 0.9 } else { 0.1 })).collect();
            let places: Vec<[Provenance; 1]> = (1..=first + second).map(place).collect();
            let found: Vec<ScoredHit> = places.iter().map(<[_; 1]>::as_slice).zip(&predictions).collect();
            Reweighing { fuser: Fuser::Majority, ..Reweighing::default() }.smallest_flip(&found).unwrap()
        };
        // All 28 single hits, 378 pairs and 3276 sets of three are tried, and some sets of four.
        assert_eq!(flip(20, 8), SmallestFlip::NoneUpTo(3));
        assert_eq!(flip(12, 0), SmallestFlip::Never, "every set of twelve hits is tried");
        assert_eq!(flip(13, 0), SmallestFlip::NoneUpTo(6));
        assert_eq!(flip(9, 8), SmallestFlip::Without(vec![0, 1]));
    }

    #[test]
    fn a_heavier_hit_and_another_fuser_change_the_answer() {
        with_found(|found| {
            let fused = |fuser: Fuser, factors: Vec<f32>| {
                Reweighing { fuser, factors, ..Reweighing::default() }.fuse(found).unwrap().prediction.label()
            };
            assert_eq!(fused(Fuser::TopOne, vec![]), Some(0));
            assert_eq!(fused(Fuser::MostConfident, vec![]), Some(1));
            assert_eq!(fused(Fuser::MostConfident, vec![1.0, 1.0, 1.0, 0.0]), Some(0));
            assert_eq!(fused(Fuser::Majority, vec![1.0, 1.0, 1.0, 4.0]), Some(1));
            assert_eq!(fused(Fuser::ScoreWeighted, vec![1.0, 1.0, 4.0, 0.25]), Some(0));
        });
    }

    #[test]
    fn a_low_temperature_leaves_the_best_score_alone() {
        with_found(|found| {
            let cold = Reweighing { temperature: 0.001, ..Reweighing::default() }.fuse(found).unwrap();
            // The best document of each head has score 1 after scaling.
            assert!((cold.weights[0] - 0.5).abs() < 1e-3 && (cold.weights[2] - 0.5).abs() < 1e-3, "{cold:?}");
        });
    }

    #[test]
    fn contributions_sum_to_the_margin() {
        with_found(|found| {
            let fused = fuse(found).unwrap();
            let scores = fused.prediction.scores.as_ref().unwrap().log_probabilities();
            let parts = contributions(found, &fused).unwrap();
            assert!((parts.iter().sum::<f32>() - (scores[1] - scores[0])).abs() < 1e-5);
            assert!(parts[0] < 0.0 && parts[3] > 0.0);
        });
    }
}
