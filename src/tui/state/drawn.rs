//! Places of the last frame's parts, to find what a click or the mouse wheel is about.

use ratatui::layout::{Position, Rect};
use std::cell::{Cell, RefCell};

/// Places in the last frame; drawing fills it.
#[derive(Debug, Default)]
pub struct Drawn {
    queue: Cell<(Rect, usize)>,
    hits: Cell<(Rect, usize)>,
    user_hits: Cell<(Rect, usize)>,
    query: Cell<Rect>,
    document: Cell<Rect>,
    tiles: RefCell<Vec<(Rect, usize)>>,
}

/// The part of the screen at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A row of the queue, by position in the list.
    Queue(usize),
    /// A row of the hits, by slot.
    Hit(usize),
    Query,
    Document,
}

impl Drawn {
    /// Sets the area of the queue's rows and the list position of the first.
    pub fn set_queue(&self, area: Rect, first: usize) {
        self.queue.set((area, first));
    }

    /// Sets the area of the hits' rows and the slot of the first; there is no block of the user's own evidence until
    /// [`Self::set_user_hits`].
    pub fn set_hits(&self, area: Rect, first: usize) {
        self.hits.set((area, first));
        self.user_hits.set((Rect::ZERO, 0));
    }

    /// Rows of the user's own evidence, and the slot of the first.
    pub fn set_user_hits(&self, area: Rect, first: usize) {
        self.user_hits.set((area, first));
    }

    pub fn set_query(&self, area: Rect) {
        self.query.set(area);
    }

    pub fn set_document(&self, area: Rect) {
        self.document.set(area);
    }

    /// Sets the tiles of the contact sheet, with the slot of each.
    pub fn set_tiles(&self, tiles: Vec<(Rect, usize)>) {
        self.tiles.replace(tiles);
    }

    /// The slot of the contact sheet's tile at this position.
    pub fn slot_of_tile(&self, position: Position) -> Option<usize> {
        self.tiles.borrow().iter().find(|(tile, _)| tile.contains(position)).map(|(_, slot)| *slot)
    }

    /// Area of the queue's rows and the list position of the first.
    pub fn queue(&self) -> (Rect, usize) {
        self.queue.get()
    }

    /// Area of the hits' rows, below their heading.
    pub fn hits(&self) -> Rect {
        self.hits.get().0
    }

    /// Area of the query's image with its heading.
    pub fn query(&self) -> Rect {
        self.query.get()
    }

    /// Area of the document's image with its heading.
    pub fn document(&self) -> Rect {
        self.document.get()
    }

    /// The part at this position. A row may be empty.
    pub fn at(&self, position: Position) -> Option<Target> {
        let row =
            |(area, first): (Rect, usize)| area.contains(position).then(|| first + usize::from(position.y - area.y));
        if let Some(place) = row(self.queue.get()) {
            return Some(Target::Queue(place));
        }
        if let Some(slot) = row(self.hits.get()).or_else(|| row(self.user_hits.get())) {
            return Some(Target::Hit(slot));
        }
        if self.query.get().contains(position) {
            return Some(Target::Query);
        }
        self.document.get().contains(position).then_some(Target::Document)
    }
}
