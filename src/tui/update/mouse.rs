//! The mouse, where a person has asked for it: it is off at first, because a terminal that reports it no longer selects text.

use super::app::{App, Focus, Shown, Side};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};
use std::cell::Cell;

/// Where things were last drawn; drawing fills it.
#[derive(Debug, Default)]
pub struct Drawn {
    /// Rows of the queue, and the place of the first in the list.
    pub queue: Cell<(Rect, usize)>,
    /// Rows of the hits, and the slot of the first.
    pub hits: Cell<(Rect, usize)>,
    /// The images side by side, or the one shown.
    pub query: Cell<Rect>,
    pub document: Cell<Rect>,
}

impl App {
    /// A click stands on a case or hit, or enlarges an image; the wheel moves the list under it. `None` where nothing
    /// follows from it.
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
        if self.enlarged || self.drawn.hits.get().0.contains(at) {
            return self.update(if down { Action::NextHit } else { Action::PreviousHit });
        }
        self.focus = Focus::Queue;
        self.update(if down { Action::Down } else { Action::Up })
    }

    fn click(&mut self, at: Position) -> Option<Vec<Effect>> {
        if self.enlarged {
            return Some(self.update(Action::SwitchImage));
        }
        let (queue, first) = self.drawn.queue.get();
        if queue.contains(at) {
            let case = *self.queue.shown().get(first + usize::from(at.y - queue.y))?;
            self.focus = Focus::Queue;
            let moved = self.queue.current() != Some(case) && self.queue.go_to(case);
            return Some(if moved { self.open_current() } else { Vec::new() });
        }
        let (hits, first) = self.drawn.hits.get();
        if hits.contains(at) {
            let slot = first + usize::from(at.y - hits.y);
            if slot >= self.slots() {
                return None;
            }
            (self.focus, self.side, self.shown, self.hit) = (Focus::Hits, Side::Document, Shown::Hit, slot);
            return Some(Vec::new());
        }
        let side = if self.drawn.query.get().contains(at) {
            Side::Query
        } else if self.drawn.document.get().contains(at) {
            Side::Document
        } else {
            return None;
        };
        self.side = side;
        Some(self.update(Action::Enlarge))
    }
}
