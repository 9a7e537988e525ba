//! The taxonomy with its definitions and examples, to read and to pick from.

use super::app::{App, Overlay};
use crate::annotation::CategoryId;
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
        let given = |id: &CategoryId| mark.is_some_and(|mark| mark.categories.contains(id));
        let selected = self.categories.iter().position(|category| given(&category.id)).unwrap_or(0);
        self.overlay = Some(Overlay::Definitions(Definitions { selected }));
    }

    pub(super) fn update_definitions(&mut self, action: Action) -> Vec<Effect> {
        let last = self.categories.len().saturating_sub(1);
        let Some(Overlay::Definitions(definitions)) = &mut self.overlay else { return Vec::new() };
        match action {
            Action::Down => definitions.selected = (definitions.selected + 1).min(last),
            Action::Up => definitions.selected = definitions.selected.saturating_sub(1),
            Action::Annotate(id) => {
                let place = self.categories.iter().position(|category| category.id == id);
                definitions.selected = place.unwrap_or(definitions.selected);
            }
            Action::Accept => {
                let id = self.categories.get(definitions.selected).map(|category| category.id.clone());
                self.overlay = None;
                return id.map_or_else(Vec::new, |id| self.annotate(&id));
            }
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }
}
