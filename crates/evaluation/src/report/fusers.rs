//! Compares all fusers of the stored predictions with the oracle.

use super::Evaluation;
use super::system::{Row, Subset, System};
use super::table::{Cell, Table};
use crate::{Estimate, Fuser, LearnedWeights, Verdict, scored_hits};
use dissent_core::data::Task;
use dissent_core::run::Prediction;

/// Name of the fused answer that other software wrote into the run.
const RECORDED: &str = "as recorded";

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        let mut remarks = Vec::new();
        for (system, own) in evaluation.of_task(&reference.task.id) {
            let read: Vec<&Row> = own.rows.iter().filter(|row| row.outcome.is_some()).collect();
            if read.is_empty() {
                continue;
            }
            let mut fusers = Fuser::UNTRAINED.to_vec();
            match learn(evaluation, system, own.task) {
                Some((weights, n)) => {
                    remarks.push(format!("Weights of {} learned from {n} validation cases.", system.name));
                    fusers.push(Fuser::Learned(weights));
                }
                // Weights are learned from log-probabilities, which open answers lack.
                None if !own.task.chooses_one_label() => {}
                None => remarks.push(format!(
                    "No learned weights for {}: predict its validation split (--split validation --run {}).",
                    system.name, system.name
                )),
            }
            for fuser in &fusers {
                rows.extend(row_of(evaluation, &system.name, fuser.name(), &read, &|row| match fuser {
                    Fuser::ScoreWeighted => row.fused.clone(),
                    other => other.answer(&scored_hits(row.answer)),
                }));
            }
            for (name, chosen) in &system.rerankers {
                let answer = |row: &Row| prediction_with(row, chosen.get(&row.case)?);
                rows.extend(row_of(evaluation, &system.name, name, &read, &answer));
            }
            if read.iter().any(|row| row.answer.recorded_fusion.is_some()) {
                rows.extend(row_of(evaluation, &system.name, RECORDED, &read, &|row| {
                    row.answer.recorded_fusion.clone()
                }));
            }
        }
        tables.push(Table {
            key: "fusers",
            title: format!("Fusers, {}", reference.task.id),
            note: format!("Accuracy of the fused answer; to the oracle: what it leaves. {}", remarks.join(" ")),
            columns: vec!["system", "fuser", "n", "all", "n inc.", "inconsistent", "to the oracle"],
            rows,
        });
    }
    tables
}

/// The stored prediction with this document.
fn prediction_with(row: &Row, document: &str) -> Option<Prediction> {
    let place = row.answer.hits.iter().position(|hit| hit.document == document)?;
    row.answer.predictions.get(place).cloned()
}

/// Learns weights from the run's own validation cases, never from the evaluated ones.
fn learn(evaluation: &Evaluation, system: &System, task: &Task) -> Option<(LearnedWeights, usize)> {
    let mut cases = Vec::new();
    for answer in &system.validation {
        let case = evaluation.dataset.cases.get(answer.case).filter(|case| case.task == task.id);
        let gold = case.and_then(|case| task.gold_of(case)?.label());
        cases.extend(gold.map(|gold| (scored_hits(answer), gold)));
    }
    Some((LearnedWeights::learn(&cases)?, cases.len()))
}

/// One row of the table; `None` if a case has no such answer.
fn row_of(
    evaluation: &Evaluation,
    system: &str,
    fuser: &str,
    read: &[&Row],
    answer: &dyn Fn(&Row) -> Option<Prediction>,
) -> Option<Vec<Cell>> {
    let mut right = Vec::with_capacity(read.len());
    let mut oracle = Vec::with_capacity(read.len());
    for row in read {
        right.push(answer(row)?.is_right(row.gold));
        oracle.push(row.outcome.as_ref()?.oracle_is_right());
    }
    let all = Subset::new("all", read.to_vec(), evaluation.sampling);
    let is_inconsistent = |row: &&Row| evaluation.verdicts().get(&row.case) == Some(&Verdict::Inconsistent);
    let kept: Vec<bool> = read.iter().map(is_inconsistent).collect();
    let inconsistent: Vec<bool> = right.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(right, _)| *right).collect();
    let rows = read.iter().copied().filter(is_inconsistent).collect();
    let subset = Subset::new("inconsistent", rows, evaluation.sampling);
    Some(vec![
        Cell::from(system),
        Cell::from(fuser),
        Cell::Count(right.len()),
        Cell::Estimate(Estimate::of_share(&right, all.bootstrap())),
        Cell::Count(inconsistent.len()),
        Cell::Estimate(Estimate::of_share(&inconsistent, subset.bootstrap())),
        Cell::change(&right, &oracle, all.bootstrap()),
    ])
}
