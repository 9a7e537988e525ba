//! The overview: figures of the cases in the current view, each cell with its cases. Every number equals that of
//! `dissent evaluate` on the same cases.
//!
//! | module | what is in it |
//! |---|---|
//! | [`table`] | sections, rows and cells |
//! | `figures` | accuracy, effect of retrieval, ranks, gold labels against answers, comparison of two runs |
//! | `named_errors` | share of the oracle gap explained by each category |

mod figures;
mod named_errors;
pub mod table;

use self::table::{AnsweredCase, Cell, Section};
use crate::cases::Cases;

/// The sections and the selected cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    pub sections: Vec<Section>,
    /// Section, row and column of the selected cell.
    pub selected: (usize, usize, usize),
    /// Number of cases in the view that have every answer.
    pub read: usize,
    pub cases: usize,
}

impl Overview {
    /// Computes the figures over the shown cases that have every answer and a gold label.
    pub fn of(cases: &Cases, shown: &[usize]) -> Self {
        let mut known = Vec::new();
        for case in shown {
            let Some(outcome) = cases.outcome_of(*case) else { continue };
            let closed_book_right =
                cases.answers_of(*case).and_then(|answers| answers.closed_book_is_right(outcome.gold));
            known.push(AnsweredCase { case: *case, outcome, closed_book_right });
        }
        let mut sections = vec![figures::accuracy(cases, &known)];
        if !cases.models_stand_in() {
            sections.push(figures::flow(&known));
        }
        sections.push(figures::ranks(cases, &known));
        if cases.compares_runs() {
            sections.insert(0, figures::against(cases, &known));
        }
        sections.extend(figures::confusion(cases, &known));
        sections.extend(named_errors::sections(cases, &known));
        Self { sections, selected: (0, 0, 0), read: known.len(), cases: shown.len() }
    }

    /// Counts again over these cases and keeps the cell selected if it is still there.
    pub fn count_again(&mut self, cases: &Cases, shown: &[usize]) {
        let selected = self.selected;
        *self = Self { selected, ..Self::of(cases, shown) };
        let last = |count: usize| count.saturating_sub(1);
        self.selected.0 = selected.0.min(last(self.sections.len()));
        let rows = self.sections.get(self.selected.0).map_or(0, |section| section.rows.len());
        self.selected.1 = selected.1.min(last(rows));
        self.keep_column();
    }

    /// The selected cell.
    pub fn cell(&self) -> Option<&Cell> {
        let (section, row, column) = self.selected;
        self.sections.get(section)?.rows.get(row)?.cells.get(column)
    }

    /// Moves to the row below or above, across sections.
    pub fn step_row(&mut self, down: bool) {
        let (section, row, column) = self.selected;
        let rows: Vec<(usize, usize)> = self
            .sections
            .iter()
            .enumerate()
            .flat_map(|(section, table)| (0..table.rows.len()).map(move |row| (section, row)))
            .collect();
        let at = rows.iter().position(|place| *place == (section, row)).unwrap_or(0);
        let at = if down { (at + 1).min(rows.len().saturating_sub(1)) } else { at.saturating_sub(1) };
        if let Some((section, row)) = rows.get(at) {
            self.selected = (*section, *row, column);
            self.keep_column();
        }
    }

    /// Moves to the cell on the right or left.
    pub fn step_column(&mut self, right: bool) {
        let (section, row, column) = self.selected;
        self.selected = (section, row, if right { column + 1 } else { column.saturating_sub(1) });
        self.keep_column();
    }

    fn keep_column(&mut self) {
        let (section, row, column) = self.selected;
        let cells = self.sections.get(section).and_then(|table| table.rows.get(row)).map_or(0, |row| row.cells.len());
        self.selected.2 = column.min(cells.saturating_sub(1));
    }
}
