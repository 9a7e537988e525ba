//! All coefficients of a table of ratings, with their intervals.

use super::coefficient_names::{Coefficient, Undefined};
use super::coefficients::{cohen, fleiss, gwet, krippendorff};
use super::counted::Counted;
use super::masi::masi_distance;
use super::ratings::Ratings;
use dissent_evaluation::{Bootstrap, Estimate};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Most different answers for which figures are computed: memory grows with their square.
const MOST_ANSWERS: usize = 2000;

/// A coefficient, or the reason why there is none.
pub type Measured = Result<Estimate, Undefined>;

/// Agreement between the annotators of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// Number of units with answers by two annotators or more: the figures are computed from these.
    pub shared: usize,
    /// In the order of [`Coefficient::OF_ALL`].
    pub figures: Vec<(Coefficient, Measured)>,
}

/// Agreement between two annotators.
#[derive(Clone, Debug, PartialEq)]
pub struct PairAgreement {
    /// Positions of the two annotators, the first before the second.
    pub annotators: (usize, usize),
    /// Number of units with answers by both.
    pub shared: usize,
    pub percent: Measured,
    pub kappa: Measured,
    /// Units by the answers of the first and the second, as positions in [`Ratings::answers`].
    pub confusion: BTreeMap<(usize, usize), usize>,
}

impl Agreement {
    /// Computes all coefficients. Intervals are 95 %, by the percentile bootstrap, which draws units, or whole groups
    /// of them if two units share one ([`Ratings::push_of_group`]). With 0 `resamples` there are no intervals, and
    /// the calling thread does all the work.
    pub fn of(ratings: &Ratings, resamples: usize) -> Self {
        let counted = Counted::of(ratings);
        let shared = ratings.shared();
        let missing = why_nothing(ratings, shared);
        let groups = ratings.groups_of(|unit| unit.iter().any(Option::is_some));
        let bootstrap = Bootstrap { groups: groups.as_deref(), resamples };
        let figure = |coefficient: &Coefficient| {
            let measured = match missing {
                Some(reason) => Err(reason),
                None => measure(&counted, ratings, *coefficient, shared, bootstrap),
            };
            (*coefficient, measured)
        };
        // Other threads may be busy with a model, so without intervals the work must not wait for them.
        let figures = if resamples == 0 {
            Coefficient::OF_ALL.iter().map(figure).collect()
        } else {
            Coefficient::OF_ALL.par_iter().map(figure).collect()
        };
        Self { shared, figures }
    }

    /// The figure of this coefficient; `None` for one that is defined for pairs only.
    pub fn figure(&self, coefficient: Coefficient) -> Option<&Measured> {
        self.figures.iter().find(|(own, _)| *own == coefficient).map(|(_, measured)| measured)
    }
}

impl PairAgreement {
    /// The agreement of each two annotators, in order.
    pub fn all(ratings: &Ratings, resamples: usize) -> Vec<Self> {
        let annotators = ratings.annotators.len();
        let pairs: Vec<(usize, usize)> =
            (0..annotators).flat_map(|one| (one + 1..annotators).map(move |other| (one, other))).collect();
        if resamples == 0 {
            return pairs.into_iter().map(|pair| Self::of(ratings, pair, 0)).collect();
        }
        pairs.into_par_iter().map(|pair| Self::of(ratings, pair, resamples)).collect()
    }

    fn of(ratings: &Ratings, annotators: (usize, usize), resamples: usize) -> Self {
        let both = |unit: &[Option<usize>]| unit[annotators.0].zip(unit[annotators.1]);
        let said: Vec<(usize, usize)> = ratings.units().iter().filter_map(|unit| both(unit)).collect();
        let mut confusion: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for pair in &said {
            *confusion.entry(*pair).or_default() += 1;
        }
        let pairs: Vec<(usize, usize)> = confusion.keys().copied().collect();
        let weights: Vec<usize> = confusion.values().copied().collect();
        let shared = said.len();
        let cells: Vec<usize> = said.iter().filter_map(|pair| pairs.binary_search(pair).ok()).collect();
        let alike: Vec<bool> = said.iter().map(|(one, other)| one == other).collect();
        let answers = ratings.answers().len();
        let groups = ratings.groups_of(|unit| both(unit).is_some());
        let bootstrap = Bootstrap { groups: groups.as_deref(), resamples };
        let statistic = |weights: &[usize]| cohen(&pairs, weights, answers);
        let (percent, kappa) = match shared {
            0 => (Err(Undefined::NothingShared), Err(Undefined::NothingShared)),
            _ => (Ok(share(&alike, bootstrap)), resampled(&cells, &weights, shared, bootstrap, &statistic)),
        };
        Self { annotators, shared, percent, kappa, confusion }
    }
}

/// A share with its interval, which is Wilson's if all outcomes are equal; there is none without resamples.
fn share(outcomes: &[bool], bootstrap: Bootstrap<'_>) -> Estimate {
    let figure = Estimate::of_share(outcomes, bootstrap);
    if bootstrap.resamples == 0 { Estimate { low: None, high: None, no_interval: None, ..figure } } else { figure }
}

fn why_nothing(ratings: &Ratings, shared: usize) -> Option<Undefined> {
    if shared > 0 {
        return None;
    }
    Some(match ratings.active_annotators() {
        0 => Undefined::NoAnnotation,
        1 => Undefined::OneAnnotator,
        _ => Undefined::NothingShared,
    })
}

fn measure(
    counted: &Counted,
    ratings: &Ratings,
    coefficient: Coefficient,
    shared: usize,
    bootstrap: Bootstrap<'_>,
) -> Measured {
    let answers = ratings.answers();
    if answers.len() > MOST_ANSWERS {
        return Err(Undefined::TooManyAnswers);
    }
    let distance: Vec<Vec<f64>> = match coefficient {
        Coefficient::Alpha => distances(answers, |one, other| if one == other { 0.0 } else { 1.0 }),
        Coefficient::AlphaMasi => distances(answers, masi_distance::<usize>),
        _ => Vec::new(),
    };
    let statistic = |weights: &[usize]| match coefficient {
        Coefficient::Percent => counted.observed_agreement(weights),
        Coefficient::Alpha | Coefficient::AlphaMasi => krippendorff(counted, weights, &distance),
        Coefficient::Ac1 => gwet(counted, weights),
        Coefficient::Fleiss => fleiss(counted, weights),
        Coefficient::Cohen => None,
    };
    let measured = resampled(&counted.cells, &counted.weights, shared, bootstrap, &statistic)?;
    let all_alike = measured.value == Some(1.0) || measured.value == Some(0.0);
    if coefficient == Coefficient::Percent && all_alike && bootstrap.resamples > 0 {
        // Equal units have no spread to resample, so the share gets Wilson's interval.
        let groups = ratings.groups_of(|unit| unit.iter().flatten().count() > 1);
        let bootstrap = Bootstrap { groups: groups.as_deref(), ..bootstrap };
        return Ok(Estimate::of_share(&vec![measured.value == Some(1.0); shared], bootstrap));
    }
    Ok(measured)
}

/// The statistic with its interval, which is left out if every resample gives the same value.
fn resampled(
    cells: &[usize],
    weights: &[usize],
    shared: usize,
    bootstrap: Bootstrap<'_>,
    statistic: &dyn Fn(&[usize]) -> Option<f64>,
) -> Measured {
    let value = statistic(weights).ok_or(Undefined::OneAnswer)?;
    let interval = bootstrap.of_counts(cells, weights.len(), statistic);
    let interval = interval.filter(|interval| interval.low < interval.high);
    let [low, high] = [interval.map(|ends| ends.low), interval.map(|ends| ends.high)];
    Ok(Estimate { value: Some(value), n: shared, low, high, no_interval: None })
}

fn distances(answers: &[Vec<usize>], distance: impl Fn(&[usize], &[usize]) -> f64) -> Vec<Vec<f64>> {
    answers.iter().map(|one| answers.iter().map(|other| distance(one, other)).collect()).collect()
}
