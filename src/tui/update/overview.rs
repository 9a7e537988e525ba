//! The overview: moving from figure to figure, and opening the cases of one.

use super::app::App;
use crate::cases::filter::Filter;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Overlay;

impl App {
    pub(super) fn update_overview(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Overview(overview)) = &mut self.overlay else { return Vec::new() };
        match action {
            Action::Down => overview.step_row(true),
            Action::Up => overview.step_row(false),
            Action::NextHit => overview.step_column(true),
            Action::PreviousHit => overview.step_column(false),
            Action::Accept => {
                let cell = overview.cell().map(|cell| cell.filter.clone()).unwrap_or_default();
                return self.open_cell(&cell);
            }
            Action::ReadRest => return self.read_rest(),
            Action::Overview => self.overlay = None,
            Action::Cancel => match self.stop_reading_rest() {
                Some(effects) => return effects,
                None => self.overlay = None,
            },
            _ => {}
        }
        Vec::new()
    }

    /// Narrows the view to the cases of a cell.
    fn open_cell(&mut self, filter: &str) -> Vec<Effect> {
        let Ok(added) = filter.parse::<Filter>() else { return Vec::new() };
        if added.is_empty() {
            self.say("this cell has no cases to open");
            return Vec::new();
        }
        let mut whole = self.view.filter().clone();
        for term in added.terms {
            if !whole.terms.contains(&term) {
                whole.terms.push(term);
            }
        }
        self.overlay = None;
        self.set_filter(whole)
    }
}
