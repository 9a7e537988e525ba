//! Pictures to write into datasets.

use image::{Rgb, RgbImage};
use std::path::Path;

/// Writes a picture of one colour.
pub fn write_picture(root: &Path, name: &str, colour: [u8; 3]) {
    RgbImage::from_pixel(8, 6, Rgb(colour)).save(root.join(name)).unwrap();
}
