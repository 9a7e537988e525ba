//! The K predictions of a case together: do they agree, and is one of them right?

use super::{Fused, fuse, scored_hits};
use dissent_core::data::Answer;
use dissent_core::run::{CaseAnswer, Prediction};

/// Do the predictions agree? (docs/method.md, "Inconsistent cases")
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Consistent,
    /// At least two of the K predictions name different labels.
    Inconsistent,
}

/// The answers of a case and its gold answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// `None` if the gold answer is not known, or is not to be looked at: then no answer is right.
    pub gold: Option<Answer>,
    /// The answer with each hit, in the order of the hits; `None` is an answer that names no label.
    pub answers: Vec<Option<Answer>>,
    pub fused: Option<Answer>,
}

impl CaseOutcome {
    /// The answers of these predictions, and of their fusion.
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

    /// Consistent or not: are all answers the same?
    pub fn verdict(&self) -> Verdict {
        let all_same = self.answers.windows(2).all(|pair| pair[0] == pair[1]);
        if all_same { Verdict::Consistent } else { Verdict::Inconsistent }
    }

    /// Is this the gold answer? `None` names no label, which is never right.
    fn is_gold(&self, answer: Option<Answer>) -> bool {
        answer.is_some() && answer == self.gold
    }

    /// Is the fused answer right?
    pub fn is_right(&self) -> bool {
        self.is_gold(self.fused)
    }

    /// Is the answer with this hit right?
    pub fn is_right_at(&self, hit: usize) -> bool {
        self.answers.get(hit).is_some_and(|answer| self.is_gold(*answer))
    }

    /// Would picking the right hit have given the right answer? (docs/method.md, "Oracle")
    pub fn oracle_is_right(&self) -> bool {
        self.answers.iter().any(|answer| self.is_gold(*answer))
    }

    /// Is the fused answer wrong though one of the hits' own answers is right?
    pub fn is_in_gap(&self) -> bool {
        self.oracle_is_right() && !self.is_right()
    }

    /// Share of the pairs of answers that differ; 0 where there is one answer.
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
        // Written so that a single answer gives 0 and not −0.
        counts.iter().map(|count| share(*count) * (1.0 / share(*count)).log2()).sum()
    }

    /// How many hits gave each answer; one that names no label is an answer of its own.
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

    /// A hit whose own answer is right where the fused one is wrong.
    pub fn is_rescued_by(&self, hit: usize) -> bool {
        !self.is_right() && self.is_right_at(hit)
    }

    /// A hit whose own answer is wrong where the fused one is right.
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
