//! The help page: opening it at the view it was called from, scrolling, searching.

use super::app::App;
use crate::tui::action::{Action, Context};
use crate::tui::effect::Effect;
use crate::tui::state::help_page::{HelpPage, Jump};
use crate::tui::state::overlay::Overlay;

impl App {
    /// Opens the page at the section of the present view, and over it.
    pub(super) fn open_help(&mut self) {
        let context = self.context();
        let below = self.overlay.take();
        self.open(Overlay::Help(HelpPage::of(context, below)));
    }

    pub(super) fn update_help(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Help(page)) = &mut self.overlay else { return Vec::new() };
        match action {
            Action::Down => page.scroll().by(1),
            Action::Up => page.scroll().by(-1),
            Action::PageDown => page.scroll().by(10),
            Action::PageUp => page.scroll().by(-10),
            Action::Search => page.start_typing(),
            Action::NextMatch => page.jump_to(Jump::Match { after: true }),
            Action::PreviousMatch => page.jump_to(Jump::MatchBefore),
            Action::Cancel => {
                if let Some(Overlay::Help(page)) = self.overlay.take() {
                    self.overlay = page.into_below();
                }
            }
            _ => {}
        }
        Vec::new()
    }

    /// The line with the searched words: the page follows what is typed.
    pub(super) fn update_help_search(&mut self, action: Action) -> Vec<Effect> {
        if let Some(Overlay::Help(page)) = &mut self.overlay {
            match action {
                Action::Accept => page.stop_typing(true),
                Action::Cancel => page.stop_typing(false),
                _ => {}
            }
        }
        Vec::new()
    }

    /// Opens the help page from any view that has a key for it; returns whether this was asked for.
    pub(super) fn asks_for_help(&mut self, action: &Action) -> bool {
        let is_asked = *action == Action::Help && self.context() != Context::Help;
        if is_asked {
            self.open_help();
        }
        is_asked
    }
}
