//! The K predictions of a case together: their agreement, and whether one of them is right.

use super::{Fused, fuse, scored_hits};
use dissent_core::data::Answer;
use dissent_core::run::{CaseAnswer, Prediction};

/// Agreement of the predictions (docs/method.md, "Inconsistent cases").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Consistent,
    /// At least two of the K predictions name different labels.
    Inconsistent,
}

/// The answers of a case and its gold answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// The gold answer; `None` if it is unknown or must not be used: then no answer is right.
    pub gold: Option<Answer>,
    /// The answers with the hits, in their order; `None` is an answer that names no label.
    pub answers: Vec<Option<Answer>>,
    pub fused: Option<Answer>,
}

impl CaseOutcome {
    /// Takes the answers of these predictions and of their fusion.
    pub fn new<'a>(
        gold: Option<Answer>,
        predictions: impl IntoIterator<Item = &'a Prediction>,
        fused: &Prediction,
    ) -> Self {
        let answers = predictions.into_iter().map(|prediction| prediction.answer).collect();
        Self { gold, answers, fused: fused.answer }
    }

    /// Fuses the predictions of a case. `None` if it was read closed-book only.
    pub fn of(gold: Option<Answer>, answer: &CaseAnswer) -> Option<(Fused, Self)> {
        let fused = fuse(&scored_hits(answer))?;
        let outcome = Self::new(gold, &answer.predictions, &fused.prediction);
        Some((fused, outcome))
    }

    /// Whether all answers are the same.
    pub fn verdict(&self) -> Verdict {
        let all_same = self.answers.windows(2).all(|pair| pair[0] == pair[1]);
        if all_same { Verdict::Consistent } else { Verdict::Inconsistent }
    }

    /// Whether this is the gold answer. `None` names no label and is never right.
    fn is_gold(&self, answer: Option<Answer>) -> bool {
        answer.is_some() && answer == self.gold
    }

    /// Whether the fused answer is right.
    pub fn is_right(&self) -> bool {
        self.is_gold(self.fused)
    }

    /// Whether the answer with this hit is right.
    pub fn is_right_at(&self, hit: usize) -> bool {
        self.answers.get(hit).is_some_and(|answer| self.is_gold(*answer))
    }

    /// Whether picking the best hit would give the right answer (docs/method.md, "Oracle").
    pub fn oracle_is_right(&self) -> bool {
        self.answers.iter().any(|answer| self.is_gold(*answer))
    }

    /// Whether the fused answer is wrong although the answer with one of the hits is right.
    pub fn is_in_gap(&self) -> bool {
        self.oracle_is_right() && !self.is_right()
    }

    /// Share of the pairs of answers that differ; 0 if there is one answer.
    pub fn disagreement(&self) -> f64 {
        let counts = self.answer_counts();
        let k: usize = counts.iter().sum();
        if k < 2 {
            return 0.0;
        }
        let alike: usize = counts.iter().map(|count| count * (count - 1)).sum();
        1.0 - alike as f64 / (k * (k - 1)) as f64
    }

    /// −Σ p · log₂ p over the answers' shares, in bits.
    pub fn entropy(&self) -> f64 {
        let counts = self.answer_counts();
        let k: usize = counts.iter().sum();
        let share = |count: usize| count as f64 / k as f64;
        // This form gives 0, not −0, for a single answer.
        counts.iter().map(|count| share(*count) * (1.0 / share(*count)).log2()).sum()
    }

    /// Number of hits per answer; all answers that name no label count as one.
    fn answer_counts(&self) -> Vec<usize> {
        let mut counts: Vec<(Option<Answer>, usize)> = Vec::new();
        for answer in &self.answers {
            match counts.iter_mut().find(|(known, _)| known == answer) {
                Some((_, count)) => *count += 1,
                None => counts.push((*answer, 1)),
            }
        }
        counts.into_iter().map(|(_, count)| count).collect()
    }

    /// Whether this hit's answer is right while the fused one is wrong.
    pub fn is_rescued_by(&self, hit: usize) -> bool {
        !self.is_right() && self.is_right_at(hit)
    }

    /// Whether this hit's answer is wrong while the fused one is right.
    pub fn is_ruined_by(&self, hit: usize) -> bool {
        self.is_right() && hit < self.answers.len() && !self.is_right_at(hit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(answers: &[Option<usize>], fused: usize) -> CaseOutcome {
        let answers = answers.iter().map(|label| label.map(Answer::Label)).collect();
        CaseOutcome { gold: Some(Answer::Label(1)), answers, fused: Some(Answer::Label(fused)) }
    }

    #[test]
    fn a_disagreement_is_inconsistent_and_may_hide_the_right_answer() {
        let outcome = outcome(&[Some(0), None, Some(1)], 0);
        assert_eq!(outcome.verdict(), Verdict::Inconsistent);
        assert!(outcome.oracle_is_right() && !outcome.is_right());
        assert!(outcome.is_rescued_by(2) && !outcome.is_rescued_by(0) && !outcome.is_ruined_by(2));
    }

    #[test]
    fn agreement_is_consistent_also_when_wrong() {
        let outcome = outcome(&[Some(0), Some(0)], 0);
        assert_eq!(outcome.verdict(), Verdict::Consistent);
        assert!(!outcome.oracle_is_right());
    }

    #[test]
    fn without_gold_nothing_is_right() {
        let outcome = CaseOutcome { gold: None, answers: vec![None, None], fused: None };
        assert!(!outcome.is_right() && !outcome.oracle_is_right() && !outcome.is_rescued_by(0));
    }
}
