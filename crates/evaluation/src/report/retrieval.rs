//! Table of the usual retrieval figures: what was found, whatever the reader made of it.

use super::Evaluation;
use super::relevance::{Grades, OwnDocuments, Relevance};
use super::system::{Row, Subset};
use super::table::{Cell, Table};
use crate::Estimate;
use crate::metrics::RetrievalFigures;
use dissent_core::run::{Head, Hit};
use std::collections::BTreeSet;

/// Usual numbers of documents; the longest list is one more.
const CUTOFFS: [usize; 7] = [1, 3, 5, 10, 20, 50, 100];

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    // Judgements need no comparison of images.
    let own_documents = evaluation.qrels.is_none().then(|| OwnDocuments::of(evaluation.dataset));
    let relevant = match evaluation.qrels {
        Some(qrels) => format!("Relevant: by the grades of {}.", qrels.path.display()),
        None => "Relevant: documents whose caption names the case's label, for sets of labels the same set.".into(),
    };
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let task = reference.task;
        let Some(relevance) = Relevance::of(evaluation.dataset, task, evaluation.qrels, own_documents.as_ref()) else {
            continue;
        };
        let mut rows = Vec::new();
        // Models that stand in the place of documents were not retrieved.
        for (system, own) in evaluation.of_task(&task.id).filter(|(system, _)| system.models.is_empty()) {
            let all: Vec<&Row> = own.rows.iter().chain(&own.partly_known).collect();
            let heads: BTreeSet<Head> = heads_of(&all);
            if heads.is_empty() {
                continue;
            }
            let alone = heads.iter().filter(|_| heads.len() > 1).map(|head| Some(*head));
            for list in [None].into_iter().chain(alone) {
                rows.extend(rows_of(evaluation, &system.name, &all, list, &relevance));
            }
        }
        tables.push(Table {
            key: "retrieval",
            title: format!("Retrieval, {}", task.id),
            note: format!(
                "{relevant} The first K documents, in the order in which the reader was given them, or in that of one head. n: \
                 cases for which a relevant document is known; without a hit they count as 0."
            ),
            columns: vec!["system", "hits of", "K", "n", "recall", "nDCG", "MRR", "precision", "success"],
            rows,
        });
    }
    tables
}

fn heads_of(rows: &[&Row]) -> BTreeSet<Head> {
    let hits = rows.iter().flat_map(|row| &row.answer.hits);
    hits.flat_map(|hit| hit.provenances.iter().map(|found| found.head)).collect()
}

/// One row for each number of documents; `head` chooses one head's hits, `None` all.
fn rows_of(
    evaluation: &Evaluation,
    system: &str,
    rows: &[&Row],
    head: Option<Head>,
    relevance: &Relevance,
) -> Vec<Vec<Cell>> {
    let lists: Vec<(&Row, Vec<usize>)> = rows.iter().map(|row| (*row, corpus_rows(&row.answer.hits, head))).collect();
    let longest = lists.iter().map(|(_, listed)| listed.len()).max().unwrap_or(0);
    let mut judged: Vec<(&Row, Grades)> = Vec::new();
    for (row, listed) in &lists {
        judged.extend(relevance.grades(row.case, listed, longest).map(|grades| (*row, grades)));
    }
    let subset = Subset::new("", judged.iter().map(|(row, _)| *row).collect(), evaluation.sampling);
    let cutoffs = CUTOFFS.into_iter().filter(|cutoff| *cutoff < longest).chain([longest]);
    let name = head.map_or("all heads", Head::name);
    cutoffs
        .map(|k| {
            let of = |Grades { listed, relevant, best }: &Grades| RetrievalFigures::of(listed, best, *relevant, k);
            let figures: Vec<RetrievalFigures> = judged.iter().map(|(_, grades)| of(grades)).collect();
            let mean = |value: fn(&RetrievalFigures) -> f64| {
                let values: Vec<f64> = figures.iter().map(value).collect();
                Cell::Estimate(Estimate::of_mean(&values, subset.bootstrap()))
            };
            vec![
                Cell::from(system),
                Cell::from(name),
                // It names the row together with the two texts before it.
                Cell::Text(k.to_string()),
                Cell::Count(figures.len()),
                mean(|figures| figures.recall),
                mean(|figures| figures.ndcg),
                mean(|figures| figures.reciprocal_rank),
                mean(|figures| figures.precision),
                mean(|figures| figures.success),
            ]
        })
        .collect()
}

/// Corpus rows of the hits in order: all of them, or one head's by rank.
fn corpus_rows(hits: &[Hit], head: Option<Head>) -> Vec<usize> {
    let Some(head) = head else { return hits.iter().map(|hit| hit.row).collect() };
    let place = |hit: &&Hit| hit.provenances.iter().find(|found| found.head == head).map(|found| found.rank);
    let mut of_head: Vec<&Hit> = hits.iter().filter(|hit| place(hit).is_some()).collect();
    of_head.sort_by_key(place);
    of_head.into_iter().map(|hit| hit.row).collect()
}
