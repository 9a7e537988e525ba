//! The share of the oracle gap that each named error explains.

use super::verdict::CaseOutcome;

/// Counts of the cases with one category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    pub cases: usize,
    /// Cases whose fused answer is wrong.
    pub wrong: usize,
    /// Wrong cases that one of the K predictions has right: a better choice among the documents would gain them.
    pub in_gap: usize,
}

impl Explained {
    /// Counts these cases.
    pub fn count<'a>(outcomes: impl IntoIterator<Item = &'a CaseOutcome>) -> Self {
        let mut explained = Self::default();
        for outcome in outcomes {
            explained.add(outcome);
        }
        explained
    }

    /// Counts cases by category, in order; a case may have several categories or none.
    pub fn by_category<'a, 'c>(
        categories: usize,
        cases: impl IntoIterator<Item = (&'a CaseOutcome, &'c [usize])>,
    ) -> Vec<Self> {
        let mut counts = vec![Self::default(); categories];
        for (outcome, named) in cases {
            for category in named {
                if let Some(count) = counts.get_mut(*category) {
                    count.add(outcome);
                }
            }
        }
        counts
    }

    fn add(&mut self, outcome: &CaseOutcome) {
        self.cases += 1;
        self.wrong += usize::from(!outcome.is_right());
        self.in_gap += usize::from(outcome.is_in_gap());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dissent_core::data::Answer;

    #[test]
    fn a_case_counts_in_each_of_its_categories() {
        let label = |label: usize| Some(Answer::Label(label));
        let outcome = |answers: [usize; 2], fused: usize| CaseOutcome {
            gold: label(1),
            answers: answers.map(label).to_vec(),
            fused: label(fused),
        };
        let (missed, right, lost) = (outcome([0, 1], 0), outcome([1, 0], 1), outcome([0, 0], 0));
        let cases = [(&missed, &[0, 2][..]), (&right, &[2][..]), (&lost, &[][..]), (&lost, &[2][..])];
        let counts = Explained::by_category(3, cases);
        assert_eq!(counts[0], Explained { cases: 1, wrong: 1, in_gap: 1 });
        assert_eq!(counts[1], Explained::default());
        assert_eq!(counts[2], Explained { cases: 3, wrong: 2, in_gap: 1 });
        assert_eq!(Explained::count([&missed, &right, &lost]), Explained { cases: 3, wrong: 2, in_gap: 1 });
    }
}
