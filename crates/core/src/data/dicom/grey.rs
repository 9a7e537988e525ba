//! Grey values: from stored values to modality values to display values (PS3.3, C.11).

use super::elements::Attributes;
use super::layout::Layout;
use super::modality_lut::ModalityLut;
use super::voi_lut::VoiLut;
use crate::data::value_window::ValueWindow;
use anyhow::{Context, Result};
use image::{DynamicImage, GrayImage, ImageBuffer, Luma};

const TOP: f64 = 65535.0;
/// Number of window widths kept below and above the window.
const ROOM: f64 = 4.0;

/// Makes the picture. 8 bits without any transformation stay unchanged; else modality values with a window, the darkest
/// at 0. A VOI table or a sigmoid is applied, and the window is then the whole range.
///
/// # Errors
/// Fails with the attribute that is invalid.
pub(super) fn picture(
    sources: &[&Attributes],
    layout: &Layout,
    stored: &[i32],
    is_inverted: bool,
) -> Result<(DynamicImage, Option<ValueWindow>)> {
    let modality = ModalityLut::read(sources, layout)?;
    let voi = VoiLut::read(sources, modality.may_be_negative(layout))?;
    let is_plain = modality.is_identity();
    if layout.stored <= 8 && !layout.is_signed && is_plain && voi.is_none() {
        let top = layout.range().1;
        let eight = |value: &i32| {
            let value = f64::from(*value);
            ((if is_inverted { top - value } else { value }) * 255.0 / top).round() as u8
        };
        let image = GrayImage::from_raw(layout.columns, layout.rows, stored.iter().map(eight).collect());
        return Ok((DynamicImage::ImageLuma8(image.context("the DICOM file has too few pixels")?), None));
    }
    let deep = |pixels: Vec<u16>| {
        let image: Option<ImageBuffer<Luma<u16>, _>> = ImageBuffer::from_raw(layout.columns, layout.rows, pixels);
        image.map(DynamicImage::ImageLuma16).context("the DICOM file has too few pixels")
    };
    if let Some(curve @ (VoiLut::Table(_) | VoiLut::Sigmoid { .. })) = &voi {
        let value = |stored: &i32| {
            let light = curve.apply(modality.apply(*stored));
            ((if is_inverted { 1.0 - light } else { light }) * TOP).round() as u16
        };
        return Ok((deep(stored.iter().map(value).collect())?, Some(ValueWindow { low: 0.0, high: TOP })));
    }
    let sign = if is_inverted { -1.0 } else { 1.0 };
    let padding = padding_of(sources, layout);
    let (mut darkest, mut lightest, mut is_whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
    for value in stored.iter().filter(|value| !padding.is_some_and(|(low, high)| (low..=high).contains(*value))) {
        let value = sign * modality.apply(*value);
        (darkest, lightest) = (darkest.min(value), lightest.max(value));
        is_whole &= value.fract() == 0.0;
    }
    // There is only padding.
    if darkest > lightest {
        (darkest, lightest) = (0.0, 0.0);
    }
    // Whole numbers within 16 bits stay unchanged; others are scaled to 16 bits. Values far outside the window are cut:
    // one outlier must not use up the 16 bits.
    if let Some(VoiLut::Window(low, high)) = voi
        && !(is_whole && lightest - darkest <= TOP)
    {
        let (low, high) = ((sign * low).min(sign * high), (sign * low).max(sign * high));
        let room = ROOM * (high - low);
        (darkest, lightest) = (darkest.max(low - room), lightest.min(high + room));
        // The window lies outside all values.
        if darkest > lightest {
            (darkest, lightest) = (low, high);
        }
    }
    let range = lightest - darkest;
    let scale = if range == 0.0 || (is_whole && range <= TOP) { 1.0 } else { TOP / range };
    let place = |value: f64| (sign * value - darkest) * scale;
    // Padding outside the range is clamped.
    let pixels = stored.iter().map(|value| place(modality.apply(*value)).round() as u16).collect();
    let window = match voi {
        Some(VoiLut::Window(low, high)) => {
            let ends = (place(low), place(high));
            ValueWindow { low: ends.0.min(ends.1), high: ends.0.max(ends.1) }
        }
        _ => ValueWindow { low: 0.0, high: range * scale },
    };
    Ok((deep(pixels)?, Some(window)))
}

/// Range of the stored values that mean padding (C.7.5.1.1.2).
fn padding_of(sources: &[&Attributes], layout: &Layout) -> Option<(i32, i32)> {
    let value = |tag| {
        let word = sources.iter().find_map(|source| source.number(tag))?;
        Some(if layout.is_signed { i32::from(word as i16) } else { i32::from(word) })
    };
    let one = value(0x0028_0120)?;
    let other = value(0x0028_0121).unwrap_or(one);
    Some((one.min(other), one.max(other)))
}
