//! What the K predictions of a case say together.

/// Do the predictions agree? (docs/method.md, "Inconsistent cases")
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Consistent,
    /// At least two of the K predictions name different labels.
    Inconsistent,
}

/// The answers of a case beside its gold label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// Gold label's position in the task.
    pub gold: usize,
    /// Each hit's own answer, in the order of the hits; `None` is an answer that names no label.
    pub answers: Vec<Option<usize>>,
    pub fused: Option<usize>,
}

impl CaseOutcome {
    /// Consistent or not: are all answers the same label?
    pub fn verdict(&self) -> Verdict {
        let all_same = self.answers.windows(2).all(|pair| pair[0] == pair[1]);
        if all_same { Verdict::Consistent } else { Verdict::Inconsistent }
    }

    /// Is the fused answer right?
    pub fn is_right(&self) -> bool {
        self.fused == Some(self.gold)
    }

    /// Would picking the right hit have given the right answer? (docs/method.md, "Oracle")
    pub fn oracle_is_right(&self) -> bool {
        self.answers.contains(&Some(self.gold))
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
        let mut counts: Vec<(Option<usize>, usize)> = Vec::new();
        for answer in &self.answers {
            match counts.iter_mut().find(|(label, _)| label == answer) {
                Some((_, count)) => *count += 1,
                None => counts.push((*answer, 1)),
            }
        }
        counts.into_iter().map(|(_, count)| count).collect()
    }

    /// A hit whose own answer is right where the fused one is wrong.
    pub fn is_rescued_by(&self, hit: usize) -> bool {
        !self.is_right() && self.answers.get(hit) == Some(&Some(self.gold))
    }

    /// A hit whose own answer is wrong where the fused one is right.
    pub fn is_ruined_by(&self, hit: usize) -> bool {
        self.is_right() && self.answers.get(hit).is_some_and(|answer| *answer != Some(self.gold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disagreement_is_inconsistent_and_may_hide_the_right_answer() {
        let outcome = CaseOutcome { gold: 1, answers: vec![Some(0), None, Some(1)], fused: Some(0) };
        assert_eq!(outcome.verdict(), Verdict::Inconsistent);
        assert!(outcome.oracle_is_right() && !outcome.is_right());
        assert!(outcome.is_rescued_by(2) && !outcome.is_rescued_by(0) && !outcome.is_ruined_by(2));
    }

    #[test]
    fn agreement_is_consistent_also_when_wrong() {
        let outcome = CaseOutcome { gold: 1, answers: vec![Some(0), Some(0)], fused: Some(0) };
        assert_eq!(outcome.verdict(), Verdict::Consistent);
        assert!(!outcome.oracle_is_right());
    }
}
