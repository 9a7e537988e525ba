//! A share with how many cases it stands on and how sure it is.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Resamples behind an interval.
pub(super) const RESAMPLES: usize = 2000;

/// A share of cases with its bootstrap 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// `None` where there is no case.
    pub value: Option<f64>,
    /// Cases.
    pub n: usize,
    /// Ends of the interval; `None` where there is no case.
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Figure {
    /// The share of `true`, one value per case. The interval is the percentile bootstrap over cases, always the same for
    /// the same values.
    pub fn of(outcomes: &[bool]) -> Self {
        let n = outcomes.len();
        if n == 0 {
            return Self { value: None, n, low: None, high: None };
        }
        let share = |count: usize| count as f64 / n as f64;
        let right = outcomes.iter().filter(|right| **right).count();
        if right == 0 || right == n {
            // Resampling equal values gives no width at all; Wilson's score interval does.
            let square = 1.959_964_f64.powi(2);
            let width = square / (n as f64 + square);
            let (low, high) = if right == 0 { (0.0, width) } else { (1.0 - width, 1.0) };
            return Self { value: Some(share(right)), n, low: Some(low), high: Some(high) };
        }
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let mut counts: Vec<usize> =
            (0..RESAMPLES).map(|_| (0..n).filter(|_| outcomes[random.random_range(0..n)]).count()).collect();
        counts.sort_unstable();
        Self {
            value: Some(share(right)),
            n,
            low: Some(share(counts[RESAMPLES / 40])),
            high: Some(share(counts[RESAMPLES - 1 - RESAMPLES / 40])),
        }
    }

    /// "0.755 [0.720, 0.788] n=600", or "- n=0".
    pub fn text(&self) -> String {
        match (self.value, self.low, self.high) {
            (Some(value), Some(low), Some(high)) => format!("{value:.3} [{low:.3}, {high:.3}] n={}", self.n),
            _ => format!("- n={}", self.n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_all_or_none_is_not_certain() {
        let figure = Figure::of(&[true; 5]);
        // Wilson: n / (n + z²).
        assert!((figure.low.unwrap() - 0.565_518).abs() < 1e-5 && figure.high == Some(1.0), "{figure:?}");
        assert!((Figure::of(&[false; 5]).high.unwrap() - 0.434_482).abs() < 1e-5);
    }

    #[test]
    fn an_interval_has_the_width_of_the_binomial() {
        let outcomes: Vec<bool> = (0..400).map(|case| case % 4 != 0).collect();
        let figure = Figure::of(&outcomes);
        assert_eq!(figure.value, Some(0.75));
        // 0.75 ± 1.96 · sqrt(0.75 · 0.25 / 400) = 0.75 ± 0.0424
        let (low, high) = (figure.low.unwrap(), figure.high.unwrap());
        assert!((low - 0.7076).abs() < 0.01 && (high - 0.7924).abs() < 0.01, "{low} {high}");
        assert_eq!(figure, Figure::of(&outcomes), "the same each time");
    }

    #[test]
    fn no_case_gives_no_number() {
        assert_eq!(Figure::of(&[]).text(), "- n=0");
        assert_eq!(Figure::of(&[true]).text(), "1.000 [0.207, 1.000] n=1");
    }
}
