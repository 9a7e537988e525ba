//! Coefficients of agreement against published examples and against krippendorff, statsmodels, irrCAC and nltk, within
//! 1e-9 (`fixtures/agreement/generate.py`).

use dissent::annotation::agreement::{
    Agreement, Coefficient, Measured, PairAgreement, Ratings, Undefined, masi_distance,
};
use serde::Deserialize;
use std::collections::BTreeMap;

const RESAMPLES: usize = 1000;

#[derive(Deserialize)]
struct OneCategory {
    name: String,
    units: Vec<Vec<Option<usize>>>,
    /// Estimate as printed and its number of decimals.
    published: BTreeMap<String, (f64, i32)>,
    percent: f64,
    alpha: f64,
    ac1: f64,
    fleiss: f64,
    cohen: Vec<Cohen>,
}

#[derive(Deserialize)]
struct Cohen {
    pair: (usize, usize),
    n: usize,
    kappa: f64,
}

#[derive(Deserialize)]
struct Sets {
    name: String,
    units: Vec<Vec<Option<Vec<usize>>>>,
    alpha_masi: f64,
}

#[derive(Deserialize)]
struct Masi {
    one: Vec<usize>,
    other: Vec<usize>,
    distance: f64,
}

#[derive(Deserialize)]
struct Fixture {
    one_category: Vec<OneCategory>,
    sets: Vec<Sets>,
    masi: Vec<Masi>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../fixtures/agreement/agreement.json")).unwrap()
}

fn ratings(units: impl IntoIterator<Item = Vec<Option<Vec<usize>>>>) -> Ratings {
    let units: Vec<Vec<Option<Vec<usize>>>> = units.into_iter().collect();
    let annotators = units.first().map_or(0, Vec::len);
    let categories = units.iter().flatten().flatten().flatten().max().map_or(0, |category| category + 1);
    let name = |number: usize| number.to_string();
    let mut ratings = Ratings::new((0..annotators).map(name).collect(), (0..categories).map(name).collect());
    for unit in units {
        ratings.push(unit);
    }
    ratings
}

fn of_one_category(units: &[Vec<Option<usize>>]) -> Ratings {
    let set = |category: &Option<usize>| category.map(|category| vec![category]);
    ratings(units.iter().map(|unit| unit.iter().map(set).collect()))
}

fn value(measured: &Measured) -> f64 {
    measured.as_ref().unwrap().value.unwrap()
}

fn close(what: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{what}: expected {expected}, found {found}");
}

#[test]
fn coefficients_match_other_programs_and_published_examples() {
    for set in fixture().one_category {
        let ratings = of_one_category(&set.units);
        let agreement = Agreement::of(&ratings, 0);
        let of = |coefficient: Coefficient| value(agreement.figure(coefficient).unwrap());
        close(&set.name, of(Coefficient::Percent), set.percent);
        close(&set.name, of(Coefficient::Alpha), set.alpha);
        close(&set.name, of(Coefficient::AlphaMasi), set.alpha);
        close(&set.name, of(Coefficient::Ac1), set.ac1);
        close(&set.name, of(Coefficient::Fleiss), set.fleiss);
        let pairs = PairAgreement::all(&ratings, 0);
        assert_eq!(pairs.len(), set.cohen.len());
        for (pair, expected) in pairs.iter().zip(&set.cohen) {
            assert_eq!((pair.annotators, pair.shared), (expected.pair, expected.n));
            close(&set.name, value(&pair.kappa), expected.kappa);
        }
        for (figure, (printed, decimals)) in &set.published {
            let found = match figure.as_str() {
                "percent" => of(Coefficient::Percent),
                "alpha" => of(Coefficient::Alpha),
                "ac1" => of(Coefficient::Ac1),
                "fleiss" => of(Coefficient::Fleiss),
                "cohen" => value(&pairs[0].kappa),
                other => panic!("{other}"),
            };
            let off = (found - printed).abs();
            assert!(off <= 0.5 * 10_f64.powi(-decimals), "{}, {figure}: printed {printed}, found {found}", set.name);
        }
    }
}

#[test]
fn sets_match_nltk() {
    for set in fixture().sets {
        let agreement = Agreement::of(&ratings(set.units), 0);
        close(&set.name, value(agreement.figure(Coefficient::AlphaMasi).unwrap()), set.alpha_masi);
        let alpha = value(agreement.figure(Coefficient::Alpha).unwrap());
        assert!(alpha < set.alpha_masi, "{}: overlapping sets count for something", set.name);
    }
    for pair in fixture().masi {
        close("MASI", masi_distance(&pair.one, &pair.other), pair.distance);
        close("MASI", masi_distance(&pair.other, &pair.one), pair.distance);
    }
    close("MASI of an empty set and another", masi_distance(&[], &[1]), 1.0);
    close("MASI of two empty sets", masi_distance::<usize>(&[], &[]), 0.0);
}

#[test]
fn a_category_against_the_rest_is_a_table_of_yes_and_no() {
    let set = fixture().one_category.into_iter().find(|set| set.name == "missing values").unwrap();
    let ratings = of_one_category(&set.units);
    let binary: Vec<Vec<Option<usize>>> = (set.units.iter())
        .map(|unit| unit.iter().map(|said| said.map(|category| usize::from(category == 2))).collect())
        .collect();
    let expected = Agreement::of(&of_one_category(&binary), 0);
    let found = Agreement::of(&ratings.one_against_rest(2), 0);
    assert_eq!(found.shared, expected.shared);
    for ((coefficient, found), (_, expected)) in found.figures.iter().zip(&expected.figures) {
        close(coefficient.name(), value(found), value(expected));
    }
}

#[test]
fn intervals_hold_the_figure_and_are_the_same_each_time() {
    for set in fixture().one_category.iter().filter(|set| set.units.len() >= 60) {
        let ratings = of_one_category(&set.units);
        let once = Agreement::of(&ratings, RESAMPLES);
        for (coefficient, measured) in &once.figures {
            let figure = measured.as_ref().unwrap();
            let (low, high) = (figure.low.unwrap(), figure.high.unwrap());
            let value = figure.value.unwrap();
            assert!(low < value && value < high, "{}, {}: {figure:?}", set.name, coefficient.name());
            assert_eq!(figure.n, set.units.iter().filter(|unit| unit.iter().flatten().count() > 1).count());
        }
        assert_eq!(once, Agreement::of(&ratings, RESAMPLES));
        for pair in PairAgreement::all(&ratings, RESAMPLES) {
            assert!(pair.kappa.unwrap().low.is_some() && pair.percent.unwrap().low.is_some());
        }
    }
    // 0.75 of 400 units: ± 1.96 · sqrt(0.75 · 0.25 / 400) = ± 0.0424, as of any share.
    let units: Vec<Vec<Option<usize>>> = (0..400).map(|unit| vec![Some(0), Some(usize::from(unit % 4 == 0))]).collect();
    let agreement = Agreement::of(&of_one_category(&units), 10_000);
    let percent = agreement.figure(Coefficient::Percent).unwrap().as_ref().unwrap();
    assert!((percent.low.unwrap() - 0.7076).abs() < 0.01 && (percent.high.unwrap() - 0.7924).abs() < 0.01);
}

/// Four cases a patient, of which the same is said: 400 cases tell as much as 100, so an interval is twice as wide.
#[test]
fn the_cases_of_a_patient_are_drawn_together() {
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let table = |cases_each: usize| {
        let mut ratings = Ratings::new(named(&["ada", "bob"]), named(&["a", "b"]));
        for unit in 0..400 {
            let said = vec![Some(vec![(unit / 4) % 2]), Some(vec![usize::from((unit / 4) % 3 == 0)])];
            ratings.push_of_group(said, unit / cases_each);
        }
        ratings
    };
    assert!(table(4).has_groups() && !table(1).has_groups());
    let width = |measured: &Measured| {
        let figure = measured.as_ref().unwrap();
        figure.high.unwrap() - figure.low.unwrap()
    };
    let of = |ratings: &Ratings| {
        let pair = PairAgreement::all(ratings, 4000).remove(0);
        let mut widths: Vec<f64> =
            Agreement::of(ratings, 4000).figures.iter().map(|(_, measured)| width(measured)).collect();
        widths.extend([width(&pair.percent), width(&pair.kappa)]);
        widths
    };
    for (grouped, single) in of(&table(4)).iter().zip(of(&table(1))) {
        assert!((1.8..2.2).contains(&(grouped / single)), "{grouped} and {single}");
    }
}

#[test]
fn what_cannot_be_told_has_a_reason() {
    let reason = |units: &[Vec<Option<usize>>], coefficient: Coefficient| {
        let agreement = Agreement::of(&of_one_category(units), RESAMPLES);
        agreement.figure(coefficient).unwrap().clone().map(|figure| figure.value.unwrap())
    };
    for coefficient in Coefficient::OF_ALL {
        assert_eq!(reason(&[], coefficient), Err(Undefined::NoAnnotation));
        assert_eq!(reason(&[vec![None, None]], coefficient), Err(Undefined::NoAnnotation));
        assert_eq!(reason(&[vec![Some(1), None], vec![Some(0), None]], coefficient), Err(Undefined::OneAnnotator));
        assert_eq!(reason(&[vec![Some(0)], vec![Some(1)]], coefficient), Err(Undefined::OneAnnotator));
        assert_eq!(reason(&[vec![Some(0), None], vec![None, Some(0)]], coefficient), Err(Undefined::NothingShared));
    }
    let alike = vec![vec![Some(1), Some(1), Some(1)]; 5];
    for coefficient in [Coefficient::Alpha, Coefficient::AlphaMasi, Coefficient::Ac1, Coefficient::Fleiss] {
        assert_eq!(reason(&alike, coefficient), Err(Undefined::OneAnswer), "{}", coefficient.name());
    }
    assert_eq!(reason(&alike, Coefficient::Percent), Ok(1.0));
    assert_eq!(PairAgreement::all(&of_one_category(&alike), RESAMPLES)[0].kappa, Err(Undefined::OneAnswer));
    // Wilson's interval of 5 of 5.
    let agreement = Agreement::of(&of_one_category(&alike), RESAMPLES);
    let percent = agreement.figure(Coefficient::Percent).unwrap().as_ref().unwrap();
    assert!((percent.low.unwrap() - 0.565_518).abs() < 1e-5 && percent.high == Some(1.0));
    // Perfect agreement on two answers is a figure, and has no interval: no resample differs.
    let perfect = vec![vec![Some(0), Some(0)], vec![Some(1), Some(1)], vec![Some(1), Some(1)]];
    let agreement = Agreement::of(&of_one_category(&perfect), RESAMPLES);
    let alpha = agreement.figure(Coefficient::Alpha).unwrap().as_ref().unwrap();
    assert_eq!((alpha.value, alpha.low, alpha.n), (Some(1.0), None, 3));
    // Each always the other's opposite: chance would never agree either.
    let opposite = vec![vec![Some(0), Some(1)]; 4];
    assert_eq!(PairAgreement::all(&of_one_category(&opposite), RESAMPLES)[0].kappa.as_ref().unwrap().value, Some(0.0));
    assert!(PairAgreement::all(&of_one_category(&[]), RESAMPLES).is_empty());
}

#[test]
fn the_order_of_annotators_and_units_does_not_matter() {
    let set = fixture().one_category.into_iter().find(|set| set.name == "missing values").unwrap();
    let reversed: Vec<Vec<Option<usize>>> =
        set.units.iter().rev().map(|unit| unit.iter().rev().copied().collect()).collect();
    let (one, other) = (of_one_category(&set.units), of_one_category(&reversed));
    let (one, other) = (Agreement::of(&one, 0), Agreement::of(&other, 0));
    for ((coefficient, one), (_, other)) in one.figures.iter().zip(&other.figures) {
        close(coefficient.name(), value(one), value(other));
    }
}
