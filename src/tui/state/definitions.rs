//! The taxonomy with its definitions and examples, to read and to pick from.

/// The open list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    selected: usize,
}

impl Definitions {
    /// The list with the mark on this category, a position in the taxonomy.
    pub fn on(category: usize) -> Self {
        Self { selected: category }
    }

    /// Position in the taxonomy.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Moves among this many categories, not beyond the ends.
    pub fn step(&mut self, steps: isize, categories: usize) {
        self.selected = self.selected.saturating_add_signed(steps).min(categories.saturating_sub(1));
    }
}
