//! The mouse. It is off until the user turns it on, because a terminal that reports the mouse no longer selects text.

use super::app::App;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::drawn::Target;
use crate::tui::state::image_panes::Enlarged;
use crate::tui::state::selection::{Focus, Side};
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

impl App {
    /// A click selects a case, hit or image, or enlarges an image; the wheel moves the list under it. Returns `None` if
    /// nothing changes.
    pub fn on_mouse(&mut self, event: MouseEvent) -> Option<Vec<Effect>> {
        let at = Position::new(event.column, event.row);
        match event.kind {
            MouseEventKind::ScrollDown => Some(self.wheel(at, true)),
            MouseEventKind::ScrollUp => Some(self.wheel(at, false)),
            MouseEventKind::Down(MouseButton::Left) if self.overlay.is_none() => self.click(at),
            _ => None,
        }
    }

    fn wheel(&mut self, at: Position, down: bool) -> Vec<Effect> {
        if self.overlay.is_some() {
            return self.update(if down { Action::Down } else { Action::Up });
        }
        if self.images.enlarged().is_some() || matches!(self.drawn.at(at), Some(Target::Hit(_))) {
            return self.update(if down { Action::NextHit } else { Action::PreviousHit });
        }
        self.selection.set_focus(Focus::Queue);
        self.update(if down { Action::Down } else { Action::Up })
    }

    fn click(&mut self, at: Position) -> Option<Vec<Effect>> {
        match self.images.enlarged() {
            Some(Enlarged::One) => return Some(self.update(Action::SwitchImage)),
            Some(Enlarged::Both) => {
                self.selection.set_side(if self.drawn.query().contains(at) { Side::Query } else { Side::Document });
                return Some(Vec::new());
            }
            Some(Enlarged::ContactSheet) => {
                let slot = self.drawn.slot_of_tile(at)?;
                self.selection.look_at_hit(slot);
                return Some(Vec::new());
            }
            None => {}
        }
        match self.drawn.at(at)? {
            Target::Queue(place) => {
                let case = *self.queue.shown().get(place)?;
                self.selection.set_focus(Focus::Queue);
                let moved = self.queue.current() != Some(case) && self.queue.go_to(case);
                return Some(if moved { self.open_current() } else { Vec::new() });
            }
            Target::Hit(slot) => {
                self.selection.set_focus(Focus::Hits);
                if self.shows_aligned() {
                    self.select_aligned(slot);
                    return Some(Vec::new());
                }
                if slot >= self.slots() {
                    return None;
                }
                self.selection.look_at_hit(slot);
                return Some(Vec::new());
            }
            Target::Query => self.selection.set_side(Side::Query),
            Target::Document => self.selection.set_side(Side::Document),
        }
        Some(self.update(Action::Enlarge))
    }
}
