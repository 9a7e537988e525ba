//! How fast the annotator labels: labelled and left cases, the median time of a case, cases per hour.

/// Fewest cases with a recorded time for a pace: after one quick label, "18000 an hour" would be shown.
const FEWEST_TIMED: usize = 3;

/// Figures of the listed cases.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Throughput {
    pub labelled: usize,
    pub left: usize,
    /// Median seconds spent on a case; `None` with fewer than three recorded times.
    pub median_seconds: Option<f64>,
    /// Cases per hour of the time spent on cases.
    pub per_hour: Option<f64>,
}

impl Throughput {
    /// The figures for this many listed cases and the seconds spent on each labelled one, if recorded.
    pub fn of(listed: usize, seconds: impl Iterator<Item = Option<f64>>) -> Self {
        let seconds: Vec<Option<f64>> = seconds.collect();
        let labelled = seconds.len();
        let mut timed: Vec<f64> = seconds.into_iter().flatten().filter(|seconds| *seconds > 0.0).collect();
        let left = listed.saturating_sub(labelled);
        if timed.len() < FEWEST_TIMED {
            return Self { labelled, left, median_seconds: None, per_hour: None };
        }
        let per_hour = Some(timed.len() as f64 * 3600.0 / timed.iter().sum::<f64>());
        Self { labelled, left, median_seconds: median(&mut timed), per_hour }
    }

    /// Such as `12 labelled · 688 left`.
    pub fn counts_in_words(&self) -> String {
        format!("{} labelled · {} left", self.labelled, self.left)
    }

    /// Such as `130 an hour · median 25 s`; empty without a recorded time.
    pub fn pace_in_words(&self) -> String {
        let (Some(median), Some(per_hour)) = (self.median_seconds, self.per_hour) else { return String::new() };
        format!("{per_hour:.0} an hour · median {median:.0} s")
    }
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_is_of_the_cases_whose_time_is_recorded() {
        let figures = Throughput::of(10, [Some(10.0), None, Some(20.0), Some(60.0), Some(30.0)].into_iter());
        assert_eq!((figures.labelled, figures.left), (5, 5));
        assert_eq!((figures.median_seconds, figures.per_hour), (Some(25.0), Some(120.0)));
        assert_eq!(figures.pace_in_words(), "120 an hour · median 25 s");
        assert_eq!(Throughput::of(3, [None].into_iter()).pace_in_words(), "");
        let quick = Throughput::of(3, [Some(0.2), Some(0.3)].into_iter());
        assert_eq!((quick.labelled, quick.pace_in_words().as_str()), (2, ""), "two cases are no pace");
    }
}
