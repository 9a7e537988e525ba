//! The images on the screen: which are loaded, how they are viewed, which are enlarged.

use crate::terminal::image_protocol::ImageMode;
use crate::terminal::images::{ImageView, Picture, PictureKey, Pictures, ViewChange};

/// The image panes. Query and document share one view, so that both show the same part with the same window.
pub struct ImagePanes {
    mode: ImageMode,
    view: ImageView,
    /// The view stays for the next cases.
    is_locked: bool,
    /// The body of the screen shows an image, or both, in place of queue and case.
    is_enlarged: bool,
    /// Enlarged, query and document stand side by side; kept for the next time.
    are_both: bool,
    /// The contact sheet covers the rest.
    is_sheet: bool,
    pictures: Pictures,
}

/// What fills the body of the screen in place of queue and case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enlarged {
    /// The image that keys act on.
    One,
    /// The query's image and the document's, side by side.
    Both,
    /// The query's image and those of all hits.
    ContactSheet,
}

impl ImagePanes {
    /// Whole images side by side, none loaded yet.
    pub fn new(mode: ImageMode) -> Self {
        Self {
            mode,
            view: ImageView::default(),
            is_locked: false,
            is_enlarged: false,
            are_both: false,
            is_sheet: false,
            pictures: Pictures::default(),
        }
    }

    pub fn mode(&self) -> ImageMode {
        self.mode
    }

    pub fn view(&self) -> ImageView {
        self.view
    }

    pub fn is_locked(&self) -> bool {
        self.is_locked
    }

    pub fn toggle_lock(&mut self) {
        self.is_locked = !self.is_locked;
    }

    /// Another case is opened: it starts as stored, unless the view is locked. A window chosen for one image misleads on the
    /// next.
    pub fn open_case(&mut self) {
        if !self.is_locked {
            self.view = ImageView::default();
        }
    }

    /// The view in words, and whether it is locked; empty for images as stored. `nearest` is how far the image may be zoomed.
    pub fn words(&self, nearest: f32) -> String {
        let mut words = vec![self.view.words(nearest)];
        if self.is_locked {
            words.push("locked".to_owned());
        }
        words.retain(|words| !words.is_empty());
        words.join(" · ")
    }

    /// What fills the body of the screen, if images are enlarged.
    pub fn enlarged(&self) -> Option<Enlarged> {
        match (self.is_sheet, self.is_enlarged, self.are_both) {
            (true, ..) => Some(Enlarged::ContactSheet),
            (false, true, true) => Some(Enlarged::Both),
            (false, true, false) => Some(Enlarged::One),
            (false, false, _) => None,
        }
    }

    /// Enlarges one image, or both as the last time.
    pub fn enlarge(&mut self) {
        self.is_sheet = false;
        self.is_enlarged = true;
    }

    /// Leaves the contact sheet or the enlarged image: back to what it covers.
    pub fn shrink(&mut self) {
        if !std::mem::take(&mut self.is_sheet) {
            self.is_enlarged = false;
        }
    }

    /// Enlarges both images side by side, or one alone again.
    pub fn toggle_both(&mut self) {
        self.are_both = self.enlarged() != Some(Enlarged::Both);
        self.enlarge();
    }

    /// Shows the contact sheet, or what it covers again.
    pub fn toggle_sheet(&mut self) {
        self.is_sheet = !self.is_sheet;
    }

    /// The decoded and scaled images.
    pub fn pictures(&self) -> &Pictures {
        &self.pictures
    }

    /// Adds an image that is decoded and scaled, or failed.
    pub fn insert(&mut self, key: PictureKey, picture: Picture) {
        self.pictures.insert(key, picture);
    }

    /// Forgets all images, because the terminal has lost them: they are made and sent again.
    pub fn forget(&mut self) {
        self.pictures = Pictures::default();
    }

    /// Takes over the images loaded by another screen.
    pub fn take_pictures(&mut self, other: Self) {
        self.pictures = other.pictures;
    }

    /// Zooms, pans or changes the window; returns whether the view has changed. `nearest` is the largest zoom for the
    /// image where it is drawn.
    pub fn change(&mut self, change: ViewChange, nearest: f32) -> bool {
        let before = self.view;
        self.view = before.changed(change, nearest);
        self.view != before
    }
}
