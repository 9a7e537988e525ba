//! Area under the receiver operating characteristic.

/// The probability that a positive case scores higher than a negative one, ties counted half (Mann and Whitney's U by
/// midranks). Each item is (score, positive?). `None` where one of the two kinds is missing.
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
        // Ranks before + 1 to before + length, averaged.
        let midrank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        rank_sum += midrank * tied.iter().filter(|case| case.1).count() as f64;
        before += tied.len();
    }
    let least = (positives * (positives + 1)) as f64 / 2.0;
    Some((rank_sum - least) / (positives as f64 * negatives as f64))
}

/// One label against the rest, averaged over the labels that some cases have and some have not; with two labels that is
/// the area of either. `probabilities[case][label]` sum to 1 over labels; `gold[case]` is a position. `None` where no
/// label has both.
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
