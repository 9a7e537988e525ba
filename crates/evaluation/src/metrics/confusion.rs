//! Confusion matrix: gold labels against answers.

use serde::Serialize;

/// Number of cases by gold label and answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// `counts[gold][answer]`; the last answer of each row is "none of the labels" (a parse failure).
    counts: Vec<Vec<usize>>,
}

/// Precision, recall and F1, averaged over labels with equal weight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MacroAverages {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

impl Confusion {
    /// Counts pairs of gold label and answer, both positions below `labels`. An answer that is `None` or another
    /// position could not be parsed. Pairs with another gold position are left out.
    pub fn of(labels: usize, pairs: impl IntoIterator<Item = (usize, Option<usize>)>) -> Self {
        let mut counts = vec![vec![0; labels + 1]; labels];
        for (gold, answer) in pairs {
            if let Some(row) = counts.get_mut(gold) {
                row[answer.map_or(labels, |answer| answer.min(labels))] += 1;
            }
        }
        Self { counts }
    }

    /// Takes counts in the form that [`Confusion::counts`] returns.
    pub fn from_counts<'a>(rows: impl Iterator<Item = &'a [usize]>) -> Self {
        Self { counts: rows.map(<[usize]>::to_vec).collect() }
    }

    /// Counts by `[gold][answer]`; the last answer counts parse failures.
    pub fn counts(&self) -> &[Vec<usize>] {
        &self.counts
    }

    /// Number of cases.
    pub fn total(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    /// Share of right answers; `None` without a case.
    pub fn accuracy(&self) -> Option<f64> {
        let total = self.total();
        let right: usize = self.counts.iter().enumerate().map(|(label, row)| row[label]).sum();
        (total > 0).then(|| right as f64 / total as f64)
    }

    /// Macro averages over the labels that occur as gold or as answer. A label without an answer or a case counts as
    /// 0, as in scikit-learn with `zero_division=0`. Parse failures are wrong but belong to no label. Returns `None`
    /// without a case.
    pub fn macro_averages(&self) -> Option<MacroAverages> {
        let mut sums = MacroAverages { precision: 0.0, recall: 0.0, f1: 0.0 };
        let mut occurring = 0;
        for label in 0..self.counts.len() {
            let right = self.counts[label][label];
            let gold: usize = self.counts[label].iter().sum();
            let answered: usize = self.counts.iter().map(|row| row[label]).sum();
            if gold + answered == 0 {
                continue;
            }
            occurring += 1;
            sums.precision += share(right, answered);
            sums.recall += share(right, gold);
            sums.f1 += share(2 * right, gold + answered);
        }
        let mean = |sum: f64| sum / f64::from(occurring);
        (occurring > 0).then(|| MacroAverages {
            precision: mean(sums.precision),
            recall: mean(sums.recall),
            f1: mean(sums.f1),
        })
    }
}

/// The share, or 0 if `whole` is 0.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
