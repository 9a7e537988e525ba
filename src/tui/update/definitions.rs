//! The list of the taxonomy's categories with their definitions and examples.

use super::app::App;
use crate::annotation::CategoryId;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::definitions::Definitions;
use crate::tui::state::overlay::Overlay;

impl App {
    /// Opens the list at the category of the current case.
    pub(super) fn open_definitions(&mut self) {
        let annotation = self.queue.current().and_then(|case| self.cases.annotation_of(case));
        let is_given = |id: &CategoryId| annotation.is_some_and(|annotation| annotation.categories.contains(id));
        let category = self.cases.categories().iter().position(|category| is_given(&category.id)).unwrap_or(0);
        self.open(Overlay::Definitions(Definitions::on(category)));
    }

    pub(super) fn update_definitions(&mut self, action: Action) -> Vec<Effect> {
        let categories = self.cases.categories().len();
        let Some(Overlay::Definitions(definitions)) = &mut self.overlay else { return Vec::new() };
        match action {
            Action::Down => definitions.step(1, categories),
            Action::Up => definitions.step(-1, categories),
            // The same key labels wherever it labels at all, so that closing the list never changes its meaning.
            Action::Annotate(id) => {
                self.overlay = None;
                return self.annotate(&id);
            }
            Action::Accept => {
                let id = self.cases.categories().get(definitions.selected()).map(|category| category.id.clone());
                self.overlay = None;
                return id.map_or_else(Vec::new, |id| self.annotate(&id));
            }
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }
}
