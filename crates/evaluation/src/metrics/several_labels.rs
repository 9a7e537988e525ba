//! Metrics of answers that are sets of labels.

use super::confusion::{MacroAverages, share};

/// Counts over cases whose gold answer and given answer are sets of labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSets {
    cases: usize,
    /// Per label: number of cases in which it is right, gold, answered.
    labels: Vec<[usize; 3]>,
}

impl LabelSets {
    /// Counts triples of gold set, answered set and number of cases; positions are below `labels`, each at most once
    /// in a set.
    pub fn of<'a>(labels: usize, sets: impl IntoIterator<Item = (&'a [usize], &'a [usize], usize)>) -> Self {
        let mut counted = Self { cases: 0, labels: vec![[0; 3]; labels] };
        for (gold, answer, cases) in sets {
            counted.cases += cases;
            for label in gold {
                counted.labels[*label][1] += cases;
                counted.labels[*label][0] += cases * usize::from(answer.contains(label));
            }
            for label in answer {
                counted.labels[*label][2] += cases;
            }
        }
        counted
    }

    /// F1 of each label; 0 where it is neither given nor answered, as scikit-learn with `zero_division=0`.
    pub fn label_f1(&self) -> Vec<f64> {
        self.labels.iter().map(|[right, gold, answered]| share(2 * right, gold + answered)).collect()
    }

    /// Means over the labels, 0 for a label that is neither gold nor answered. Returns `None` without a case or a
    /// label.
    pub fn macro_averages(&self) -> Option<MacroAverages> {
        let mean = |each: fn(&[usize; 3]) -> f64| self.labels.iter().map(each).sum::<f64>() / self.labels.len() as f64;
        (self.cases > 0 && !self.labels.is_empty()).then(|| MacroAverages {
            precision: mean(|[right, _, answered]| share(*right, *answered)),
            recall: mean(|[right, gold, _]| share(*right, *gold)),
            f1: mean(|[right, gold, answered]| share(2 * right, gold + answered)),
        })
    }

    /// F1 of the decisions of all labels together; 0 if there are none. Returns `None` without a case.
    pub fn micro_f1(&self) -> Option<f64> {
        let sum = |place: usize| self.labels.iter().map(|counts| counts[place]).sum::<usize>();
        (self.cases > 0).then(|| share(2 * sum(0), sum(1) + sum(2)))
    }
}
