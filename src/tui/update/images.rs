//! Enlarging, zooming and panning images.

use super::app::App;
use crate::terminal::images::ViewChange;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::image_panes::Enlarged;
use crate::tui::state::selection::Side;
use ratatui::layout::{Rect, Size};
use std::path::{Path, PathBuf};

impl App {
    /// Pans if only a part of the image is visible; else the same keys go to other cases and hits.
    pub(super) fn update_image(&mut self, action: Action) -> Vec<Effect> {
        let Action::View(change) = action else { return self.update_explorer(action) };
        if !self.images.view().is_zoomed(self.nearest_here()) {
            match change {
                ViewChange::Up => return self.step_case(-1),
                ViewChange::Down => return self.step_case(1),
                ViewChange::Left | ViewChange::Right => {
                    self.step_hit(if change == ViewChange::Right { 1 } else { -1 });
                    return Vec::new();
                }
                _ => {}
            }
        }
        self.change_view(change);
        Vec::new()
    }

    /// Goes to the other image; on the contact sheet, enlarges the selected hit.
    pub(super) fn switch_image(&mut self) {
        if self.images.enlarged() == Some(Enlarged::ContactSheet) {
            self.selection.set_side(Side::Document);
            self.images.enlarge();
        } else {
            self.selection.switch_image();
        }
    }

    pub(super) fn full_screen(&mut self) -> Vec<Effect> {
        self.on_active_image(Effect::FullScreen)
    }

    pub(super) fn open_in_viewer(&mut self) -> Vec<Effect> {
        self.on_active_image(Effect::OpenInViewer)
    }

    /// The effect on the image that keys act on, or a notice if the reader was given no image there.
    fn on_active_image(&mut self, effect: fn(PathBuf) -> Effect) -> Vec<Effect> {
        let is_withheld = self.given_evidence().is_some_and(|given| !given.has_image);
        if self.selection.side() == Side::Document && is_withheld {
            self.say("the reader was given no image here");
            return Vec::new();
        }
        self.active_image().map(effect).into_iter().collect()
    }

    /// Path of the image that keys act on.
    fn active_image(&self) -> Option<PathBuf> {
        let image = match self.selection.side() {
            Side::Query => self.current().map(|(_, case)| case.image.as_path()),
            Side::Document => self.shown_document().map(|document| document.image),
        };
        image.map(|image| self.dataset().root.join(image))
    }

    /// Largest zoom of an image of the dataset in this area, whose first row is the heading. It is infinite until the
    /// image has been loaded there.
    pub fn nearest(&self, image: &Path, area: Rect) -> f32 {
        let pane = Size::new(area.width, area.height.saturating_sub(1));
        self.images.pictures().nearest(&self.dataset().root.join(image), pane)
    }

    /// Largest zoom of the image that keys act on, where it was last drawn.
    fn nearest_here(&self) -> f32 {
        let (image, area) = match self.selection.side() {
            Side::Query => (self.current().map(|(_, case)| case.image.as_path()), self.drawn.query()),
            Side::Document => (self.shown_document().map(|document| document.image), self.drawn.document()),
        };
        image.map_or(f32::INFINITY, |image| self.nearest(image, area))
    }

    /// What is on about how one looks at images: "×2 inverted · locked"; empty for images as stored.
    pub fn view_words(&self) -> String {
        self.images.words(self.nearest_here())
    }

    pub(super) fn lock_view(&mut self) {
        self.images.toggle_lock();
        let said = if self.images.is_locked() {
            "the view is locked: it stays for the next cases"
        } else {
            "the view is not locked: each case starts as stored"
        };
        self.say(said);
    }

    pub(super) fn change_view(&mut self, change: ViewChange) {
        let nearest = self.nearest_here();
        let is_another = self.images.change(change, nearest);
        if change == ViewChange::ZoomIn && !is_another {
            self.say("no nearer: every pixel of the image is shown");
        }
    }
}
