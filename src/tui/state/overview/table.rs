//! A table of the overview: rows of figures, each with a filter for its cases.

use crate::evaluation::{CaseOutcome, Estimate};

/// A table with a title.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub cells: Vec<Cell>,
}

/// A figure and the filter for its cases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    pub text: String,
    /// Share from 0 to 1, drawn as a bar.
    pub share: Option<f64>,
    /// Filter that is added to the view's when the cell is opened; empty if there is nothing to open.
    pub filter: String,
}

/// A case with the data that the figures need.
pub struct AnsweredCase {
    /// Position in the dataset.
    pub case: usize,
    pub outcome: CaseOutcome,
    pub closed_book_right: Option<bool>,
}

impl Cell {
    pub fn share(figure: &Estimate, filter: &str) -> Self {
        Self { text: figure.text(), share: figure.value, filter: filter.to_owned() }
    }

    pub fn count(count: usize, of: usize, filter: &str) -> Self {
        let share = (of > 0).then(|| count as f64 / of as f64);
        Self { text: count.to_string(), share, filter: filter.to_owned() }
    }

    pub fn text(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}
