//! The text and the pictures of the probe, and of the requests by which a server is tried out.

use image::{Rgb, RgbImage};

/// The text of the probe.
pub(super) const TEXT: &str = "a chest radiograph with a round mass on the left";
/// Sides of the pictures in pixels; vision models of patches need some.
const SIDE: u32 = 64;
/// The picture of the probe, and another one, by the weight of their patterns across.
pub(super) const PICTURE: u32 = 3;
pub(super) const OTHER_PICTURE: u32 = 11;

/// A test picture: a gradient with stripes, which no model takes for the other one.
pub(super) fn test_picture(number: u32) -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let value = |weight: u32| ((x * number + y * weight) % 256) as u8;
        if number == PICTURE { Rgb([value(1), value(2), value(5)]) } else { Rgb([value(7), value(0), value(3)]) }
    })
}
