//! Where things were drawn: what a click or the wheel of the mouse means.

use ratatui::layout::{Position, Rect};
use std::cell::Cell;

/// Where things were last drawn; drawing fills it.
#[derive(Debug, Default)]
pub struct Drawn {
    queue: Cell<(Rect, usize)>,
    hits: Cell<(Rect, usize)>,
    query: Cell<Rect>,
    document: Cell<Rect>,
}

/// What stands at a position of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A row of the queue: the place in the list.
    Queue(usize),
    /// A row of the hits: the slot.
    Hit(usize),
    Query,
    Document,
}

impl Drawn {
    /// Rows of the queue, and the place of the first in the list.
    pub fn set_queue(&self, area: Rect, first: usize) {
        self.queue.set((area, first));
    }

    /// Rows of the hits, and the slot of the first.
    pub fn set_hits(&self, area: Rect, first: usize) {
        self.hits.set((area, first));
    }

    pub fn set_query(&self, area: Rect) {
        self.query.set(area);
    }

    pub fn set_document(&self, area: Rect) {
        self.document.set(area);
    }

    /// The query's image with its heading.
    pub fn query(&self) -> Rect {
        self.query.get()
    }

    /// The document's image with its heading.
    pub fn document(&self) -> Rect {
        self.document.get()
    }

    /// What stands there. A row need not have something in it.
    pub fn at(&self, position: Position) -> Option<Target> {
        let row =
            |(area, first): (Rect, usize)| area.contains(position).then(|| first + usize::from(position.y - area.y));
        if let Some(place) = row(self.queue.get()) {
            return Some(Target::Queue(place));
        }
        if let Some(slot) = row(self.hits.get()) {
            return Some(Target::Hit(slot));
        }
        if self.query.get().contains(position) {
            return Some(Target::Query);
        }
        self.document.get().contains(position).then_some(Target::Document)
    }
}
