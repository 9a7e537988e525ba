//! Fusers: the paper's fusion and alternatives, all on stored predictions. A fuser is a variant of [`Fuser`], a name, weights
//! and how these combine the predictions; [`Fuser::UNTRAINED`] is the list that the table and the explorer go through.

use super::ScoredHit;
use super::fusion::{normalised_scores, softmax, weighted_answer, weighted_sum, weighted_vote};
use super::learned_fusion::LearnedWeights;
use dissent_core::run::Prediction;

/// A method that fuses K predictions into one answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fuser {
    /// Weighs by the retriever's scores (paper, late fusion; docs/method.md, "Fusion").
    ScoreWeighted,
    /// Σ log p / K: all predictions have equal weight.
    MeanLogProbability,
    /// The most frequent answer; in a tie, the one that comes first.
    Majority,
    /// The answer with the first document.
    TopOne,
    /// The answer whose own prediction gives it the largest probability.
    MostConfident,
    /// Weighs by what was learned on the validation split.
    Learned(LearnedWeights),
}

impl Fuser {
    /// The fusers that need no validation split, the paper's first: in this order they are rows of the table `fusers`, and
    /// the explorer's key goes through them.
    pub const UNTRAINED: [Self; 5] =
        [Self::ScoreWeighted, Self::MeanLogProbability, Self::Majority, Self::TopOne, Self::MostConfident];

    /// Name in tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ScoreWeighted => "score-weighted",
            Self::MeanLogProbability => "mean log-probability",
            Self::Majority => "majority",
            Self::TopOne => "top-1",
            Self::MostConfident => "most confident",
            Self::Learned(_) => "learned weights",
        }
    }

    /// Whether a temperature changes its weights.
    pub fn has_temperature(&self) -> bool {
        matches!(self, Self::ScoreWeighted)
    }

    /// The fused answer. Returns `None` if there is nothing to fuse, or if the fuser needs log-probabilities and there are
    /// none.
    pub fn answer(&self, found: &[ScoredHit]) -> Option<Prediction> {
        self.combine(found, &self.weights(found, 1.0)?)
    }

    /// The weight of each hit, summing to 1; a fuser that picks one hit gives it all. `temperature` divides the normalised
    /// scores before the softmax; 1 is the paper's. `None` as in [`Fuser::answer`].
    pub(super) fn weights(&self, found: &[ScoredHit], temperature: f32) -> Option<Vec<f32>> {
        if found.is_empty() {
            return None;
        }
        let all_to = |picked: usize| (0..found.len()).map(|hit| f32::from(u8::from(hit == picked))).collect();
        Some(match self {
            Self::ScoreWeighted => {
                let scores = normalised_scores(found)?;
                softmax(&scores.iter().map(|score| score / temperature).collect::<Vec<_>>())
            }
            Self::MeanLogProbability | Self::Majority => vec![1.0 / found.len() as f32; found.len()],
            Self::TopOne => all_to(0),
            Self::MostConfident => all_to(most_confident(found)?),
            Self::Learned(learned) => learned.of(found)?,
        })
    }

    /// The answer with these weights, one per hit. `None` if the fuser wants log-probabilities and there are none.
    pub(super) fn combine(&self, found: &[ScoredHit], weights: &[f32]) -> Option<Prediction> {
        match self {
            Self::ScoreWeighted => Some(weighted_answer(found, weights)),
            Self::MeanLogProbability | Self::Learned(_) => weighted_sum(found, weights),
            Self::Majority => Some(weighted_vote(found, weights)),
            Self::TopOne | Self::MostConfident => {
                let picked = weights.iter().position(|weight| *weight > 0.0)?;
                Some(Prediction::clone(found.get(picked)?.1))
            }
        }
    }
}

/// Position of the most confident prediction; in a tie, the first.
fn most_confident(found: &[ScoredHit]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (hit, (_, prediction)) in found.iter().enumerate() {
        let probability = prediction.probability()?;
        if best.is_none_or(|(_, largest)| probability > largest) {
            best = Some((hit, probability));
        }
    }
    best.map(|(hit, _)| hit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dissent_core::data::Answer;
    use dissent_core::run::LabelScores;
    use dissent_core::run::{Head, Provenance};

    #[test]
    fn each_way_gives_its_own_answer() {
        let said = |values: [f32; 3]| Prediction::from(LabelScores::exact(values.map(f32::ln).to_vec()));
        let predictions =
            [said([0.4, 0.3, 0.3]), said([0.05, 0.5, 0.45]), said([0.05, 0.5, 0.45]), said([0.01, 0.01, 0.98])];
        let places: Vec<[Provenance; 1]> =
            (1..=4).map(|rank| [Provenance { head: Head::Image, rank, score: Some(0.5) }]).collect();
        let found: Vec<ScoredHit> = places.iter().map(<[_; 1]>::as_slice).zip(&predictions).collect();
        let label = |fuser: Fuser| fuser.answer(&found).unwrap().label();
        assert_eq!(label(Fuser::TopOne), Some(0));
        assert_eq!(label(Fuser::Majority), Some(1));
        assert_eq!(label(Fuser::MostConfident), Some(2));
        assert_eq!(label(Fuser::MeanLogProbability), Some(2));
        assert_eq!(label(Fuser::ScoreWeighted), Some(2), "equal scores weigh the same");
        let text = Prediction {
            answer: Some(Answer::Label(1)),
            scores: None,
            odds: None,
            samples: None,
            text: Some("b".into()),
        };
        assert_eq!(Fuser::MostConfident.answer(&[(&places[0], &text)]), None);
        assert_eq!(Fuser::Majority.answer(&[(&places[0], &text)]).unwrap().label(), Some(1));
        assert_eq!(Fuser::Majority.answer(&[]), None);
    }
}
