//! Area under the receiver operating characteristic.

/// The probability that a positive case scores higher than a negative one, with ties counted half (Mann and Whitney's
/// U by midranks). Each item is a score and whether the case is positive. Returns `None` if there are no positive or
/// no negative cases.
pub fn area_under_curve(cases: &[(f64, bool)]) -> Option<f64> {
    let positives = cases.iter().filter(|case| case.1).count();
    let negatives = cases.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut sorted: Vec<&(f64, bool)> = cases.iter().collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut rank_sum = 0.0;
    let mut before = 0;
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        // The mean of the ranks before + 1 to before + length.
        let midrank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        rank_sum += midrank * tied.iter().filter(|case| case.1).count() as f64;
        before += tied.len();
    }
    let least = (positives * (positives + 1)) as f64 / 2.0;
    Some((rank_sum - least) / (positives as f64 * negatives as f64))
}

/// Area of one label against the rest, averaged over the labels that some cases have and others do not; with two
/// labels it equals the area of either. `probabilities[case][label]` sum to 1 over labels; `gold[case]` is a
/// position. Returns `None` if there is no such label.
pub fn macro_area_under_curve(probabilities: &[Vec<f64>], gold: &[usize]) -> Option<f64> {
    let labels = probabilities.first()?.len();
    let mut areas = Vec::new();
    for label in 0..labels {
        let cases: Vec<(f64, bool)> =
            probabilities.iter().zip(gold).map(|(values, gold)| (values[label], *gold == label)).collect();
        areas.extend(area_under_curve(&cases));
    }
    (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
}

/// Cases ranked once per label, so that each resample takes one pass.
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

    /// The mean area of each label against the rest, over the labels that some cases have and others do not, if each
    /// case counts `weights[case]` times. With all weights 1 it equals [`macro_area_under_curve`].
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
