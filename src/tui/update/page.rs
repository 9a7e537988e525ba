//! Pages of text: help and agreement.

use super::app::App;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Overlay;

impl App {
    /// Scrolls the page or closes it.
    pub(super) fn update_page(&mut self, action: Action) -> Vec<Effect> {
        let scroll = match &self.overlay {
            Some(Overlay::Help(scroll)) => scroll,
            Some(Overlay::Agreement(screen)) => screen.scroll(),
            _ => return Vec::new(),
        };
        match action {
            Action::Down => scroll.by(1),
            Action::Up => scroll.by(-1),
            Action::PageDown => scroll.by(10),
            Action::PageUp => scroll.by(-10),
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }
}
