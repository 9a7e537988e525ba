//! Compares each system with the reference run on the same cases: paired differences, McNemar's exact test, Holm's
//! correction over the whole table.

use super::Evaluation;
use super::system::{Row, Subset, TaskRows};
use super::table::{Cell, Table};
use crate::{holm, mcnemar_exact};
use std::collections::HashMap;

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let reference = evaluation.reference();
    let mut rows = Vec::new();
    let mut p_values = Vec::new();
    for first in evaluation.reference_tasks() {
        let task = &first.task.id;
        if first.rows.iter().any(|row| row.answer.closed_book.is_some() && row.fused.is_some()) {
            let name = format!("closed-book, {task}");
            rows.extend(rows_of(evaluation, &name, first, first, &closed_book_is_right, &mut p_values));
        }
        for (system, own) in evaluation.of_task(task).filter(|(system, _)| system.name != reference.name) {
            let name = format!("{}, {task}", system.name);
            rows.extend(rows_of(evaluation, &name, first, own, &|row| Some(fused_is_right(row)), &mut p_values));
        }
    }
    for (row, p) in rows.iter_mut().zip(holm(&p_values)) {
        row.push(Cell::P(p));
    }
    if rows.is_empty() {
        return Vec::new();
    }
    vec![Table {
        key: "comparisons",
        title: format!("Against {}", reference.name),
        note: "Accuracy of the fused answer minus that of the reference run, on the cases that both have. Other documents: cases with \
               another set of them. p: McNemar's exact \
               test; Holm: corrected for all tests of this table."
            .into(),
        columns: vec!["system", "cases", "n", "difference", "gained", "lost", "other documents", "p", "Holm"],
        rows,
    }]
}

/// Counts cases by whether the closed-book and the fused answer are right.
pub(super) fn flow(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        for (system, own) in evaluation.of_task(&reference.task.id) {
            let read = own.rows.iter().filter(|row| row.fused.is_some());
            let pairs: Vec<(bool, bool)> =
                read.filter_map(|row| Some((closed_book_is_right(row)?, fused_is_right(row)))).collect();
            if pairs.is_empty() {
                continue;
            }
            for (before, after) in [(true, true), (true, false), (false, true), (false, false)] {
                let name = |is_right: bool| Cell::from(if is_right { "right" } else { "wrong" });
                let count = pairs.iter().filter(|pair| **pair == (before, after)).count();
                rows.push(vec![Cell::from(system.name.as_str()), name(before), name(after), Cell::Count(count)]);
            }
        }
        tables.push(Table {
            key: "flow",
            title: format!("From closed-book to fused, {}", reference.task.id),
            note: "Cases by whether the answer without a document and the fused one are right.".into(),
            columns: vec!["system", "closed-book", "fused", "n"],
            rows,
        });
    }
    tables
}

fn fused_is_right(row: &Row) -> bool {
    row.fused.as_ref().or(row.answer.closed_book.as_ref()).is_some_and(|answer| answer.is_right(row.gold))
}

/// Rows of the retrieved documents, in any order.
fn documents_of(row: &Row) -> Vec<usize> {
    let mut documents: Vec<usize> = row.answer.hits.iter().map(|hit| hit.row).collect();
    documents.sort_unstable();
    documents
}

fn closed_book_is_right(row: &Row) -> Option<bool> {
    row.answer.closed_book.as_ref().map(|answer| answer.is_right(row.gold))
}

fn rows_of(
    evaluation: &Evaluation,
    name: &str,
    first: &TaskRows,
    second: &TaskRows,
    is_right: &dyn Fn(&Row) -> Option<bool>,
    p_values: &mut Vec<f64>,
) -> Vec<Vec<Cell>> {
    let seconds: HashMap<usize, &Row> = second.rows.iter().map(|row| (row.case, row)).collect();
    let mut rows = Vec::new();
    for subset in Subset::by_verdict(&first.rows, evaluation.verdicts(), evaluation.sampling) {
        let mut shared = Vec::new();
        let mut other_documents = 0;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for row in &subset.rows {
            let Some(other) = seconds.get(&row.case) else { continue };
            let Some(second) = is_right(other) else { continue };
            other_documents += usize::from(documents_of(row) != documents_of(other));
            shared.push(*row);
            before.push(fused_is_right(row));
            after.push(second);
        }
        let shared = Subset::new(subset.name, shared, evaluation.sampling);
        let count = |from: bool, to: bool| before.iter().zip(&after).filter(|pair| pair == &(&from, &to)).count();
        let (gained, lost) = (count(false, true), count(true, false));
        let p = mcnemar_exact(gained, lost);
        p_values.push(p);
        rows.push(vec![
            Cell::from(name),
            Cell::from(subset.name),
            Cell::Count(before.len()),
            Cell::change(&before, &after, shared.bootstrap()),
            Cell::Count(gained),
            Cell::Count(lost),
            Cell::Count(other_documents),
            Cell::P(p),
        ]);
    }
    rows
}
