//! Tables of named errors: share of the oracle gap explained by each category, by slice.

use super::table::{AnsweredCase, Cell, Row, Section};
use crate::annotation::{CaseReview, CategoryId, Standing};
use crate::cases::Cases;
use crate::evaluation::{Explained, Verdict};
use std::collections::BTreeSet;

/// Source of the categories.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The annotator's own categories.
    Own,
    /// The categories on which annotators and adjudicators agree.
    FinalSet,
}

/// Tables of the annotator's own categories and, unless the cases are read blind, of the final sets, which would
/// influence a blind annotator.
pub fn sections(cases: &Cases, known: &[AnsweredCase]) -> Vec<Section> {
    let sources = if cases.is_blind() { &[Source::Own][..] } else { &[Source::Own, Source::FinalSet] };
    sources.iter().filter_map(|source| section(cases, known, *source)).collect()
}

/// One table, or `None` if no case has a category.
fn section(cases: &Cases, known: &[AnsweredCase], source: Source) -> Option<Section> {
    let gone = if source == Source::FinalSet { gone_from_the_taxonomy(cases, known) } else { Vec::new() };
    let count = cases.categories().len();
    let named: Vec<(&AnsweredCase, Vec<usize>)> =
        known.iter().map(|known| (known, rows_of(cases, known.case, source, &gone))).collect();
    if named.iter().all(|(_, rows)| *rows == [count]) {
        return None;
    }
    let field = if source == Source::Own { "mine" } else { "final" };
    let keys: Vec<String> = cases.categories().iter().map(|category| category.key.to_string()).collect();
    let mut rows: Vec<(String, String)> = Vec::new();
    for (category, key) in cases.categories().iter().zip(&keys) {
        rows.push((category.name.clone(), format!("{field}:{key}")));
    }
    let without = format!("-{field}:{}", keys.join(","));
    if source == Source::Own {
        rows.push(("(no category)".into(), without));
    } else {
        rows.push(("(no category)".into(), format!("{without} -people:disputed -final:gone")));
        rows.push(("(annotators differ)".into(), "people:disputed".into()));
        rows.extend(gone.iter().map(|id| ((*id).to_owned(), String::new())));
    }
    let mut cells: Vec<Vec<Cell>> = vec![Vec::new(); rows.len()];
    for (verdict, slice) in [
        (None, ""),
        (Some(Verdict::Consistent), "verdict:consistent "),
        (Some(Verdict::Inconsistent), "verdict:inconsistent "),
    ] {
        let members: Vec<&(&AnsweredCase, Vec<usize>)> = named
            .iter()
            .filter(|(known, _)| verdict.is_none_or(|verdict| known.outcome.verdict() == verdict))
            .collect();
        let all = Explained::count(members.iter().map(|(known, _)| &known.outcome));
        let cases = members.iter().map(|(known, rows)| (&known.outcome, rows.as_slice()));
        for (row, own) in Explained::by_category(rows.len(), cases).into_iter().enumerate() {
            // A category without a key cannot be filtered by.
            let of_row = &rows[row].1;
            let filter = |more: &str| if of_row.is_empty() { String::new() } else { format!("{slice}{of_row}{more}") };
            cells[row].push(Cell::count(own.cases, all.cases, &filter("")));
            cells[row].push(Cell::count(own.wrong, own.cases, &filter(" fused:wrong")));
            cells[row].push(Cell::count(own.in_gap, all.in_gap, &filter(" fused:wrong oracle:right")));
        }
    }
    let whose = if source == Source::Own { "Your annotations" } else { "Final annotations" };
    // Rows without a case would hide the others.
    let given = named.iter().flat_map(|(_, rows)| rows).copied().collect::<BTreeSet<usize>>();
    let rows = rows.into_iter().zip(cells).enumerate().filter(|(row, _)| given.contains(row));
    Some(Section {
        title: format!("{whose}: cases, wrong, oracle gap; all, consistent, inconsistent"),
        columns: ["all", "con.", "inc."].iter().flat_map(|slice| [*slice, "wrong", "gap"]).map(str::to_owned).collect(),
        rows: rows.map(|(_, ((name, _), cells))| Row { name, cells }).collect(),
    })
}

/// The rows that a case counts in: its categories, else the row after them; the next row if annotators differ, and
/// then those of removed categories.
fn rows_of(cases: &Cases, case: usize, source: Source, gone: &[&str]) -> Vec<usize> {
    let none = cases.categories().len();
    let own = match source {
        Source::Own => cases.annotation_of(case).map(|own| places_of(cases, &own.categories)).unwrap_or_default(),
        Source::FinalSet => {
            let review = cases.review_of(case);
            if review.is_some_and(|review| review.standing() == Standing::Disputed) {
                return vec![none + 1];
            }
            let Some(ids) = review.and_then(CaseReview::final_categories) else { return vec![none] };
            let unknown = ids.iter().filter_map(|id| gone.binary_search(&id.as_str()).ok());
            let mut rows = places_of(cases, ids);
            rows.extend(unknown.map(|place| none + 2 + place));
            rows
        }
    };
    if own.is_empty() { vec![none] } else { own }
}

/// Ids of categories of the final set that the taxonomy no longer has, in order.
fn gone_from_the_taxonomy<'a>(cases: &'a Cases, known: &[AnsweredCase]) -> Vec<&'a str> {
    let sets = known.iter().filter_map(|known| cases.review_of(known.case)?.final_categories());
    let gone = sets.flatten().filter(|id| cases.category(id).is_none());
    let ids: BTreeSet<&str> = gone.map(CategoryId::as_str).collect();
    ids.into_iter().collect()
}

/// Positions of these categories in the taxonomy.
fn places_of(cases: &Cases, ids: &BTreeSet<CategoryId>) -> Vec<usize> {
    let all = cases.categories().iter().enumerate();
    all.filter(|(_, category)| ids.contains(&category.id)).map(|(place, _)| place).collect()
}
