//! The overview: figures of the cases in the current view, each cell with the cases behind it. Every number is that of
//! `dissent evaluate` on the same cases.
//!
//! | module | what is in it |
//! |---|---|
//! | [`table`] | sections, rows and cells |
//! | `figures` | accuracy, what retrieval did, rank by rank, labels against answers, two runs |
//! | `named_errors` | which category explains which part of the oracle gap |

mod figures;
mod named_errors;
pub mod table;

use self::table::{Cell, Known, Section};
use super::cases::Cases;

/// Sections and the cell one stands on.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    pub sections: Vec<Section>,
    /// Section, row, column.
    pub selected: (usize, usize, usize),
    /// Cases of the view that have every answer, and all of the view.
    pub read: usize,
    pub cases: usize,
}

impl Overview {
    /// Counts over the cases shown in the queue that have every answer and a gold label.
    pub fn of(cases: &Cases, shown: &[usize]) -> Self {
        let mut known = Vec::new();
        for case in shown {
            let Some(outcome) = cases.outcome_of(*case) else { continue };
            let closed_book_right =
                cases.answers_of(*case).and_then(|answers| answers.closed_book_is_right(outcome.gold));
            known.push(Known { case: *case, outcome, closed_book_right });
        }
        let mut sections = vec![figures::accuracy(&known), figures::flow(&known), figures::ranks(cases, &known)];
        if cases.compares_runs() {
            sections.insert(0, figures::against(cases, &known));
        }
        sections.extend(figures::confusion(cases, &known));
        sections.extend(named_errors::sections(cases, &known));
        Self { sections, selected: (0, 0, 0), read: known.len(), cases: shown.len() }
    }

    /// The cell one stands on.
    pub fn cell(&self) -> Option<&Cell> {
        let (section, row, column) = self.selected;
        self.sections.get(section)?.rows.get(row)?.cells.get(column)
    }

    /// To the row below or above, across the sections.
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

    /// To the cell on the right or left.
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
