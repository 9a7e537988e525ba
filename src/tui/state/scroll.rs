//! Scroll position of a page of text.

use std::cell::Cell;

/// The first line shown. Drawing keeps it within the page, because only drawing knows the number of lines.
#[derive(Clone, Debug, Default)]
pub struct Scroll(Cell<usize>);

impl Scroll {
    pub fn by(&self, lines: isize) {
        self.0.set(self.0.get().saturating_add_signed(lines));
    }

    pub fn to(&self, line: usize) {
        self.0.set(line);
    }

    /// The first line to draw, for a page of `lines` lines of which `rows` fit.
    pub fn first_line(&self, lines: usize, rows: usize) -> usize {
        self.0.set(self.0.get().min(lines.saturating_sub(rows)));
        self.0.get()
    }
}
