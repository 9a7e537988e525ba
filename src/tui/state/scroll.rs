//! How far a page of text is scrolled.

use std::cell::Cell;

/// The first line shown. Drawing keeps it within the page: only then it is known how many lines there are.
#[derive(Clone, Debug, Default)]
pub struct Scroll(Cell<usize>);

impl Scroll {
    pub fn by(&self, lines: isize) {
        self.0.set(self.0.get().saturating_add_signed(lines));
    }

    /// The first line to draw of a page with this many lines, of which `rows` fit.
    pub fn first_line(&self, lines: usize, rows: usize) -> usize {
        self.0.set(self.0.get().min(lines.saturating_sub(rows)));
        self.0.get()
    }
}
