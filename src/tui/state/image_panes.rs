//! The images on the screen: loaded ones, how they are looked at, whether one fills the screen.

use crate::terminal::images::{ImageMode, ImageView, Picture, PictureKey, Pictures, ViewChange};

/// One view for query and document, so that both show the same part in the same light.
pub struct ImagePanes {
    mode: ImageMode,
    view: ImageView,
    is_enlarged: bool,
    pictures: Pictures,
}

impl ImagePanes {
    /// Whole images side by side, none loaded yet.
    pub fn new(mode: ImageMode) -> Self {
        Self { mode, view: ImageView::default(), is_enlarged: false, pictures: Pictures::default() }
    }

    pub fn mode(&self) -> ImageMode {
        self.mode
    }

    pub fn view(&self) -> ImageView {
        self.view
    }

    /// Does one image fill the screen?
    pub fn is_enlarged(&self) -> bool {
        self.is_enlarged
    }

    pub fn enlarge(&mut self, is_enlarged: bool) {
        self.is_enlarged = is_enlarged;
    }

    /// Images that are decoded and scaled.
    pub fn pictures(&self) -> &Pictures {
        &self.pictures
    }

    /// An image is decoded and scaled, or cannot be.
    pub fn insert(&mut self, key: PictureKey, picture: Picture) {
        self.pictures.insert(key, picture);
    }

    /// The terminal has lost its images: they are made and sent again.
    pub fn forget(&mut self) {
        self.pictures = Pictures::default();
    }

    /// Takes over images that another screen has loaded.
    pub fn take_pictures(&mut self, other: Self) {
        self.pictures = other.pictures;
    }

    /// Zooms, pans or changes the window; true where the view is another one afterwards. `nearest` is how far the image may
    /// be zoomed where it is drawn.
    pub fn change(&mut self, change: ViewChange, nearest: f32) -> bool {
        let before = self.view;
        self.view = before.changed(change, nearest);
        self.view != before
    }
}
