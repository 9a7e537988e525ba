//! The thresholds of labels that were chosen on the validation split.

use super::Evaluation;
use super::table::{Cell, Table};
use crate::LabelThreshold;

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        for (system, _) in evaluation.of_task_with_ablations(&reference.task.id) {
            let Some(own) = system.thresholds.iter().find(|own| own.task == reference.task.id) else { continue };
            let labels = reference.task.labels.iter().zip(&own.labels);
            rows.extend(labels.map(|(label, threshold)| row_of(&system.name, &label.name, threshold)));
        }
        tables.push(Table {
            key: "thresholds",
            title: format!("Thresholds, {}", reference.task.id),
            note: "A label is answered if its probability of yes is above the threshold. Each was chosen on the validation split of \
                   its run, for the largest F1 there, and on no case of the evaluated split. n: validation cases in which the label \
                   is known. with: those that have it. F1: on these cases, with the threshold and with that of the dataset."
                .into(),
            columns: vec!["system", "label", "threshold", "n", "with", "F1 there", "F1 before"],
            rows,
        });
    }
    tables
}

fn row_of(system: &str, label: &str, threshold: &LabelThreshold) -> Vec<Cell> {
    let value = format!("{:.3}", threshold.probability());
    let figure = |value: Option<f64>| Cell::Text(value.map_or("-".into(), |value| format!("{value:.3}")));
    vec![
        Cell::from(system),
        Cell::Text(format!("label {label}")),
        Cell::Text(if threshold.is_chosen { value } else { format!("{value} (kept: too few cases)") }),
        Cell::Count(threshold.cases),
        Cell::Count(threshold.with),
        figure(threshold.f1),
        figure(threshold.f1_before),
    ]
}
