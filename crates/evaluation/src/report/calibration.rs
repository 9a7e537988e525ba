//! Tables of calibration and confusion.

use super::Evaluation;
use super::system::{Subset, TaskRows};
use super::table::{Cell, Table};
use crate::Estimate;
use crate::metrics::{Calibration, ConfidentCases, Confusion};

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        for (system, own) in evaluation.of_task(&reference.task.id) {
            let Some((probabilities, gold)) = fused_probabilities(own) else { continue };
            let subset = Subset::new("all", own.rows.iter().collect(), evaluation.sampling);
            let cases = ConfidentCases::of(&probabilities, &gold);
            let figure = |pick: fn(Calibration) -> f64| {
                let statistic = |weights: &[u32]| cases.calibration(weights).map(pick);
                Cell::Estimate(Estimate::of_weights(gold.len(), subset.bootstrap(), &statistic))
            };
            rows.push(vec![
                Cell::from(system.name.as_str()),
                Cell::Count(gold.len()),
                figure(|calibration| calibration.expected_error),
                figure(|calibration| calibration.brier),
            ]);
        }
        tables.push(Table {
            key: "calibration",
            title: format!("Calibration, {}", reference.task.id),
            note: "Of the fused answer's probabilities. ECE: expected calibration error, 15 bins of equal width (Guo et al. \
                   2017); resampling pushes it up, so that its interval may lie above it. Brier: over all labels, 0 to 2."
                .into(),
            columns: vec!["system", "n", "ECE", "Brier"],
            rows,
        });
    }
    tables
}

/// Table of the bins of the expected calibration error.
pub(super) fn reliability(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        for (system, own) in evaluation.of_task(&reference.task.id) {
            let Some((probabilities, gold)) = fused_probabilities(own) else { continue };
            let Some(calibration) = Calibration::of(&probabilities, &gold) else { continue };
            for bin in calibration.bins.iter().filter(|bin| bin.n > 0) {
                let mean = |value: f64| {
                    Cell::Estimate(Estimate { value: Some(value), n: bin.n, low: None, high: None, no_interval: None })
                };
                rows.push(vec![
                    Cell::from(system.name.as_str()),
                    Cell::Text(format!("{:.2} to {:.2}", bin.low, bin.high)),
                    Cell::Count(bin.n),
                    mean(bin.confidence),
                    mean(bin.accuracy),
                ]);
            }
        }
        tables.push(Table {
            key: "reliability",
            title: format!("Reliability, {}", reference.task.id),
            note: "Fused answers by the probability of their label: its mean, and the share that is right.".into(),
            columns: vec!["system", "bin", "n", "confidence", "right"],
            rows,
        });
    }
    tables
}

/// Table of gold labels against fused answers.
pub(super) fn confusion(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        for (system, own) in evaluation.of_task(&reference.task.id) {
            // There are too many label sets and open answers for a confusion table.
            if own.task.label_sets().is_some() || !own.task.chooses_one_label() {
                continue;
            }
            let labels = own.labels();
            let answers = own.rows.iter().filter_map(|row| Some((row.gold_label()?, row.fused.as_ref()?.label())));
            let confusion = Confusion::of(labels.len(), answers);
            let mut rows = Vec::new();
            for (gold, counts) in labels.iter().zip(confusion.counts()) {
                let names = labels.iter().map(|label| label.id.as_str()).chain(["no label"]);
                for (answer, count) in names.zip(counts) {
                    rows.push(vec![Cell::from(gold.id.as_str()), Cell::from(answer), Cell::Count(*count)]);
                }
            }
            tables.push(Table {
                key: "confusion",
                title: format!("Confusion, {}, {}", reference.task.id, system.name),
                note: "Cases by gold label and fused answer.".into(),
                columns: vec!["gold", "answer", "n"],
                rows,
            });
        }
    }
    tables
}

/// Probabilities of the fused answers and gold labels; `None` unless every answer has log-probabilities.
pub(super) fn fused_probabilities(own: &TaskRows) -> Option<(Vec<Vec<f64>>, Vec<usize>)> {
    let mut probabilities = Vec::new();
    let mut gold = Vec::new();
    for row in &own.rows {
        let scores = row.fused.as_ref()?.scores.as_ref()?;
        probabilities.push(scores.probabilities().into_iter().map(f64::from).collect());
        gold.push(row.gold_label()?);
    }
    Some((probabilities, gold))
}
