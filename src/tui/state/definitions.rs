//! The list of the taxonomy's categories with their definitions and examples.

/// State of the open list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    selected: usize,
}

impl Definitions {
    /// The list with this category selected, given by its position in the taxonomy.
    pub fn on(category: usize) -> Self {
        Self { selected: category }
    }

    /// Position of the selected category in the taxonomy.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Moves among this many categories and stops at the ends.
    pub fn step(&mut self, steps: isize, categories: usize) {
        self.selected = self.selected.saturating_add_signed(steps).min(categories.saturating_sub(1));
    }
}
