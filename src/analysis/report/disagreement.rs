//! How much the predictions of a case disagree, each run by its own predictions.

use super::Evaluation;
use super::system::{Row, Subset};
use super::table::{Cell, Table};
use crate::analysis::{Figure, Verdict};

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        for (system, own) in evaluation.of_task(&reference.task.id) {
            let read: Vec<&Row> = own.rows.iter().filter(|row| row.outcome.is_some()).collect();
            if read.is_empty() {
                continue;
            }
            let consistent: Vec<&Row> =
                read.iter().copied().filter(|row| row.verdict() == Some(Verdict::Consistent)).collect();
            let all = Subset::new("all", read, evaluation.sampling);
            let consistent = Subset::new("consistent", consistent, evaluation.sampling);
            rows.push(vec![
                Cell::from(system.name.as_str()),
                Cell::Count(all.rows.len()),
                share(&all, |row| row.verdict() == Some(Verdict::Inconsistent)),
                mean(&all, disagreement),
                mean(&all, entropy),
                Cell::Count(consistent.rows.len()),
                share(&consistent, |row| row.outcome.as_ref().is_some_and(|outcome| !outcome.is_right())),
            ]);
        }
        tables.push(Table {
            key: "disagreement",
            title: format!("Disagreement, {}", reference.task.id),
            note: "By each run's own predictions. Inconsistent: not all K predictions are the same answer. Disagreement: share \
                   of the pairs of predictions that differ. Entropy: of the answers' shares, in bits. Consistent but wrong: \
                   of the consistent cases."
                .into(),
            columns: vec!["system", "n", "inconsistent", "disagreement", "entropy", "n cons.", "cons. but wrong"],
            rows,
        });
    }
    tables
}

fn share(subset: &Subset, test: fn(&Row) -> bool) -> Cell {
    let outcomes: Vec<bool> = subset.rows.iter().map(|row| test(row)).collect();
    Cell::Figure(Figure::of_share(&outcomes, subset.bootstrap()))
}

fn mean(subset: &Subset, value: fn(&Row) -> f64) -> Cell {
    let values: Vec<f64> = subset.rows.iter().map(|row| value(row)).collect();
    Cell::Figure(Figure::of_mean(&values, subset.bootstrap()))
}

/// Share of the pairs of predictions whose answers differ; 0 where there is one prediction.
fn disagreement(row: &Row) -> f64 {
    let counts = answer_counts(row);
    let k: usize = counts.iter().sum();
    if k < 2 {
        return 0.0;
    }
    let alike: usize = counts.iter().map(|count| count * (count - 1)).sum();
    1.0 - alike as f64 / (k * (k - 1)) as f64
}

/// −Σ p · log₂ p over the answers' shares.
fn entropy(row: &Row) -> f64 {
    let counts = answer_counts(row);
    let k: usize = counts.iter().sum();
    let share = |count: usize| count as f64 / k as f64;
    // Written so that a single answer gives 0 and not −0.
    counts.iter().map(|count| share(*count) * (1.0 / share(*count)).log2()).sum()
}

/// How many predictions gave each answer; one that names no label is an answer of its own.
fn answer_counts(row: &Row) -> Vec<usize> {
    let mut counts: Vec<(Option<usize>, usize)> = Vec::new();
    for prediction in &row.answer.predictions {
        match counts.iter_mut().find(|(label, _)| *label == prediction.label) {
            Some((_, count)) => *count += 1,
            None => counts.push((prediction.label, 1)),
        }
    }
    counts.into_iter().map(|(_, count)| count).collect()
}
