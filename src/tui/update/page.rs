//! Pages of text: agreement.

use super::app::App;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Overlay;

impl App {
    /// Scrolls the page or closes it.
    pub(super) fn update_page(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Agreement(screen)) = &self.overlay else { return Vec::new() };
        let scroll = screen.scroll();
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
