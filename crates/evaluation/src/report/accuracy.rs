//! Accuracy of systems: closed-book and each run, on all cases and on those that are consistent and inconsistent in
//! the reference run (docs/method.md, "Inconsistent cases").

use super::label_sets::AnsweredSets;
use super::system::{Row, Subset, TaskRows};
use super::table::{Cell, Table};
use super::{Evaluation, SPLIT_NOTE};
use crate::Estimate;
use crate::metrics::{Confusion, MacroAverages, OneAgainstRest};
use dissent_core::data::{Dataset, LabelIndex, Task, TaskKind};
use dissent_core::run::Prediction;

/// Picks the answer of a row that is evaluated.
type Pick = fn(&Row) -> Option<Prediction>;

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    // Open answers have a separate table.
    for reference in evaluation.reference_tasks().iter().filter(|own| own.task.kind != TaskKind::OpenVqa) {
        let task = &reference.task.id;
        let mut rows = Vec::new();
        if reference.rows.iter().any(|row| row.answer.closed_book.is_some()) {
            let name = format!("closed-book ({})", evaluation.reference().name);
            rows.extend(rows_of(evaluation, &name, reference, |row| row.answer.closed_book.clone()));
        }
        for (system, tasks) in evaluation.systems() {
            let Some(own) = tasks.iter().find(|own| own.task.id == *task) else { continue };
            if own.rows.iter().any(|row| row.fused.is_some()) {
                rows.extend(rows_of(evaluation, &system.name, own, |row| row.fused.clone()));
            } else if system.name != evaluation.reference().name {
                // A run without documents has this answer alone.
                let name = format!("closed-book ({})", system.name);
                rows.extend(rows_of(evaluation, &name, own, |row| row.answer.closed_book.clone()));
            }
        }
        tables.push(Table {
            key: "accuracy",
            title: format!("Accuracy, {task}"),
            note: format!(
                "Fused answers. Macro averages over labels as scikit-learn's with zero_division 0; AUC one against rest. \
                 {SPLIT_NOTE}"
            ),
            columns: vec!["system", "cases", "n", "accuracy", "macro F1", "AUC", "macro precision", "macro recall"],
            rows,
        });
    }
    tables
}

fn rows_of(evaluation: &Evaluation, name: &str, own: &TaskRows, pick: Pick) -> Vec<Vec<Cell>> {
    evaluation.rows_by_verdict(name, own, &|subset| match own.task.kind {
        TaskKind::MultiLabel => set_figures(evaluation.dataset, subset, own.task, pick),
        _ => figures(evaluation.dataset, subset, own.task, pick),
    })
}

/// The figures for sets of labels: accuracy is that of whole sets, the others are means over the labels.
fn set_figures(dataset: &Dataset, subset: &Subset, task: &Task, pick: Pick) -> Vec<Cell> {
    let is_right = |row: &&Row| pick(row).is_some_and(|answer| answer.is_right(row.gold));
    let right: Vec<bool> = subset.rows.iter().map(is_right).collect();
    let Some(sets) = AnsweredSets::of(dataset, task, &subset.rows, pick) else { return vec![Cell::from("-"); 6] };
    let average =
        |pick: fn(MacroAverages) -> f64| sets.figure(subset.bootstrap(), &|sets| sets.macro_averages().map(pick));
    vec![
        Cell::Count(right.len()),
        Cell::Estimate(Estimate::of_share(&right, subset.bootstrap())),
        average(|averages| averages.f1),
        sets.mean_area(subset.bootstrap()),
        average(|averages| averages.precision),
        average(|averages| averages.recall),
    ]
}

/// n, accuracy, macro F1, AUC, macro precision and recall.
fn figures(dataset: &Dataset, subset: &Subset, task: &Task, pick: Pick) -> Vec<Cell> {
    let labels = task.labels.len();
    let answers: Vec<Option<Prediction>> = subset.rows.iter().map(|row| pick(row)).collect();
    // Gold labels of a task that chooses one label are checked when the dataset is opened.
    let Some(gold) = subset.rows.iter().map(|row| row.gold_label()).collect::<Option<Vec<LabelIndex>>>() else {
        return vec![Cell::from("-"); 6];
    };
    let answered: Vec<Option<LabelIndex>> = answers.iter().map(|answer| answer.as_ref()?.label()).collect();
    let right: Vec<bool> = gold.iter().zip(&answered).map(|(gold, answer)| *answer == Some(*gold)).collect();
    let sets = AnsweredSets::of(dataset, task, &subset.rows, pick);
    let cells: Vec<usize> =
        gold.iter().zip(&answered).map(|(gold, answer)| gold * (labels + 1) + answer.unwrap_or(labels)).collect();
    let average = |pick: fn(MacroAverages) -> f64| {
        if let Some(sets) = &sets {
            return sets.figure(subset.bootstrap(), &|sets| sets.macro_averages().map(pick));
        }
        let statistic =
            move |counts: &[usize]| Confusion::from_counts(counts.chunks(labels + 1)).macro_averages().map(pick);
        Cell::Estimate(Estimate::of_counts(&cells, labels * (labels + 1), subset.bootstrap(), &statistic))
    };
    vec![
        Cell::Count(right.len()),
        Cell::Estimate(Estimate::of_share(&right, subset.bootstrap())),
        average(|averages| averages.f1),
        area(subset, labels, &answers, &gold),
        average(|averages| averages.precision),
        average(|averages| averages.recall),
    ]
}

/// AUC over the cases; undefined if some answers have no log-probabilities.
fn area(subset: &Subset, labels: usize, answers: &[Option<Prediction>], gold: &[LabelIndex]) -> Cell {
    let scores = answers.iter().map(|answer| answer.as_ref().and_then(|answer| answer.scores.as_ref()));
    let Some(scores) = scores.collect::<Option<Vec<_>>>() else { return Cell::Undefined("no probabilities".into()) };
    let probabilities: Vec<Vec<f32>> = scores.iter().map(|scores| scores.probabilities()).collect();
    let ranking = OneAgainstRest::of(labels, &probabilities, gold);
    let statistic = |weights: &[u32]| ranking.mean_area(weights);
    Cell::Estimate(Estimate::of_weights(gold.len(), subset.bootstrap(), &statistic))
}
