//! The overview's tables of named errors: which category explains which part of the oracle gap, by slice.

use super::app::App;
use super::overview::{Cell, Known, Row, Section};
use crate::analysis::{Explained, Verdict};
use std::collections::BTreeSet;

/// Where the names come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The annotator's own categories.
    Own,
    /// What all annotators and adjudicators say together.
    FinalSet,
}

/// One's own categories, and the final set unless the cases are read blind: what others say must not lead.
pub(super) fn sections(app: &App, known: &[Known]) -> Vec<Section> {
    let sources = if app.is_blind { &[Source::Own][..] } else { &[Source::Own, Source::FinalSet] };
    sources.iter().filter_map(|source| section(app, known, *source)).collect()
}

/// `None` where no case has a name.
fn section(app: &App, known: &[Known], source: Source) -> Option<Section> {
    let count = app.categories.len();
    let named: Vec<(&Known, Vec<usize>)> =
        known.iter().map(|known| (known, rows_of(app, known.case, source))).collect();
    if named.iter().all(|(_, rows)| *rows == [count]) {
        return None;
    }
    let field = if source == Source::Own { "mine" } else { "final" };
    let keys: Vec<String> = app.categories.iter().map(|category| category.key.to_string()).collect();
    let mut rows: Vec<(String, String)> = Vec::new();
    for (category, key) in app.categories.iter().zip(&keys) {
        rows.push((category.name.clone(), format!("{field}:{key}")));
    }
    rows.push(("(no category)".into(), format!("-{field}:{}", keys.join(","))));
    if source == Source::FinalSet {
        rows.push(("(annotators differ)".into(), "people:disputed".into()));
    }
    let mut cells: Vec<Vec<Cell>> = vec![Vec::new(); rows.len()];
    for (verdict, slice) in [
        (None, ""),
        (Some(Verdict::Consistent), "verdict:consistent "),
        (Some(Verdict::Inconsistent), "verdict:inconsistent "),
    ] {
        let members: Vec<&(&Known, Vec<usize>)> = named
            .iter()
            .filter(|(known, _)| verdict.is_none_or(|verdict| known.outcome.verdict() == verdict))
            .collect();
        let all = Explained::count(members.iter().map(|(known, _)| &known.outcome));
        let cases = members.iter().map(|(known, rows)| (&known.outcome, rows.as_slice()));
        for (row, own) in Explained::by_category(rows.len(), cases).into_iter().enumerate() {
            let filter = format!("{slice}{}", rows[row].1);
            cells[row].push(Cell::count(own.cases, all.cases, &filter));
            cells[row].push(Cell::count(own.wrong, own.cases, &format!("{filter} fused:wrong")));
            cells[row].push(Cell::count(own.in_gap, all.in_gap, &format!("{filter} fused:wrong oracle:right")));
        }
    }
    let whose = if source == Source::Own { "Your categories" } else { "The final set" };
    // What nobody named would hide what somebody did.
    let given = named.iter().flat_map(|(_, rows)| rows).copied().collect::<BTreeSet<usize>>();
    let rows = rows.into_iter().zip(cells).enumerate().filter(|(row, _)| given.contains(row));
    Some(Section {
        title: format!("{whose}: cases, fused wrong, in the oracle gap; all, consistent, inconsistent"),
        columns: ["all", "con.", "inc."].iter().flat_map(|slice| [*slice, "wrong", "gap"]).map(str::to_owned).collect(),
        rows: rows.map(|(_, ((name, _), cells))| Row { name, cells }).collect(),
    })
}

/// The rows that a case counts in: its categories, else the row after them, and the one after that where people differ.
fn rows_of(app: &App, case: usize, source: Source) -> Vec<usize> {
    let none = app.categories.len();
    let own = match source {
        Source::Own => app.marks.get(&case).map(|mark| mark.categories.clone()),
        Source::FinalSet => {
            let people = app.people_on(case);
            if people.is_some_and(|people| people.stands("disputed")) {
                return vec![none + 1];
            }
            people.and_then(|people| people.final_words.as_ref()).map(|words| words.categories.clone())
        }
    };
    own.filter(|own| !own.is_empty()).unwrap_or_else(|| vec![none])
}
