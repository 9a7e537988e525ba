//! Use of evidence per prediction, that is per case and document, over runs that differ only in what was withheld
//! from the reader (`dissent predict --no-caption …`). Definitions: docs/reference/evaluation.md.

use super::Evaluation;
use super::system::{Clusters, System, TaskRows};
use super::table::{Cell, Table};
use crate::Estimate;
use dissent_core::data::Answer;
use dissent_core::run::{Ablation, ShownCaptions};
use std::collections::HashMap;

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let task = &reference.task.id;
        let mut rows = Vec::new();
        let of_documents = evaluation.of_task_with_ablations(task).filter(|(system, _)| system.models.is_empty());
        for (system, own) in of_documents {
            let whole = evaluation.whole_of(system).and_then(|whole| Some((whole, evaluation.task_of(whole, task)?)));
            let block = evaluation.position_of(whole.map_or(system, |(whole, _)| whole));
            rows.extend(row_of(evaluation, system, own, whole).map(|row| (block, row)));
        }
        rows.sort_by_key(|(block, _)| *block);
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        tables.push(Table {
            key: "evidence",
            title: format!("Use of evidence, {task}"),
            note: "Fused: accuracy of the fused answer. The rest is per prediction. Right to wrong, wrong to right: against the closed-book answer to the same case. Follows the \
                   caption: of the predictions whose shown caption names a label, those that give it. Changed: against the \
                   same document shown whole."
                .into(),
            columns: vec!["system", "evidence", "cases", "fused", "n", "right", "right to wrong", "wrong to right", "follows caption", "changed"],
            rows,
        });
    }
    tables
}

/// Outcomes of predictions, with the clusters for resampling.
struct Answers {
    outcomes: Vec<bool>,
    clusters: Clusters,
}

fn row_of(
    evaluation: &Evaluation,
    system: &System,
    own: &TaskRows,
    whole: Option<(&System, &TaskRows)>,
) -> Option<Vec<Cell>> {
    let sampling = evaluation.sampling;
    let captions = ShownCaptions::new(evaluation.dataset, system.ablation.caption);
    let known = whole.map(|(_, rows)| answers_by_document(rows)).unwrap_or_default();
    let new = || Answers { outcomes: Vec::new(), clusters: Clusters::new(sampling) };
    let (mut right, mut to_wrong, mut to_right, mut follows, mut changed) = (new(), new(), new(), new(), new());
    let mut fused = new();
    for row in &own.rows {
        let push = |answers: &mut Answers, outcome: bool| {
            answers.outcomes.push(outcome);
            answers.clusters.push(row, sampling);
        };
        if let Some(answer) = &row.fused {
            push(&mut fused, answer.is_right(row.gold));
        }
        let closed_book = row.answer.closed_book.as_ref().map(|prediction| prediction.is_right(row.gold));
        for (hit, prediction) in row.answer.hits.iter().zip(&row.answer.predictions) {
            let is_right = prediction.is_right(row.gold);
            push(&mut right, is_right);
            match closed_book {
                Some(true) => push(&mut to_wrong, !is_right),
                Some(false) => push(&mut to_right, is_right),
                None => {}
            }
            let caption = captions.of(evaluation.dataset, &own.task.id, hit.row);
            // A set of labels never equals the one label that a caption names.
            let caption = caption.filter(|_| own.task.chooses_one_label());
            if let Some(named) = caption.and_then(|caption| own.task.label_named_in(caption)) {
                push(&mut follows, prediction.label() == Some(named));
            }
            if !system.ablation.is_none()
                && !system.ablation.random_documents
                && let Some(answer) = known.get(&(row.case, hit.row))
            {
                push(&mut changed, *answer != prediction.answer);
            }
        }
    }
    if right.outcomes.is_empty() {
        return None;
    }
    let n = right.outcomes.len();
    let figure =
        |answers: &Answers| Cell::Estimate(Estimate::of_share(&answers.outcomes, answers.clusters.bootstrap()));
    Some(vec![
        Cell::from(whole.map_or(system.name.as_str(), |(whole, _)| &whole.name)),
        Cell::Text(name_of(system.ablation)),
        Cell::Count(fused.outcomes.len()),
        figure(&fused),
        Cell::Count(n),
        figure(&right),
        figure(&to_wrong),
        figure(&to_right),
        figure(&follows),
        figure(&changed),
    ])
}

fn answers_by_document(own: &TaskRows) -> HashMap<(usize, usize), Option<Answer>> {
    let mut answers = HashMap::new();
    for row in &own.rows {
        for (hit, prediction) in row.answer.hits.iter().zip(&row.answer.predictions) {
            answers.insert((row.case, hit.row), prediction.answer);
        }
    }
    answers
}

fn name_of(ablation: Ablation) -> String {
    if ablation.is_none() { "as retrieved".into() } else { ablation.to_string() }
}
