//! Disagreement among the predictions of a case, by each run's own predictions.

use super::Evaluation;
use super::system::{Row, Subset};
use super::table::{Cell, Table};
use crate::{CaseOutcome, Estimate, Verdict};

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
                mean(&all, CaseOutcome::disagreement),
                mean(&all, CaseOutcome::entropy),
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
    Cell::Estimate(Estimate::of_share(&outcomes, subset.bootstrap()))
}

fn mean(subset: &Subset, value: fn(&CaseOutcome) -> f64) -> Cell {
    let values: Vec<f64> = subset.rows.iter().filter_map(|row| row.outcome.as_ref()).map(value).collect();
    Cell::Estimate(Estimate::of_mean(&values, subset.bootstrap()))
}
