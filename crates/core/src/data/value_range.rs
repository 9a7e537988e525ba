//! Chooses the window of a 16-bit PNG, and detects pictures that use little of their range.

use super::PictureRemark;
use super::value_window::ValueWindow;
use image::DynamicImage;

/// A 16-bit picture with a smaller range is stretched: 12-bit detector values in 16 bits would be nearly black.
const HALF_OF_16_BIT: u16 = 1 << 15;
/// A 16-bit picture with 99.9 % of its values below this is nearly black.
const SIXTEENTH_OF_16_BIT: u16 = 1 << 12;
/// An 8-bit picture with a smaller range is reported, but not changed.
const EIGHTH_OF_8_BIT: u16 = 32;

/// The window of a 16-bit image without its own; `None` for 8 bits. In PNG 0 is black and 65535 white, which is used
/// for pictures that use at least half of that range. Others contain raw detector values and are stretched from their darkest
/// to their lightest value, like a DICOM image without a window. Fully transparent pixels do not count.
pub(super) fn window(image: &DynamicImage) -> (Option<ValueWindow>, Option<PictureRemark>) {
    let whole = ValueWindow { low: 0.0, high: f64::from(u16::MAX) };
    let Some((low, high)) = range_of_16_bit(image) else { return (None, None) };
    if low == high || high - low >= HALF_OF_16_BIT {
        return (Some(whole), None);
    }
    let window = ValueWindow { low: low.into(), high: high.into() };
    (Some(window), Some(PictureRemark::Stretched { low, high }))
}

/// A remark if there is little to see in the picture.
pub(super) fn remark(image: &DynamicImage, window: Option<ValueWindow>) -> Option<PictureRemark> {
    let (low, high) = match range_of_16_bit(image) {
        Some((low, high)) if low == high => return Some(PictureRemark::Constant),
        Some(_) => {
            let is_whole = window.is_some_and(|window| (window.low, window.high) == (0.0, f64::from(u16::MAX)));
            return few_bright(image).filter(|_| is_whole);
        }
        None => range(image.as_bytes().iter().map(|value| u16::from(*value)), channels(image))?,
    };
    // In a uniform colour picture the channels differ from each other.
    let first = image.as_bytes().get(..usize::from(image.color().channel_count()))?;
    if image.as_bytes().chunks_exact(first.len()).all(|pixel| pixel == first) {
        return Some(PictureRemark::Constant);
    }
    let remark = PictureRemark::NearlyUniform { low: low as u8, high: high as u8 };
    (high - low < EIGHTH_OF_8_BIT).then_some(remark)
}

/// Detects a PNG that one bright outlier keeps from being stretched.
fn few_bright(image: &DynamicImage) -> Option<PictureRemark> {
    let DynamicImage::ImageLuma16(image) = image else { return None };
    let mut counts = vec![0_u64; 1 << 16];
    for value in image.as_raw() {
        counts[usize::from(*value)] += 1;
    }
    let (all, mut below) = (image.as_raw().len() as u64, 0);
    let most_below = counts.iter().position(|count| {
        below += count;
        below * 1000 >= all * 999
    })?;
    (most_below < usize::from(SIXTEENTH_OF_16_BIT))
        .then_some(PictureRemark::FewBright { most_below: most_below as u16 })
}

fn range_of_16_bit(image: &DynamicImage) -> Option<(u16, u16)> {
    let values = match image {
        DynamicImage::ImageLuma16(image) => image.as_raw(),
        DynamicImage::ImageLumaA16(image) => image.as_raw(),
        DynamicImage::ImageRgb16(image) => image.as_raw(),
        DynamicImage::ImageRgba16(image) => image.as_raw(),
        _ => return None,
    };
    // Everything is transparent: there is nothing to stretch.
    Some(range(values.iter().copied(), channels(image)).unwrap_or((0, 0)))
}

/// Number of channels, and whether the last one is alpha.
fn channels(image: &DynamicImage) -> (usize, bool) {
    (image.color().channel_count().into(), image.color().has_alpha())
}

/// Darkest and lightest value of the colour channels, in pixels that are not fully transparent.
fn range(values: impl Iterator<Item = u16>, (channels, has_alpha): (usize, bool)) -> Option<(u16, u16)> {
    let mut range: Option<(u16, u16)> = None;
    let mut pixel = [0_u16; 4];
    for (position, value) in values.enumerate() {
        let channel = position % channels;
        pixel[channel] = value;
        if channel + 1 < channels || (has_alpha && value == 0) {
            continue;
        }
        for value in &pixel[..channels - usize::from(has_alpha)] {
            let (low, high) = range.unwrap_or((*value, *value));
            range = Some((low.min(*value), high.max(*value)));
        }
    }
    range
}
