//! Metrics against scikit-learn and statsmodels, within 1e-9 (`fixtures/metrics/generate.py`).
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use dissent::analysis::holm;
use dissent::analysis::metrics::{Calibration, Confusion, LabelSets, area_under_curve, macro_area_under_curve};
use serde::Deserialize;

#[derive(Deserialize)]
struct OneLabel {
    labels: usize,
    gold: Vec<usize>,
    answers: Vec<Option<usize>>,
    probabilities: Vec<Vec<f64>>,
    accuracy: f64,
    macro_precision: f64,
    macro_recall: f64,
    macro_f1: f64,
    auc: f64,
    brier: f64,
    brier_sklearn: f64,
    ece: f64,
    confusion: Vec<Vec<usize>>,
}

#[derive(Deserialize)]
struct SeveralLabels {
    labels: usize,
    gold: Vec<Vec<usize>>,
    answers: Vec<Vec<usize>>,
    subset_accuracy: f64,
    label_f1: Vec<f64>,
    macro_f1: f64,
    micro_f1: f64,
}

#[derive(Deserialize)]
struct Holm {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct Fixture {
    one_label: Vec<OneLabel>,
    several_labels: Vec<SeveralLabels>,
    holm: Holm,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/metrics/metrics.json")).unwrap()
}

fn close(what: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{what}: expected {expected}, found {found}");
}

#[test]
fn one_label_matches_scikit_learn() {
    for set in fixture().one_label {
        let confusion = Confusion::of(set.labels, set.gold.iter().copied().zip(set.answers.iter().copied()));
        let averages = confusion.macro_averages().unwrap();
        close("accuracy", confusion.accuracy().unwrap(), set.accuracy);
        close("macro precision", averages.precision, set.macro_precision);
        close("macro recall", averages.recall, set.macro_recall);
        close("macro F1", averages.f1, set.macro_f1);
        for (row, expected) in confusion.counts().iter().zip(&set.confusion) {
            assert_eq!(row[..set.labels], expected[..]);
        }
        let unparsed: usize = confusion.counts().iter().map(|row| row[set.labels]).sum();
        assert_eq!(unparsed, set.answers.iter().filter(|answer| answer.is_none()).count());
        close("AUC", macro_area_under_curve(&set.probabilities, &set.gold).unwrap(), set.auc);
        let calibration = Calibration::of(&set.probabilities, &set.gold).unwrap();
        close("Brier", calibration.brier, set.brier);
        close("Brier of scikit-learn", calibration.brier, set.brier_sklearn);
        close("ECE", calibration.expected_error, set.ece);
        assert_eq!(calibration.bins.iter().map(|bin| bin.n).sum::<usize>(), set.gold.len());
    }
}

#[test]
fn several_labels_match_scikit_learn() {
    for set in fixture().several_labels {
        let pairs = set.gold.iter().map(Vec::as_slice).zip(set.answers.iter().map(Vec::as_slice));
        let counted = LabelSets::of(set.labels, pairs);
        close("subset accuracy", counted.subset_accuracy().unwrap(), set.subset_accuracy);
        for (found, expected) in counted.label_f1().into_iter().zip(set.label_f1) {
            close("F1 of a label", found, expected);
        }
        close("macro F1", counted.macro_f1().unwrap(), set.macro_f1);
        close("micro F1", counted.micro_f1(), set.micro_f1);
    }
}

#[test]
fn holm_matches_statsmodels() {
    let Holm { p, adjusted } = fixture().holm;
    for (found, expected) in holm(&p).into_iter().zip(adjusted) {
        close("adjusted p", found, expected);
    }
    assert!(holm(&[]).is_empty());
}

#[test]
fn nothing_has_no_figure() {
    assert_eq!(Confusion::of(2, []).accuracy(), None);
    assert_eq!(Confusion::of(2, []).macro_averages(), None);
    assert_eq!(Calibration::of(&[], &[]), None);
    assert_eq!(area_under_curve(&[(0.5, true)]), None, "there is no negative case");
    assert_eq!(LabelSets::of(3, []).subset_accuracy(), None);
}
