//! Paired differences of two systems on the same cases.

use super::Bootstrap;
use serde::Serialize;

/// The mean of paired changes and its bootstrap 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Difference {
    /// The mean of `changes`, one per case; the interval resamples cases. Returns `None` if there are fewer than five
    /// cases or all resamples are equal.
    pub fn of(changes: &[f64]) -> Option<Self> {
        if changes.windows(2).all(|pair| pair[0] == pair[1]) {
            return None;
        }
        let mean = |weights: &[u32]| {
            let sum: f64 = weights.iter().zip(changes).map(|(weight, change)| f64::from(*weight) * change).sum();
            let total: u32 = weights.iter().sum();
            Some(sum / f64::from(total))
        };
        let interval = Bootstrap::BY_CASE.of_weights(changes.len(), &mean)?.if_informative(changes.len()).ok()?;
        Some(Self { value: changes.iter().sum::<f64>() / changes.len() as f64, low: interval.low, high: interval.high })
    }

    /// The change of a share between two lists of right and wrong cases. Returns `None` like [`Difference::of`].
    pub fn of_share(first: &[bool], second: &[bool], bootstrap: Bootstrap) -> Option<Self> {
        let change = |(first, second): (&bool, &bool)| usize::from(*second) + 1 - usize::from(*first);
        let cells: Vec<usize> = first.iter().zip(second).map(change).collect();
        let mean = |counts: &[usize]| {
            let n: usize = counts.iter().sum();
            (n > 0).then(|| (counts[2] as f64 - counts[0] as f64) / n as f64)
        };
        let units = bootstrap.unit_count(cells.len());
        let interval = bootstrap.of_counts(&cells, 3, &mean)?.if_informative(units).ok()?;
        let mut counts = [0; 3];
        for cell in &cells {
            counts[*cell] += 1;
        }
        Some(Self { value: mean(&counts)?, low: interval.low, high: interval.high })
    }

    /// Text such as "+0.093 [+0.021, +0.141]".
    pub fn text(&self) -> String {
        format!("{:+.3} [{:+.3}, {:+.3}]", self.value, self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_difference_has_its_normal_width() {
        // 60 gained, 20 lost, 320 unchanged: 0.1 ± 1.96 · sqrt((0.2 − 0.01) / 400).
        let first: Vec<bool> = (0..400).map(|case| (60..80).contains(&case)).collect();
        let second: Vec<bool> = (0..400).map(|case| case < 60).collect();
        let by_share = Difference::of_share(&first, &second, Bootstrap::BY_CASE).unwrap();
        let change = |case: i32| f64::from(i8::from(case < 60) - i8::from((60..80).contains(&case)));
        let changes: Vec<f64> = (0..400).map(change).collect();
        for difference in [by_share, Difference::of(&changes).unwrap()] {
            assert!((difference.value - 0.1).abs() < 1e-12);
            assert!((difference.low - 0.0573).abs() < 0.01, "{difference:?}");
            assert!((difference.high - 0.1427).abs() < 0.01, "{difference:?}");
        }
        assert_eq!(Difference::of_share(&first, &first, Bootstrap::BY_CASE), None);
    }
}
