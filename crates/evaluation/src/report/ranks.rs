//! Contribution of each rank: how often its prediction is right while the fused answer is wrong, and the reverse.

use super::Evaluation;
use super::system::{Row, Subset};
use super::table::{Cell, Table};
use crate::{CaseOutcome, Estimate};
use dissent_core::run::Head;

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        for (system, own) in evaluation.of_task(&reference.task.id) {
            for place in 0..most_hits(&own.rows) {
                let has_it = |row: &&Row| row.answer.predictions.len() > place;
                let all: Vec<&Row> = own.rows.iter().filter(has_it).collect();
                let right = |is_right: bool| -> Vec<&Row> {
                    let same = |row: &&Row| row.outcome.as_ref().is_some_and(|outcome| outcome.is_right() == is_right);
                    all.iter().copied().filter(same).collect()
                };
                let (wrong_rows, right_rows) = (right(false), right(true));
                let share = |rows: Vec<&Row>, test: &dyn Fn(&CaseOutcome) -> bool| {
                    let subset = Subset::new("", rows, evaluation.sampling);
                    let outcomes: Vec<bool> =
                        subset.rows.iter().filter_map(|row| row.outcome.as_ref()).map(test).collect();
                    Cell::Estimate(Estimate::of_share(&outcomes, subset.bootstrap()))
                };
                let (wrong, kept) = (wrong_rows.len(), right_rows.len());
                rows.push(vec![
                    Cell::from(system.name.as_str()),
                    Cell::Text(place_name(&own.rows, place)),
                    Cell::Count(all.len()),
                    share(all.clone(), &|outcome| outcome.is_right_at(place)),
                    Cell::Count(wrong),
                    share(wrong_rows, &|outcome| outcome.is_rescued_by(place)),
                    Cell::Count(kept),
                    share(right_rows, &|outcome| outcome.is_ruined_by(place)),
                ]);
            }
        }
        tables.push(Table {
            key: "ranks",
            title: format!("Rescued and ruined by rank, {}", reference.task.id),
            note: "Right: the prediction with the document in this place. Rescued: of the cases whose fused answer is wrong, \
                   those that this prediction has right. Ruined: of the cases whose fused answer is right, those that it has \
                   wrong."
                .into(),
            columns: vec!["system", "place", "n", "right", "n wrong", "rescued", "n right", "ruined"],
            rows,
        });
    }
    tables
}

/// Table of the share of cases whose answers in two places differ.
pub(super) fn flips(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        for (system, own) in evaluation.of_task(&reference.task.id) {
            let k = most_hits(&own.rows);
            for first in 0..k {
                for second in first + 1..k {
                    let both = |row: &&Row| row.answer.predictions.len() > second;
                    let subset = Subset::new("", own.rows.iter().filter(both).collect(), evaluation.sampling);
                    let answer = |row: &Row, place: usize| row.answer.predictions[place].answer;
                    let flips: Vec<bool> =
                        subset.rows.iter().map(|row| answer(row, first) != answer(row, second)).collect();
                    rows.push(vec![
                        Cell::from(system.name.as_str()),
                        Cell::Text(format!("{} and {}", first + 1, second + 1)),
                        Cell::Count(flips.len()),
                        Cell::Estimate(Estimate::of_share(&flips, subset.bootstrap())),
                    ]);
                }
            }
        }
        tables.push(Table {
            key: "flips",
            title: format!("Pairs of places whose answers differ, {}", reference.task.id),
            note: "Share of the cases with both places.".into(),
            columns: vec!["system", "places", "n", "differ"],
            rows,
        });
    }
    tables
}

fn most_hits(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.answer.predictions.len()).max().unwrap_or(0)
}

/// Name such as "1 image", with the head that fills the place in most cases.
fn place_name(rows: &[Row], place: usize) -> String {
    let mut counts: Vec<(Head, usize)> = Vec::new();
    for hit in rows.iter().filter_map(|row| row.answer.hits.get(place)) {
        let head = hit.first().head;
        match counts.iter_mut().find(|(known, _)| *known == head) {
            Some((_, count)) => *count += 1,
            None => counts.push((head, 1)),
        }
    }
    let most = counts.iter().max_by_key(|(_, count)| *count);
    most.map_or_else(|| (place + 1).to_string(), |(head, _)| format!("{} {head}", place + 1))
}
