//! McNemar's exact test on paired right and wrong answers.

/// Two-sided p of the hypothesis that gains and losses are equally likely: the binomial probability of a split at
/// least as uneven as `gained` to `lost`, doubled (McNemar 1947, exact form). It is 1 if nothing changed.
pub fn mcnemar_exact(gained: usize, lost: usize) -> f64 {
    let total = gained + lost;
    let fewer = gained.min(lost);
    // ln C(total, k) − total · ln 2, term by term, so that no factorial overflows.
    let mut term = -(total as f64) * std::f64::consts::LN_2;
    let mut tail = term.exp();
    for k in 0..fewer {
        term += ((total - k) as f64).ln() - ((k + 1) as f64).ln();
        tail += term.exp();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.binomtest(gained, gained + lost).pvalue` (scipy 1.17).
    #[test]
    fn p_matches_scipy() {
        let expected = [
            ((0, 0), 1.0),
            ((5, 5), 1.0),
            ((0, 6), 0.031_25),
            ((49, 26), 0.010_582_117_051_705_27),
            ((69, 39), 0.005_023_518_333_482_696),
            ((282, 145), 3.180_704_962_005_316e-11),
        ];
        for ((gained, lost), p) in expected {
            let found = mcnemar_exact(gained, lost);
            assert!((found - p).abs() <= 1e-9 * p.max(1e-3), "{gained} {lost}: {found} is not {p}");
            assert!((found - mcnemar_exact(lost, gained)).abs() < 1e-12);
        }
    }
}
