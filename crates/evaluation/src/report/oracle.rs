//! The oracle: right if any of the K predictions is right. It shows what a perfect choice among the retrieved
//! documents would gain (docs/method.md, "Oracle"), also by slice.

use super::Evaluation;
use super::system::{Row, Subset, TaskRows};
use super::table::{Cell, Table};
use crate::{Bootstrap, Estimate, fuse, scored_hits};
use dissent_core::data::Dataset;
use dissent_core::run::{Head, Hit};
use std::collections::BTreeSet;

/// Number of groups in the table of slices: those with the largest gaps.
const GROUPS: usize = 10;

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        for (system, own) in evaluation.of_task(&reference.task.id) {
            for subset in Subset::by_verdict(&own.rows, evaluation.verdicts(), evaluation.sampling) {
                let outcomes = subset.rows.iter().filter_map(|row| row.outcome.as_ref());
                let pairs: Vec<(bool, bool)> =
                    outcomes.map(|outcome| (outcome.is_right(), outcome.oracle_is_right())).collect();
                if pairs.len() == subset.rows.len() && !pairs.is_empty() {
                    rows.push(row_of(&system.name, subset.name, &pairs, subset.bootstrap()));
                }
            }
        }
        tables.push(Table {
            key: "oracle",
            title: format!("Oracle, {}", reference.task.id),
            note: "Oracle: right if any of the K predictions is. Gap: oracle minus fused accuracy.".into(),
            columns: vec!["system", "cases", "n", "fused", "oracle", "gap"],
            rows,
        });
    }
    tables
}

/// Oracle tables by label, head, source and group.
pub(super) fn slices(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        for (system, own) in evaluation.of_task(&reference.task.id) {
            let rows = slices_of(evaluation, own);
            tables.push(Table {
                key: "slices",
                title: format!("Oracle gap by slice, {}, {}", reference.task.id, system.name),
                note: format!(
                    "Label: the gold one, or one of several. Head and source: the predictions with documents of that head (the deciding one) or \
                     source alone, fused among themselves. Group: the {GROUPS} with the largest gap."
                ),
                columns: vec!["slice", "value", "n", "fused", "oracle", "gap"],
                rows,
            });
        }
    }
    tables
}

fn slices_of(evaluation: &Evaluation, own: &TaskRows) -> Vec<Vec<Cell>> {
    let dataset = evaluation.dataset;
    let mut rows = Vec::new();
    for (position, label) in own.labels().iter().enumerate() {
        let of_label = own.rows.iter().filter(|row| row.has_gold_label(position));
        push_slice(evaluation, &mut rows, "label", &label.name, of_label, |_| true);
    }
    for head in deciding_heads(own) {
        push_slice(evaluation, &mut rows, "head", &head.to_string(), own.rows.iter(), |hit| hit.first().head == head);
    }
    for source in sources(dataset) {
        let of_source = |hit: &Hit| dataset.corpus.document(hit.row).source == Some(source);
        push_slice(evaluation, &mut rows, "source", source, own.rows.iter(), of_source);
    }
    rows.extend(groups_of(evaluation, own));
    rows
}

/// The heads that decide the place of a hit, in order.
fn deciding_heads(own: &TaskRows) -> BTreeSet<Head> {
    let hits = own.rows.iter().flat_map(|row| &row.answer.hits);
    hits.map(|hit| hit.first().head).filter(|head| *head != Head::Person).collect()
}

/// The groups of at least two cases with the largest gaps.
fn groups_of(evaluation: &Evaluation, own: &TaskRows) -> Vec<Vec<Cell>> {
    let mut names: Vec<&str> =
        own.rows.iter().filter_map(|row| evaluation.dataset.cases[row.case].group.as_deref()).collect();
    names.sort_unstable();
    let mut found = Vec::new();
    for same in names.chunk_by(|one, other| one == other).filter(|same| same.len() > 1) {
        let of_group =
            own.rows.iter().filter(|row| evaluation.dataset.cases[row.case].group.as_deref() == Some(same[0]));
        let outcomes = of_group.clone().filter_map(|row| row.outcome.as_ref());
        let gap = outcomes.filter(|outcome| outcome.is_in_gap()).count();
        found.push((gap as f64 / same.len() as f64, same[0], of_group));
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut rows = Vec::new();
    for (_, name, of_group) in found.into_iter().take(GROUPS) {
        push_slice(evaluation, &mut rows, "group", name, of_group, |_| true);
    }
    rows
}

fn sources(dataset: &Dataset) -> Vec<&str> {
    let mut sources: Vec<&str> = dataset.corpus.sources().collect();
    sources.sort_unstable();
    sources
}

/// Adds a row over the hits that `keep` accepts, if any case has such hits.
fn push_slice<'r, 'a: 'r>(
    evaluation: &Evaluation,
    rows: &mut Vec<Vec<Cell>>,
    slice: &str,
    value: &str,
    of_slice: impl Iterator<Item = &'r Row<'a>>,
    keep: impl Fn(&Hit) -> bool,
) {
    let mut kept_rows = Vec::new();
    let mut pairs = Vec::new();
    for row in of_slice {
        let hits = row.answer.hits.iter().map(&keep);
        let found: Vec<_> =
            scored_hits(row.answer).into_iter().zip(hits).filter(|(_, kept)| *kept).map(|(found, _)| found).collect();
        // With all of its hits a case has its fused answer already.
        let is_whole = found.len() == row.answer.hits.len();
        let fused = if is_whole { row.fused.clone() } else { fuse(&found).map(|fused| fused.prediction) };
        let Some(fused) = fused else { continue };
        pairs.push((fused.is_right(row.gold), found.iter().any(|(_, prediction)| prediction.is_right(row.gold))));
        kept_rows.push(row);
    }
    if pairs.is_empty() {
        return;
    }
    let subset = Subset::new("all", kept_rows, evaluation.sampling);
    rows.push(row_of(slice, value, &pairs, subset.bootstrap()));
}

fn row_of(first: &str, second: &str, pairs: &[(bool, bool)], bootstrap: Bootstrap) -> Vec<Cell> {
    let fused: Vec<bool> = pairs.iter().map(|pair| pair.0).collect();
    let oracle: Vec<bool> = pairs.iter().map(|pair| pair.1).collect();
    vec![
        Cell::from(first),
        Cell::from(second),
        Cell::Count(pairs.len()),
        Cell::Estimate(Estimate::of_share(&fused, bootstrap)),
        Cell::Estimate(Estimate::of_share(&oracle, bootstrap)),
        Cell::change(&fused, &oracle, bootstrap),
    ]
}
