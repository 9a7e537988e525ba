//! The taxonomy with its definitions and examples, to read and to pick from.

use super::app::{App, Overlay};
use crate::tui::action::Action;
use crate::tui::effect::Effect;

/// The open list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    /// Position in the taxonomy.
    pub selected: usize,
}

impl App {
    /// Opens on the category that the case has.
    pub(super) fn open_definitions(&mut self) {
        let mark = self.queue.current().and_then(|case| self.marks.get(&case));
        let selected = mark.and_then(|mark| mark.categories.first().copied()).unwrap_or(0);
        self.overlay = Some(Overlay::Definitions(Definitions { selected }));
    }

    pub(super) fn update_definitions(&mut self, action: Action) -> Vec<Effect> {
        let last = self.categories.len().saturating_sub(1);
        let Some(Overlay::Definitions(definitions)) = &mut self.overlay else { return Vec::new() };
        match action {
            Action::Down => definitions.selected = (definitions.selected + 1).min(last),
            Action::Up => definitions.selected = definitions.selected.saturating_sub(1),
            Action::Annotate(category) => definitions.selected = category.min(last),
            Action::Accept => {
                let category = definitions.selected;
                self.overlay = None;
                return self.annotate(category);
            }
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }
}
