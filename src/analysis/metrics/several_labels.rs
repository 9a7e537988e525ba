//! Answers that are sets of labels.

use super::confusion::share;

/// Counts over cases whose gold answer and given answer are sets of labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSets {
    cases: usize,
    same: usize,
    /// Per label: right, gold, answered.
    labels: Vec<[usize; 3]>,
}

impl LabelSets {
    /// Of pairs of gold set and answered set, positions below `labels`, each once.
    pub fn of<'a>(labels: usize, pairs: impl IntoIterator<Item = (&'a [usize], &'a [usize])>) -> Self {
        let mut counted = Self { cases: 0, same: 0, labels: vec![[0; 3]; labels] };
        for (gold, answer) in pairs {
            counted.cases += 1;
            counted.same += usize::from(gold.len() == answer.len() && gold.iter().all(|label| answer.contains(label)));
            for label in gold {
                counted.labels[*label][1] += 1;
                counted.labels[*label][0] += usize::from(answer.contains(label));
            }
            for label in answer {
                counted.labels[*label][2] += 1;
            }
        }
        counted
    }

    /// Share of cases whose sets are the same (exact match). `None` without a case.
    pub fn subset_accuracy(&self) -> Option<f64> {
        (self.cases > 0).then(|| share(self.same, self.cases))
    }

    /// F1 of each label; 0 where it is neither given nor answered, as scikit-learn with `zero_division=0`.
    pub fn label_f1(&self) -> Vec<f64> {
        self.labels.iter().map(|[right, gold, answered]| share(2 * right, gold + answered)).collect()
    }

    /// Mean of the labels' F1. `None` without a label.
    pub fn macro_f1(&self) -> Option<f64> {
        let each = self.label_f1();
        (!each.is_empty()).then(|| each.iter().sum::<f64>() / each.len() as f64)
    }

    /// F1 of all labels' decisions together; 0 where there is none.
    pub fn micro_f1(&self) -> f64 {
        let sum = |place: usize| self.labels.iter().map(|counts| counts[place]).sum::<usize>();
        share(2 * sum(0), sum(1) + sum(2))
    }
}
