//! A grey value window: which stored values are shown black and white (DICOM PS3.3, C.11.2.1.2).

use image::{DynamicImage, GrayImage, ImageBuffer, Luma};

/// The values of an image that are shown black and white; values between them are mapped linearly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueWindow {
    pub low: f64,
    pub high: f64,
}

impl ValueWindow {
    /// Maps `image` to 8-bit grey values; values outside the window are clamped.
    pub fn apply(&self, image: &DynamicImage) -> GrayImage {
        let deep = image.to_luma16();
        ImageBuffer::from_fn(deep.width(), deep.height(), |x, y| Luma([self.light(deep.get_pixel(x, y).0[0])]))
    }

    /// Maps one value to 0…255, rounded to the nearest integer.
    pub(super) fn light(&self, value: u16) -> u8 {
        let width = (self.high - self.low).max(1.0);
        (((f64::from(value) - self.low) / width).clamp(0.0, 1.0) * 255.0).round() as u8
    }
}
