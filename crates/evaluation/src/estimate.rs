//! A figure with its number of cases and its interval.

use super::bootstrap::{Bootstrap, Interval, NoInterval};
use serde::Serialize;

/// A figure of a set of cases with its bootstrap 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The value; `None` if there is no case to compute it from.
    pub value: Option<f64>,
    /// Number of cases.
    pub n: usize,
    /// Ends of the interval, if there is one.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Reason why there is no interval, if one was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_interval: Option<NoInterval>,
}

impl Estimate {
    /// The share of `true`, one value per case; the interval resamples cases.
    pub fn of(outcomes: &[bool]) -> Self {
        Self::of_share(outcomes, Bootstrap::BY_CASE)
    }

    /// The share of `true`, one value per case.
    pub fn of_share(outcomes: &[bool], bootstrap: Bootstrap) -> Self {
        let n = outcomes.len();
        let right = outcomes.iter().filter(|right| **right).count();
        if n == 0 {
            return Self::new(None, n, None, bootstrap);
        }
        let cells: Vec<usize> = outcomes.iter().map(|right| usize::from(*right)).collect();
        let share = |counts: &[usize]| Some(counts[1] as f64 / (counts[0] + counts[1]) as f64);
        // Resampling equal values gives width 0; Wilson's score interval does not.
        let square = 1.959_964_f64.powi(2);
        let width = square / (bootstrap.unit_count(n) as f64 + square);
        let value = Some(right as f64 / n as f64);
        let wilson = match right {
            0 => Interval { low: 0.0, high: width },
            right if right == n => Interval { low: 1.0 - width, high: 1.0 },
            _ => return Self::new(value, n, bootstrap.of_counts(&cells, 2, &share), bootstrap),
        };
        Self { value, n, low: Some(wilson.low), high: Some(wilson.high), no_interval: None }
    }

    /// A statistic of counts (such as macro F1) over `cells.len()` cases; see [`Bootstrap::of_counts`].
    pub fn of_counts(
        cells: &[usize],
        cell_count: usize,
        bootstrap: Bootstrap,
        statistic: &dyn Fn(&[usize]) -> Option<f64>,
    ) -> Self {
        let mut counts = vec![0; cell_count];
        for cell in cells {
            counts[*cell] += 1;
        }
        let interval = bootstrap.of_counts(cells, cell_count, statistic);
        Self::new(statistic(&counts), cells.len(), interval, bootstrap)
    }

    /// A statistic that needs every one of `n` cases; see [`Bootstrap::of_weights`].
    pub fn of_weights(n: usize, bootstrap: Bootstrap, statistic: &(dyn Fn(&[u32]) -> Option<f64> + Sync)) -> Self {
        let value = statistic(&vec![1; n]);
        Self::new(value, n, bootstrap.of_weights(n, statistic), bootstrap)
    }

    /// The mean of values, one per case; it has no value without a case.
    pub fn of_mean(values: &[f64], bootstrap: Bootstrap) -> Self {
        let mut different: Vec<f64> = values.to_vec();
        different.sort_unstable_by(f64::total_cmp);
        different.dedup();
        let mean = |counts: &mut dyn Iterator<Item = (usize, f64)>| {
            let (mut n, mut sum) = (0, 0.0);
            for (count, value) in counts {
                n += count;
                sum += count as f64 * value;
            }
            (n > 0).then(|| sum / n as f64)
        };
        // Counting is much faster if there are few different values.
        if different.len() * 4 < values.len() {
            let cell = |value: &f64| different.partition_point(|other| other.total_cmp(value).is_lt());
            let cells: Vec<usize> = values.iter().map(cell).collect();
            let of_counts = |counts: &[usize]| mean(&mut counts.iter().copied().zip(different.iter().copied()));
            return Self::of_counts(&cells, different.len(), bootstrap, &of_counts);
        }
        let of_weights =
            |weights: &[u32]| mean(&mut weights.iter().map(|weight| *weight as usize).zip(values.iter().copied()));
        Self::of_weights(values.len(), bootstrap, &of_weights)
    }

    fn new(value: Option<f64>, n: usize, interval: Option<Interval>, bootstrap: Bootstrap) -> Self {
        let bare = Self { value, n, low: None, high: None, no_interval: None };
        if value.is_none() || bootstrap.resamples == 0 {
            return bare;
        }
        // The bootstrap returns `None` if all units are equal.
        let interval = interval.unwrap_or(Interval { low: 0.0, high: 0.0 });
        match interval.if_informative(bootstrap.unit_count(n)) {
            Ok(Interval { low, high }) => Self { low: Some(low), high: Some(high), ..bare },
            Err(reason) => Self { no_interval: Some(reason), ..bare },
        }
    }

    /// Text such as "0.755 [0.720, 0.788] n=600", "0.755 n=2" without an interval, or "- n=0".
    pub fn text(&self) -> String {
        match (self.value, self.low, self.high) {
            (Some(value), Some(low), Some(high)) => format!("{value:.3} [{low:.3}, {high:.3}] n={}", self.n),
            (Some(value), ..) => format!("{value:.3} n={}", self.n),
            _ => format!("- n={}", self.n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_all_or_none_is_not_certain() {
        let figure = Estimate::of(&[true; 5]);
        // Wilson: n / (n + z²).
        assert!((figure.low.unwrap() - 0.565_518).abs() < 1e-5 && figure.high == Some(1.0), "{figure:?}");
        assert!((Estimate::of(&[false; 5]).high.unwrap() - 0.434_482).abs() < 1e-5);
    }

    #[test]
    fn an_interval_has_the_width_of_the_binomial() {
        let outcomes: Vec<bool> = (0..400).map(|case| case % 4 != 0).collect();
        let figure = Estimate::of(&outcomes);
        assert_eq!(figure.value, Some(0.75));
        // 0.75 ± 1.96 · sqrt(0.75 · 0.25 / 400) = 0.75 ± 0.0424
        let (low, high) = (figure.low.unwrap(), figure.high.unwrap());
        assert!((low - 0.7076).abs() < 0.01 && (high - 0.7924).abs() < 0.01, "{low} {high}");
        assert_eq!(figure, Estimate::of(&outcomes), "the same each time");
    }

    #[test]
    fn there_is_no_interval_where_resampling_cannot_make_one() {
        let always_one = |weights: &[u32]| weights.iter().any(|weight| *weight > 0).then_some(1.0);
        let few = Estimate::of_weights(2, Bootstrap::BY_CASE, &always_one);
        assert_eq!((few.value, few.low, few.no_interval), (Some(1.0), None, Some(NoInterval::FewUnits)));
        assert_eq!(few.text(), "1.000 n=2");
        let alike = Estimate::of_weights(9, Bootstrap::BY_CASE, &always_one);
        assert_eq!((alike.low, alike.no_interval), (None, Some(NoInterval::ResamplesAgree)));
        let counted = Estimate::of_counts(&[1; 9], 2, Bootstrap::BY_CASE, &|_| Some(1.0));
        assert_eq!(counted.no_interval, Some(NoInterval::ResamplesAgree));
        let one_patient = Bootstrap { groups: Some(&[3; 9]), ..Bootstrap::BY_CASE };
        let mean = Estimate::of_mean(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], one_patient);
        assert_eq!((mean.low, mean.no_interval), (None, Some(NoInterval::FewUnits)));
        assert_eq!(Estimate::of(&[true, false]).no_interval, Some(NoInterval::FewUnits));
        assert!(Estimate::of_weights(9, Bootstrap::BY_CASE, &|_| None).no_interval.is_none(), "no value, no interval");
    }

    #[test]
    fn no_case_gives_no_number() {
        assert_eq!(Estimate::of(&[]).text(), "- n=0");
        assert_eq!(Estimate::of(&[true]).text(), "1.000 [0.207, 1.000] n=1");
    }
}
