//! Percentile bootstrap (Efron 1979): cases, or whole groups of them (the cases of a patient are not independent),
//! are drawn with replacement, and a statistic is computed on each resample.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution};
use rayon::prelude::*;
use std::collections::HashMap;
use std::fmt;

/// Number of resamples for an interval.
pub const RESAMPLES: usize = 10_000;

/// Limit on resamples times cases for a statistic of weights.
const MOST_LOOKS: usize = 200_000_000;
/// Number of resamples that one thread computes at a time.
const BLOCK: usize = 125;

/// Fewest units for an interval. Fewer have fewer than 40 different resamples (n units have C(2n-1, n)), so 2.5 % at
/// each end cannot be cut off.
pub(crate) const FEWEST_UNITS: usize = 5;

/// How to resample a set of cases.
#[derive(Clone, Copy, Debug)]
pub struct Bootstrap<'a> {
    /// Number of each case's group, if whole groups are drawn; `None` draws cases.
    pub groups: Option<&'a [usize]>,
    pub resamples: usize,
}

/// A 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// The interval, unless there are too few units or the resamples agree, so that it does not show how uncertain
    /// the figure is.
    pub(crate) fn if_informative(self, units: usize) -> Result<Self, NoInterval> {
        if units < FEWEST_UNITS {
            return Err(NoInterval::FewUnits);
        }
        if self.low < self.high { Ok(self) } else { Err(NoInterval::ResamplesAgree) }
    }
}

/// Reason why a figure has no interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoInterval {
    /// Fewer than `FEWEST_UNITS` cases, or groups of them, to draw from.
    FewUnits,
    /// Every resample, or all but 2.5 % at each end, gives the same value.
    ResamplesAgree,
}

impl fmt::Display for NoInterval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewUnits => write!(formatter, "fewer than {FEWEST_UNITS} cases or groups to draw from"),
            Self::ResamplesAgree => formatter.write_str("the resamples give the same value"),
        }
    }
}

impl Bootstrap<'_> {
    /// Draws cases.
    pub const BY_CASE: Bootstrap<'static> = Bootstrap { groups: None, resamples: RESAMPLES };

    /// The interval of a statistic of counts. `cells[case]` is the cell in which the case counts (right or wrong;
    /// gold label and answer), and `statistic` receives the number of cases in each of `cell_count` cells. Returns
    /// `None` if all units are equal: resampling them would give width 0, as if there were no uncertainty. Equal
    /// cells give equal intervals.
    ///
    /// Units with the same cells form one pattern, so a resample draws a count per pattern, not every unit.
    pub fn of_counts(
        &self,
        cells: &[usize],
        cell_count: usize,
        statistic: &dyn Fn(&[usize]) -> Option<f64>,
    ) -> Option<Interval> {
        if self.resamples == 0 {
            return None;
        }
        let patterns = self.patterns(cells);
        if patterns.len() < 2 {
            return None;
        }
        let units: usize = patterns.iter().map(|(_, count)| count).sum();
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let mut values = Vec::with_capacity(self.resamples);
        let mut drawn = vec![0_usize; patterns.len()];
        let mut sums = vec![0_usize; cell_count];
        let few_patterns = patterns.len() * 4 < units;
        let of_unit: Vec<usize> = if few_patterns {
            Vec::new()
        } else {
            patterns.iter().enumerate().flat_map(|(pattern, (_, count))| vec![pattern; *count]).collect()
        };
        for _ in 0..self.resamples {
            if few_patterns {
                draw_numbers(&patterns, units, &mut random, &mut drawn);
            } else {
                drawn.fill(0);
                for _ in 0..units {
                    drawn[of_unit[random.random_range(0..units)]] += 1;
                }
            }
            sums.fill(0);
            for ((cells, _), count) in patterns.iter().zip(&drawn) {
                for cell in cells {
                    sums[*cell] += count;
                }
            }
            values.extend(statistic(&sums));
        }
        interval_of(values)
    }

    /// The interval of a statistic that needs every case (an area under a curve, a mean of values). `statistic`
    /// receives how often each of the `cases` cases was drawn. Returns `None` if it has no value on any resample.
    pub fn of_weights(&self, cases: usize, statistic: &(dyn Fn(&[u32]) -> Option<f64> + Sync)) -> Option<Interval> {
        let groups = self.groups.map(|_| self.units(cases));
        let units = groups.as_ref().map_or(cases, Vec::len);
        if units < 2 {
            return None;
        }
        let resamples = self.resamples_of_weights(cases);
        // Each block has its own random numbers, so results do not depend on the threads.
        let in_block = |block: usize| {
            let mut random = ChaCha8Rng::seed_from_u64(block as u64);
            let mut weights = vec![0_u32; cases];
            let mut values = Vec::with_capacity(BLOCK);
            for _ in block * BLOCK..resamples.min((block + 1) * BLOCK) {
                weights.fill(0);
                for _ in 0..units {
                    match &groups {
                        Some(groups) => {
                            for case in &groups[random.random_range(0..units)] {
                                weights[*case] += 1;
                            }
                        }
                        None => weights[random.random_range(0..units)] += 1,
                    }
                }
                values.extend(statistic(&weights));
            }
            values
        };
        let values: Vec<f64> = (0..resamples.div_ceil(BLOCK)).into_par_iter().flat_map_iter(in_block).collect();
        interval_of(values)
    }

    /// Number of resamples for a statistic that needs every one of `cases` cases: at most 200 million cases in all,
    /// but at least 1000 resamples.
    pub(crate) fn resamples_of_weights(&self, cases: usize) -> usize {
        self.resamples.min((MOST_LOOKS / cases.max(1)).max(1000))
    }

    /// Number of units that `cases` cases form.
    pub(crate) fn unit_count(&self, cases: usize) -> usize {
        if self.groups.is_some() { self.units(cases).len() } else { cases }
    }

    /// Cases of each unit.
    fn units(&self, cases: usize) -> Vec<Vec<usize>> {
        let Some(groups) = self.groups else { return (0..cases).map(|case| vec![case]).collect() };
        let mut position: HashMap<usize, usize> = HashMap::new();
        let mut units: Vec<Vec<usize>> = Vec::new();
        for (case, group) in groups.iter().enumerate().take(cases) {
            let unit = *position.entry(*group).or_insert(units.len());
            if unit == units.len() {
                units.push(Vec::new());
            }
            units[unit].push(case);
        }
        units
    }

    /// The different lists of cells of units, each with its number of units, in the order of their first unit.
    fn patterns(&self, cells: &[usize]) -> Vec<(Vec<usize>, usize)> {
        if self.groups.is_none() {
            return patterns_of_cases(cells);
        }
        let mut position: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut patterns: Vec<(Vec<usize>, usize)> = Vec::new();
        for unit in self.units(cells.len()) {
            let mut pattern: Vec<usize> = unit.iter().map(|case| cells[*case]).collect();
            pattern.sort_unstable();
            if let Some(known) = position.get(&pattern) {
                patterns[*known].1 += 1;
                continue;
            }
            position.insert(pattern.clone(), patterns.len());
            patterns.push((pattern, 1));
        }
        patterns
    }
}

/// Like [`Bootstrap::patterns`] if every case is a unit, without a list per case.
fn patterns_of_cases(cells: &[usize]) -> Vec<(Vec<usize>, usize)> {
    let mut counts = vec![0_usize; cells.iter().max().map_or(0, |largest| largest + 1)];
    let mut order = Vec::new();
    for cell in cells {
        if counts[*cell] == 0 {
            order.push(*cell);
        }
        counts[*cell] += 1;
    }
    order.into_iter().map(|cell| (vec![cell], counts[cell])).collect()
}

/// How often each pattern is drawn in `units` draws: multinomial, as a sequence of binomials.
fn draw_numbers(patterns: &[(Vec<usize>, usize)], units: usize, random: &mut ChaCha8Rng, drawn: &mut [usize]) {
    let mut draws_left = units as u64;
    let mut units_left = units;
    for ((_, count), drawn) in patterns.iter().zip(drawn) {
        let share = *count as f64 / units_left as f64;
        // The share is between 0 and 1, so the distribution always exists.
        let number = Binomial::new(draws_left, share.min(1.0)).map_or(0, |binomial| binomial.sample(random));
        *drawn = number as usize;
        draws_left -= number;
        units_left -= count;
    }
}

/// The 2.5 % and 97.5 % percentiles.
fn interval_of(mut values: Vec<f64>) -> Option<Interval> {
    let beyond = values.len() / 40;
    let last = values.len().checked_sub(1)?;
    let (_, low, _) = values.select_nth_unstable_by(beyond, f64::total_cmp);
    let low = *low;
    let (_, high, _) = values.select_nth_unstable_by(last - beyond, f64::total_cmp);
    Some(Interval { low, high: *high })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_of_first(counts: &[usize]) -> Option<f64> {
        let n: usize = counts.iter().sum();
        (n > 0).then(|| counts[0] as f64 / n as f64)
    }

    fn width(interval: Option<Interval>) -> f64 {
        let interval = interval.unwrap();
        interval.high - interval.low
    }

    #[test]
    fn groups_that_answer_alike_count_as_one() {
        // 400 cases, 300 in the first cell: ± 1.96 · sqrt(0.75 · 0.25 / 400); with groups of 4 equal cases, twice
        // that.
        let cells: Vec<usize> = (0..400).map(|case| usize::from(case >= 300)).collect();
        let by_case = width(Bootstrap::BY_CASE.of_counts(&cells, 2, &share_of_first));
        assert!((by_case - 0.0849).abs() < 0.006, "{by_case}");
        let groups: Vec<usize> = (0..400).map(|case| case / 4).collect();
        let bootstrap = Bootstrap { groups: Some(&groups), resamples: RESAMPLES };
        let by_group = width(bootstrap.of_counts(&cells, 2, &share_of_first));
        assert!((by_group / by_case - 2.0).abs() < 0.1, "{by_group} {by_case}");
    }

    #[test]
    fn counts_and_weights_are_two_ways_to_the_same_interval() {
        let cells: Vec<usize> = (0..300).map(|case| usize::from(case % 3 == 0)).collect();
        let by_counts = Bootstrap::BY_CASE.of_counts(&cells, 2, &share_of_first).unwrap();
        let by_weights = Bootstrap::BY_CASE.of_weights(300, &|weights| {
            let first: u32 = weights.iter().zip(&cells).filter(|(_, cell)| **cell == 0).map(|(weight, _)| weight).sum();
            Some(f64::from(first) / 300.0)
        });
        let by_weights = by_weights.unwrap();
        assert!((by_counts.low - by_weights.low).abs() < 0.006, "{by_counts:?} {by_weights:?}");
        assert!((by_counts.high - by_weights.high).abs() < 0.006, "{by_counts:?} {by_weights:?}");
        // There are as many patterns as units, so units are drawn one by one.
        let cells: Vec<usize> = (0..300).collect();
        let third = |counts: &[usize]| Some(counts.iter().step_by(3).sum::<usize>() as f64 / 300.0);
        let all_different = Bootstrap::BY_CASE.of_counts(&cells, 300, &third).unwrap();
        assert!((all_different.low - (1.0 - by_counts.high)).abs() < 0.006, "{all_different:?} {by_counts:?}");
    }

    #[test]
    fn equal_units_give_no_interval() {
        assert_eq!(Bootstrap::BY_CASE.of_counts(&[0; 9], 2, &share_of_first), None);
        assert_eq!(Bootstrap::BY_CASE.of_counts(&[], 2, &share_of_first), None);
        let one_group = Bootstrap { groups: Some(&[7, 7, 7]), resamples: 100 };
        assert_eq!(one_group.of_counts(&[0, 1, 1], 2, &share_of_first), None);
    }

    #[test]
    fn the_same_cells_give_the_same_interval() {
        let cells: Vec<usize> = (0..50).map(|case| case % 2).collect();
        let once = Bootstrap::BY_CASE.of_counts(&cells, 2, &share_of_first);
        assert_eq!(once, Bootstrap::BY_CASE.of_counts(&cells, 2, &share_of_first));
    }
}
