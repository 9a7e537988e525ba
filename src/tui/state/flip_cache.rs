//! Caches the smallest change that flips the fused answer. The search tries thousands of sets of hits, so it runs
//! once per state of the case, not per frame.

use crate::evaluation::{Reweighing, ScoredHit, SmallestFlip};
use crate::run::{Prediction, Provenance};
use std::cell::RefCell;

/// The latest search and its result.
#[derive(Default)]
pub struct FlipCache(RefCell<Option<Searched>>);

struct Searched {
    how: Reweighing,
    found: Vec<(Vec<Provenance>, Prediction)>,
    flip: Option<SmallestFlip>,
}

impl FlipCache {
    /// Same result as [`Reweighing::smallest_flip`], cached while fusion and answers stay the same.
    pub fn of(&self, how: &Reweighing, found: &[ScoredHit]) -> Option<SmallestFlip> {
        if let Some(last) = self.0.borrow().as_ref()
            && last.is_of(how, found)
        {
            return last.flip.clone();
        }
        let flip = how.smallest_flip(found);
        let found = found.iter().map(|(provenances, prediction)| (provenances.to_vec(), (*prediction).clone()));
        self.0.replace(Some(Searched { how: how.clone(), found: found.collect(), flip: flip.clone() }));
        flip
    }
}

impl Searched {
    fn is_of(&self, how: &Reweighing, found: &[ScoredHit]) -> bool {
        let known = self.found.iter().map(|(provenances, prediction)| (provenances.as_slice(), prediction));
        self.how == *how && known.eq(found.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::Fuser;
    use crate::run::LabelScores;

    #[test]
    fn another_fusion_or_another_answer_is_searched_anew() {
        let said = |p: f32| Prediction::from(LabelScores::exact(vec![p.ln(), (1.0 - p).ln()]));
        let predictions = [said(0.9), said(0.9), said(0.01)];
        let found: Vec<ScoredHit> = predictions.iter().map(|prediction| (&[] as &[Provenance], prediction)).collect();
        let majority = Reweighing { fuser: Fuser::Majority, ..Reweighing::default() };
        let mean = Reweighing { fuser: Fuser::MeanLogProbability, ..Reweighing::default() };
        let last = FlipCache::default();
        for (how, found) in [(&majority, &found[..]), (&majority, &found), (&mean, &found), (&mean, &found[..2])] {
            assert_eq!(last.of(how, found), how.smallest_flip(found));
        }
        assert_ne!(majority.smallest_flip(&found), mean.smallest_flip(&found), "or the test says nothing");
    }
}
