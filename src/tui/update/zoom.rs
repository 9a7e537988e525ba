//! How near one may come to the images on the screen.

use super::app::{App, Notice, Side};
use crate::terminal::images::ViewChange;
use ratatui::layout::{Rect, Size};
use std::path::Path;

impl App {
    /// How many times larger than whole an image of the dataset may be drawn in this area, whose first row is its heading.
    /// Without bound until it has been loaded there.
    pub fn nearest(&self, image: &Path, area: Rect) -> f32 {
        let pane = Size::new(area.width, area.height.saturating_sub(1));
        self.pictures.nearest(&self.dataset.root.join(image), pane).unwrap_or(f32::INFINITY)
    }

    /// The same for the image that keys act on, where it was last drawn.
    pub(super) fn nearest_here(&self) -> f32 {
        let (image, area) = match self.side {
            Side::Query => (self.current().map(|(_, case)| &case.image), self.drawn.query.get()),
            Side::Document => (self.shown_document().map(|document| &document.image), self.drawn.document.get()),
        };
        image.map_or(f32::INFINITY, |image| self.nearest(image, area))
    }

    pub(super) fn change_view(&mut self, change: ViewChange) {
        let before = self.image_view;
        self.image_view = before.changed(change, self.nearest_here());
        if change == ViewChange::ZoomIn && self.image_view == before {
            self.notice = Some(Notice::Said("no nearer: every pixel of the image is shown".into()));
        }
    }
}
