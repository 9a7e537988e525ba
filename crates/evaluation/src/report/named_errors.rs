//! Table of named errors by slice: the share of the oracle gap that each category explains.

use super::Evaluation;
use super::system::{Row, Subset, TaskRows};
use super::table::{Cell, Table};
use crate::{CaseOutcome, Estimate, Verdict};
use std::collections::HashMap;

/// The categories on which annotators agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedErrors {
    /// Names of the categories.
    pub categories: Vec<String>,
    /// By the position of the case; cases that nobody annotated are absent.
    pub of_case: HashMap<usize, Named>,
}

/// Annotation of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Agreed on these categories, given by position.
    As(Vec<usize>),
    /// Annotators differ, and nobody has decided.
    Open,
}

/// The cases that a row of the table counts.
#[derive(Clone, Copy)]
enum Kind {
    Category(usize),
    Open,
    Unnamed,
}

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let Some(named) = evaluation.named else { return Vec::new() };
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let has_a_name = |row: &Row| named.of_case.contains_key(&row.case);
        if !reference.rows.iter().any(has_a_name) {
            continue;
        }
        for (system, own) in evaluation.of_task(&reference.task.id) {
            tables.push(Table {
                key: "categories",
                title: format!("Named errors and the oracle gap, {}, {}", reference.task.id, system.name),
                note: format!(
                    "Categories of the final set of annotations (docs/reference/annotation.md). Fused wrong, in the gap: \
                     of the category's cases, those whose fused answer is wrong, and those of them that one of the K \
                     predictions has right. Of the gap: of the slice's cases in the gap, those with the category; a case \
                     may have several. {}",
                    super::SPLIT_NOTE
                ),
                columns: vec!["slice", "category", "n", "fused wrong", "in the gap", "n gap", "of the gap"],
                rows: rows_of(evaluation, named, own),
            });
        }
    }
    tables
}

fn rows_of(evaluation: &Evaluation, named: &NamedErrors, own: &TaskRows) -> Vec<Vec<Cell>> {
    let verdict = |verdict: Verdict| move |row: &&Row| evaluation.verdicts().get(&row.case) == Some(&verdict);
    let mut slices: Vec<(String, Vec<&Row>)> = vec![
        ("all".into(), own.rows.iter().collect()),
        ("consistent".into(), own.rows.iter().filter(verdict(Verdict::Consistent)).collect()),
        ("inconsistent".into(), own.rows.iter().filter(verdict(Verdict::Inconsistent)).collect()),
    ];
    for (position, label) in own.labels().iter().enumerate() {
        slices.push((
            format!("label {}", label.name),
            own.rows.iter().filter(|row| row.gold_label() == Some(position)).collect(),
        ));
    }
    let mut rows = Vec::new();
    for (slice, members) in slices {
        let known: Vec<&Row> = members.into_iter().filter(|row| row.outcome.is_some()).collect();
        let kinds = (0..named.categories.len()).map(Kind::Category).chain([Kind::Open, Kind::Unnamed]);
        rows.extend(kinds.filter_map(|kind| row_of(evaluation, named, &slice, &known, kind)));
    }
    rows
}

/// One row of the table; `None` if the slice has no such case.
fn row_of(
    evaluation: &Evaluation,
    named: &NamedErrors,
    slice: &str,
    members: &[&Row],
    kind: Kind,
) -> Option<Vec<Cell>> {
    let is_it = |row: &Row| match (kind, named.of_case.get(&row.case)) {
        (Kind::Category(category), Some(Named::As(categories))) => categories.contains(&category),
        (Kind::Unnamed, Some(Named::As(categories))) => categories.is_empty(),
        (Kind::Open, Some(Named::Open)) | (Kind::Unnamed, None) => true,
        _ => false,
    };
    let share = |rows: Vec<&Row>, test: &dyn Fn(&Row) -> bool| {
        let outcomes: Vec<bool> = rows.iter().map(|row| test(row)).collect();
        let subset = Subset::new("", rows, evaluation.sampling);
        Cell::Estimate(Estimate::of_share(&outcomes, subset.bootstrap()))
    };
    let outcome = |row: &Row, test: fn(&CaseOutcome) -> bool| row.outcome.as_ref().is_some_and(test);
    let own: Vec<&Row> = members.iter().copied().filter(|row| is_it(row)).collect();
    if own.is_empty() {
        return None;
    }
    let gap: Vec<&Row> = members.iter().copied().filter(|row| outcome(row, CaseOutcome::is_in_gap)).collect();
    let name = match kind {
        Kind::Category(category) => named.categories[category].as_str(),
        Kind::Open => "(annotators differ)",
        Kind::Unnamed => "(no category)",
    };
    Some(vec![
        Cell::from(slice),
        Cell::from(name),
        Cell::Count(own.len()),
        share(own.clone(), &|row| outcome(row, |outcome| !outcome.is_right())),
        share(own, &|row| outcome(row, CaseOutcome::is_in_gap)),
        Cell::Count(gap.len()),
        share(gap, &is_it),
    ])
}
