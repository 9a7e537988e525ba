//! A cache of scaled images by path and size; the least recently drawn are dropped first.

use super::view::ImageView;
use crate::terminal::block_glyphs::BlockImage;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Widget;
use ratatui_image::Image;
use ratatui_image::protocol::Protocol;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Number of cached images. One in block characters of 40×20 cells takes 10 kB.
const CAPACITY: usize = 64;

/// An image, its view and the size of its pane in cells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PictureKey {
    pub path: PathBuf,
    pub size: Size,
    pub view: ImageView,
}

/// What is drawn for an image.
pub enum Drawing {
    /// Block characters.
    Blocks(BlockImage),
    /// The terminal's own pixels.
    Pixels(Protocol),
}

/// An image that is ready to be drawn.
pub struct Scaled {
    pub drawing: Drawing,
    /// Maximum zoom in its pane, relative to the whole image.
    pub nearest: f32,
}

impl Scaled {
    /// Its columns and rows.
    pub fn size(&self) -> Size {
        match &self.drawing {
            Drawing::Blocks(image) => image.size(),
            Drawing::Pixels(protocol) => protocol.size(),
        }
    }
}

impl Widget for &Scaled {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        match &self.drawing {
            Drawing::Blocks(image) => image.render(area, buffer),
            Drawing::Pixels(protocol) => Image::new(protocol).render(area, buffer),
        }
    }
}

/// The loaded image, or an error message.
pub type Picture = Result<Scaled, String>;

/// The cache, and the list of images that drawing asked for.
#[derive(Default)]
pub struct Pictures {
    entries: HashMap<PictureKey, (Picture, Cell<u64>)>,
    clock: Cell<u64>,
    /// Keys asked for since [`Pictures::take_wanted`], missing or not.
    wanted: RefCell<Vec<PictureKey>>,
    /// Keys that will be asked for soon.
    soon: RefCell<Vec<PictureKey>>,
}

impl Pictures {
    /// The image, if it is cached; also records that it is wanted.
    pub fn get(&self, key: &PictureKey) -> Option<&Picture> {
        push_new(&mut self.wanted.borrow_mut(), key.clone());
        let (picture, used) = self.entries.get(key)?;
        self.clock.set(self.clock.get() + 1);
        used.set(self.clock.get());
        Some(picture)
    }

    /// Maximum zoom of this image in a pane of this size; infinite until it has been loaded for that size.
    pub fn nearest(&self, path: &Path, size: Size) -> f32 {
        let of_pane = |key: &PictureKey| key.size == size && key.path == path;
        let mut pictures = self.entries.iter().filter(|(key, _)| of_pane(key));
        let scaled = pictures.find_map(|(_, (picture, _))| picture.as_ref().ok());
        scaled.map_or(f32::INFINITY, |scaled| scaled.nearest)
    }

    /// Records that an image will be wanted soon.
    pub fn want_soon(&self, key: PictureKey) {
        push_new(&mut self.soon.borrow_mut(), key);
    }

    /// The missing images asked for since the last call: those being drawn first, then those wanted soon.
    pub fn take_wanted(&self) -> Vec<PictureKey> {
        let mut wanted = self.wanted.take();
        for key in self.soon.take() {
            push_new(&mut wanted, key);
        }
        wanted.into_iter().filter(|key| !self.entries.contains_key(key)).collect()
    }

    /// Caches an image; drops the least recently drawn one if there are too many.
    pub fn insert(&mut self, key: PictureKey, picture: Picture) {
        self.clock.set(self.clock.get() + 1);
        self.entries.insert(key, (picture, Cell::new(self.clock.get())));
        if self.entries.len() <= CAPACITY {
            return;
        }
        let oldest = self.entries.iter().min_by_key(|(_, (_, used))| used.get()).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            self.entries.remove(&oldest);
        }
    }
}

fn push_new(keys: &mut Vec<PictureKey>, key: PictureKey) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}

#[cfg(test)]
mod tests {
    use crate::terminal::images::cache::*;

    fn key(name: &str) -> PictureKey {
        PictureKey { path: name.into(), size: Size::new(10, 5), view: ImageView::default() }
    }

    #[test]
    fn what_is_missing_is_wanted_once() {
        let mut pictures = Pictures::default();
        assert!(pictures.get(&key("a")).is_none() && pictures.get(&key("a")).is_none());
        assert_eq!(pictures.take_wanted(), [key("a")]);
        pictures.insert(key("a"), Err("no such file".into()));
        assert!(pictures.get(&key("a")).is_some());
        assert!(pictures.take_wanted().is_empty());
    }

    #[test]
    fn the_least_recently_drawn_goes_first() {
        let mut pictures = Pictures::default();
        pictures.insert(key("old"), Err(String::new()));
        pictures.insert(key("older"), Err(String::new()));
        assert!(pictures.get(&key("old")).is_some());
        for index in 2..=CAPACITY {
            pictures.insert(key(&index.to_string()), Err(String::new()));
        }
        assert!(pictures.get(&key("old")).is_some());
        assert!(pictures.get(&key("older")).is_none());
    }
}
