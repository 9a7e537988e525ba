//! Metrics against scikit-learn and statsmodels, within 1e-9 (`fixtures/metrics/generate.py`); open answers against
//! torchmetrics and nltk (`fixtures/open_answers/generate.py`); ranked documents against ir-measures and ranx
//! (`fixtures/retrieval/generate.py`).

use dissent::data::Answer;
use dissent::evaluation::metrics::{Calibration, Confusion, LabelSets, OneAgainstRest, RetrievalFigures, WordOverlap};
use dissent::evaluation::{Bootstrap, Interval, RESAMPLES, holm};
use serde::Deserialize;
use std::collections::BTreeMap;

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
    label_f1: Vec<f64>,
    macro_f1: f64,
    macro_precision: f64,
    macro_recall: f64,
    micro_f1: f64,
}

#[derive(Deserialize)]
struct Holm {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct Resampled {
    labels: usize,
    gold: Vec<usize>,
    answers: Vec<usize>,
    scores: Vec<f64>,
    groups: Vec<usize>,
    by_case: Intervals,
    by_group: Intervals,
}

#[derive(Deserialize)]
struct Intervals {
    macro_f1: [f64; 2],
    auc: [f64; 2],
}

#[derive(Deserialize)]
struct Fixture {
    one_label: Vec<OneLabel>,
    several_labels: Vec<SeveralLabels>,
    bootstrap: Resampled,
    holm: Holm,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../fixtures/metrics/metrics.json")).unwrap()
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
        close("AUC", mean_area(&set.probabilities, &set.gold, &vec![1; set.gold.len()]), set.auc);
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
        let pairs = set.gold.iter().zip(&set.answers).map(|(gold, answer)| (gold.as_slice(), answer.as_slice(), 1));
        let counted = LabelSets::of(set.labels, pairs);
        for (found, expected) in counted.label_f1().into_iter().zip(set.label_f1) {
            close("F1 of a label", found, expected);
        }
        let averages = counted.macro_averages().unwrap();
        close("macro F1", averages.f1, set.macro_f1);
        close("macro precision", averages.precision, set.macro_precision);
        close("macro recall", averages.recall, set.macro_recall);
        close("micro F1", counted.micro_f1().unwrap(), set.micro_f1);
    }
}

/// The ends of two runs of the bootstrap differ by chance: 0.012 is four standard errors of a 2.5 % percentile here.
#[test]
fn intervals_match_a_bootstrap_by_brute_force() {
    let set = fixture().bootstrap;
    let cells: Vec<usize> =
        set.gold.iter().zip(&set.answers).map(|(gold, answer)| gold * (set.labels + 1) + answer).collect();
    let macro_f1 = |counts: &[usize]| Some(Confusion::from_counts(counts.chunks(set.labels + 1)).macro_averages()?.f1);
    let is_one: Vec<usize> = set.gold.iter().map(|gold| usize::from(*gold != 1)).collect();
    let probabilities: Vec<Vec<f32>> = set.scores.iter().map(|score| vec![*score as f32, -*score as f32]).collect();
    let ranking = OneAgainstRest::of(2, &probabilities, &is_one);
    for (groups, expected) in [(None, set.by_case), (Some(set.groups.as_slice()), set.by_group)] {
        let bootstrap = Bootstrap { groups, resamples: RESAMPLES };
        let near = |what: &str, found: Option<Interval>, expected: [f64; 2]| {
            let found = found.unwrap();
            let off = (found.low - expected[0]).abs().max((found.high - expected[1]).abs());
            assert!(off < 0.012, "{what}, groups {}: expected {expected:?}, found {found:?}", groups.is_some());
        };
        near("macro F1", bootstrap.of_counts(&cells, set.labels * (set.labels + 1), &macro_f1), expected.macro_f1);
        near("AUC", bootstrap.of_weights(cells.len(), &|weights| ranking.mean_area(weights)), expected.auc);
    }
}

/// The area under the curve of `probabilities[case][label]`, one label against the rest.
fn mean_area(probabilities: &[Vec<f64>], gold: &[usize], weights: &[u32]) -> f64 {
    let probabilities: Vec<Vec<f32>> =
        probabilities.iter().map(|values| values.iter().map(|value| *value as f32).collect()).collect();
    OneAgainstRest::of(probabilities[0].len(), &probabilities, gold).mean_area(weights).unwrap()
}

#[test]
fn a_case_that_counts_twice_is_two_cases() {
    for set in fixture().one_label {
        let weights: Vec<u32> = (0..set.gold.len()).map(|position| if position < 5 { 2 } else { 1 }).collect();
        let weighted = mean_area(&set.probabilities, &set.gold, &weights);
        let probabilities = [&set.probabilities[..5], &set.probabilities[..]].concat();
        let gold = [&set.gold[..5], &set.gold[..]].concat();
        close("weighted AUC", weighted, mean_area(&probabilities, &gold, &vec![1; gold.len()]));
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
    let one_case = OneAgainstRest::of(2, &[vec![0.5, 0.5]], &[1]);
    assert_eq!(one_case.mean_area(&[1]), None, "there is no negative case");
    assert_eq!(LabelSets::of(3, []).micro_f1(), None);
}

#[derive(Deserialize)]
struct InWords {
    gold: String,
    answer: String,
    exact: f64,
    f1: f64,
    bleu_1: f64,
}

/// torchmetrics computes in f32.
#[test]
fn open_answers_match_squad_and_bleu() {
    let cases: Vec<InWords> = serde_json::from_str(include_str!("../fixtures/open_answers/open_answers.json")).unwrap();
    assert!(cases.len() > 10);
    for case in cases {
        let overlap = WordOverlap::of(&case.gold, &case.answer);
        let words = format!("{:?} {:?}", case.gold, case.answer);
        assert!((overlap.f1 - case.f1).abs() < 1e-6, "{words}: {overlap:?}");
        assert!((overlap.bleu_1 - case.bleu_1).abs() < 1e-9, "{words}: {overlap:?}");
        let is_exact = Answer::from_words(&case.gold) == Answer::from_words(&case.answer);
        assert_eq!(is_exact, case.exact > 0.5, "{words}");
    }
    let half = WordOverlap::of("left upper lobe", "the lobe on the left");
    assert!((half.recall - 2.0 / 3.0).abs() < 1e-9, "{half:?}");
}

#[derive(Deserialize)]
struct Retrieval {
    sets: Vec<Judged>,
}

#[derive(Deserialize)]
struct Judged {
    queries: Vec<Query>,
    figures: Vec<BTreeMap<String, serde_json::Value>>,
}

#[derive(Deserialize)]
struct Query {
    grades: BTreeMap<usize, i32>,
    ranked: Vec<usize>,
}

#[test]
fn ranked_documents_match_ir_measures_and_ranx() {
    let fixture: Retrieval = serde_json::from_str(include_str!("../fixtures/retrieval/retrieval.json")).unwrap();
    let mut compared = 0;
    for Judged { queries, figures } in fixture.sets {
        for expected in figures {
            let k = expected["k"].as_u64().unwrap() as usize;
            let found: Vec<RetrievalFigures> = queries
                .iter()
                .map(|query| {
                    let listed: Vec<i32> =
                        query.ranked.iter().map(|document| query.grades.get(document).copied().unwrap_or(0)).collect();
                    let mut best: Vec<i32> = query.grades.values().copied().filter(|grade| *grade > 0).collect();
                    best.sort_unstable_by(|one, other| other.cmp(one));
                    RetrievalFigures::of(&listed, &best, best.len(), k)
                })
                .collect();
            let values_of = |name: &str| -> Vec<f64> {
                let value = |figures: &RetrievalFigures| match name {
                    "recall" => figures.recall,
                    "ndcg" => figures.ndcg,
                    "rr" => figures.reciprocal_rank,
                    "precision" => figures.precision,
                    _ => figures.success,
                };
                found.iter().map(value).collect()
            };
            for name in ["recall", "ndcg", "rr", "precision", "success"] {
                let (own, theirs) = (values_of(name), expected[name]["values"].as_array().unwrap());
                assert_eq!(own.len(), theirs.len());
                for (own, theirs) in own.iter().zip(theirs) {
                    close(&format!("{name}@{k}"), *own, theirs.as_f64().unwrap());
                    compared += 1;
                }
                let mean = own.iter().sum::<f64>() / own.len() as f64;
                close(&format!("mean {name}@{k}"), mean, expected[name]["mean"].as_f64().unwrap());
            }
        }
    }
    assert_eq!(compared, 2 * 6 * 5 * 40);
}
