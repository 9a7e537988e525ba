//! Where one stands on the screen: which list has the focus, which hit is selected, which image keys act on.

/// Which list j and k move in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    #[default]
    Queue,
    Hits,
}

/// Which image keys act on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    #[default]
    Query,
    Document,
}

/// What the document's image pane shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// The selected hit.
    #[default]
    Hit,
    /// A document found by search: its row in the corpus.
    Row(usize),
}

/// The place on the screen; the place in the queue is the queue's.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    focus: Focus,
    side: Side,
    shown: Shown,
    hit: usize,
}

impl Selection {
    pub fn focus(&self) -> Focus {
        self.focus
    }

    pub fn side(&self) -> Side {
        self.side
    }

    pub fn shown(&self) -> Shown {
        self.shown
    }

    /// Place of the selected hit in the hits of the current case.
    pub fn hit(&self) -> usize {
        self.hit
    }

    /// Another case is opened: it starts at its first hit.
    pub fn open_case(&mut self) {
        self.hit = 0;
        self.shown = Shown::Hit;
        if self.focus == Focus::Queue {
            self.side = Side::Query;
        }
    }

    /// Moves among this many hits, not beyond the ends.
    pub fn step_hit(&mut self, steps: isize, hits: usize) {
        self.look_at_hit(self.hit.saturating_add_signed(steps).min(hits.saturating_sub(1)));
    }

    /// Selects a hit and shows its image.
    pub fn look_at_hit(&mut self, hit: usize) {
        self.stand_on_hit(hit);
        self.side = Side::Document;
    }

    /// Selects a hit and leaves the keys with the image that they act on.
    pub fn stand_on_hit(&mut self, hit: usize) {
        self.hit = hit;
        self.shown = Shown::Hit;
    }

    /// The place among hits that may not be there yet.
    pub fn set_hit(&mut self, hit: usize) {
        self.hit = hit;
    }

    /// There are only this many hits.
    pub fn keep_within(&mut self, hits: usize) {
        self.hit = self.hit.min(hits.saturating_sub(1));
    }

    /// Shows a document that is none of the hits.
    pub fn show_row(&mut self, row: usize) {
        self.shown = Shown::Row(row);
        self.side = Side::Document;
    }

    /// Shows the selected hit again.
    pub fn show_hit(&mut self) {
        self.shown = Shown::Hit;
    }

    pub fn switch_focus(&mut self) {
        (self.focus, self.side) = match self.focus {
            Focus::Queue => (Focus::Hits, Side::Document),
            Focus::Hits => (Focus::Queue, Side::Query),
        };
        self.shown = Shown::Hit;
    }

    pub fn set_focus(&mut self, focus: Focus) {
        self.focus = focus;
    }

    pub fn switch_image(&mut self) {
        self.side = match self.side {
            Side::Query => Side::Document,
            Side::Document => Side::Query,
        };
    }

    pub fn set_side(&mut self, side: Side) {
        self.side = side;
    }
}
