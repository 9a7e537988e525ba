//! Table for tasks that are answered in words: word overlap with the gold answer (docs/method.md, "Figures").

use super::system::{Row, Subset, TaskRows};
use super::table::{Cell, Table};
use super::{Evaluation, SPLIT_NOTE};
use crate::Estimate;
use crate::metrics::WordOverlap;
use dissent_core::data::{Dataset, TaskKind};
use dissent_core::run::Prediction;

/// Picks the answer of a row that is evaluated.
type Pick = fn(&Row) -> Option<Prediction>;

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks().iter().filter(|own| own.task.kind == TaskKind::OpenVqa) {
        let mut rows = Vec::new();
        if reference.rows.iter().any(|row| row.answer.closed_book.is_some()) {
            let name = format!("closed-book ({})", evaluation.reference().name);
            rows.extend(rows_of(evaluation, &name, reference, |row| row.answer.closed_book.clone()));
        }
        for (system, own) in evaluation.of_task(&reference.task.id) {
            if own.rows.iter().any(|row| row.fused.is_some()) {
                rows.extend(rows_of(evaluation, &system.name, own, |row| row.fused.clone()));
            }
        }
        tables.push(Table {
            key: "open",
            title: format!("Open answers, {}", reference.task.id),
            note: format!(
                "Fused answers: of those that are the same words, the ones with the largest sum of λ. Exact: the same words as \
                 the gold answer. F1, recall and BLEU-1 of its words. Best F1: of the K predictions. {SPLIT_NOTE}"
            ),
            columns: vec!["system", "cases", "n", "exact", "F1", "recall", "BLEU-1", "best F1"],
            rows,
        });
    }
    tables
}

fn rows_of(evaluation: &Evaluation, name: &str, own: &TaskRows, pick: Pick) -> Vec<Vec<Cell>> {
    evaluation.rows_by_verdict(name, own, &|subset| figures(evaluation.dataset, subset, pick))
}

/// n, exact, F1, recall, BLEU-1, best F1.
fn figures(dataset: &Dataset, subset: &Subset, pick: Pick) -> Vec<Cell> {
    let mut exact = Vec::new();
    let mut overlaps = Vec::new();
    let mut best = Vec::new();
    for row in &subset.rows {
        let gold = &dataset.cases[row.case].answer;
        let of = |answer: &Prediction| WordOverlap::of(gold, answer.text.as_deref().unwrap_or_default());
        let answer = pick(row).unwrap_or_else(|| Prediction::in_words(String::new()));
        exact.push(answer.is_right(row.gold));
        overlaps.push(of(&answer));
        best.push(row.answer.predictions.iter().map(|answer| of(answer).f1).fold(0.0, f64::max));
    }
    let mean = |values: Vec<f64>| Cell::Estimate(Estimate::of_mean(&values, subset.bootstrap()));
    let each = |value: fn(&WordOverlap) -> f64| mean(overlaps.iter().map(value).collect());
    vec![
        Cell::Count(exact.len()),
        Cell::Estimate(Estimate::of_share(&exact, subset.bootstrap())),
        each(|overlap| overlap.f1),
        each(|overlap| overlap.recall),
        each(|overlap| overlap.bleu_1),
        mean(best),
    ]
}
