//! Area under the receiver operating characteristic.

/// Cases ranked once for each label, so that areas of many resamples cost one pass each.
#[derive(Debug)]
pub struct OneAgainstRest {
    labels: Vec<RankedCases>,
}

/// Cases by the score of one label.
#[derive(Debug)]
struct RankedCases {
    /// Case, whether the label is its gold label, and whether its score is the last of equal ones; lowest score
    /// first.
    order: Vec<(usize, bool, bool)>,
}

impl OneAgainstRest {
    /// Ranks `probabilities[case][label]`; `gold[case]` is a label. With two labels, one ranking is enough.
    pub fn of(labels: usize, probabilities: &[Vec<f32>], gold: &[usize]) -> Self {
        let rankings = if labels == 2 { 1 } else { labels };
        Self { labels: (0..rankings).map(|label| RankedCases::of(label, probabilities, gold)).collect() }
    }

    /// The area under the curve of each label against the rest, averaged over the labels that some cases have and some have
    /// not, where each case counts `weights[case]` times; with two labels that is the area of either. `None` if no label
    /// has both.
    pub fn mean_area(&self, weights: &[u32]) -> Option<f64> {
        let areas: Vec<f64> = self.labels.iter().filter_map(|label| label.area(weights)).collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }
}

impl RankedCases {
    fn of(label: usize, probabilities: &[Vec<f32>], gold: &[usize]) -> Self {
        let mut cases: Vec<usize> = (0..gold.len()).collect();
        let score = |case: usize| probabilities[case][label];
        cases.sort_by(|one, other| score(*one).total_cmp(&score(*other)));
        let mut order: Vec<(usize, bool, bool)> = Vec::with_capacity(cases.len());
        for (position, case) in cases.iter().enumerate() {
            let is_last = cases.get(position + 1).is_none_or(|next| score(*next) != score(*case));
            order.push((*case, gold[*case] == label, is_last));
        }
        Self { order }
    }

    /// The probability that a positive case scores higher than a negative one, ties counted half (Mann and Whitney's U).
    /// `None` where one of the two kinds is missing.
    fn area(&self, weights: &[u32]) -> Option<f64> {
        let (mut negatives, mut positives) = (0_u64, 0_u64);
        let mut twice_won = 0_u64;
        let (mut tied_negatives, mut tied_positives) = (0_u64, 0_u64);
        for (case, is_positive, is_last) in &self.order {
            let weight = u64::from(weights[*case]);
            if *is_positive {
                tied_positives += weight;
            } else {
                tied_negatives += weight;
            }
            if *is_last {
                twice_won += tied_positives * (2 * negatives + tied_negatives);
                negatives += tied_negatives;
                positives += tied_positives;
                (tied_negatives, tied_positives) = (0, 0);
            }
        }
        (positives > 0 && negatives > 0).then(|| twice_won as f64 / (2.0 * positives as f64 * negatives as f64))
    }
}
