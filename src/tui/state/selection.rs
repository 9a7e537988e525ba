//! The selection on the screen: focused list, selected hit, image that keys act on.

/// The list that j and k move in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    #[default]
    Queue,
    Hits,
}

/// The image that keys act on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    #[default]
    Query,
    Document,
}

/// Contents of the document's image pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// The selected hit.
    #[default]
    Hit,
    /// A document that this run did not retrieve, found by search or by the other run alone: its row in the corpus.
    Row(usize),
}

/// The selection, apart from the current case, which the queue holds.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    focus: Focus,
    side: Side,
    shown: Shown,
    hit: usize,
    /// Place among the hits of the other run of the document shown, if only that run found it.
    other_hit: Option<usize>,
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

    /// Place among the other run's hits, if the document shown is one that only that run found.
    pub fn other_hit(&self) -> Option<usize> {
        self.other_hit.filter(|_| self.shown != Shown::Hit)
    }

    /// Position of the selected hit among the hits of the current case.
    pub fn hit(&self) -> usize {
        self.hit
    }

    /// Starts at the first hit, because another case is opened.
    pub fn open_case(&mut self) {
        self.hit = 0;
        self.shown = Shown::Hit;
        if self.focus == Focus::Queue {
            self.side = Side::Query;
        }
    }

    /// Moves among this many hits and stops at the ends.
    pub fn step_hit(&mut self, steps: isize, hits: usize) {
        self.look_at_hit(self.hit.saturating_add_signed(steps).min(hits.saturating_sub(1)));
    }

    /// Selects a hit and shows its image.
    pub fn look_at_hit(&mut self, hit: usize) {
        self.stand_on_hit(hit);
        self.side = Side::Document;
    }

    /// Selects a hit; keys go on acting on the same image.
    pub fn stand_on_hit(&mut self, hit: usize) {
        self.hit = hit;
        self.shown = Shown::Hit;
    }

    /// Sets the position of a hit that may not have arrived yet.
    pub fn set_hit(&mut self, hit: usize) {
        self.hit = hit;
    }

    /// Moves the selection to the last hit if there are fewer.
    pub fn keep_within(&mut self, hits: usize) {
        self.hit = self.hit.min(hits.saturating_sub(1));
    }

    /// Shows a document that is not among the hits.
    pub fn show_row(&mut self, row: usize) {
        self.shown = Shown::Row(row);
        self.other_hit = None;
        self.side = Side::Document;
    }

    /// Shows a document that only the other run found, at this place among its hits and in this row of the corpus.
    pub fn show_other_hit(&mut self, place: usize, row: usize) {
        self.show_row(row);
        self.other_hit = Some(place);
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
