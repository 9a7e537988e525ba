//! Phantoms as small PNG files, the same bytes for the same pixels.

use super::field::SIDE;
use anyhow::{Context, Result};
use image::{GrayImage, RgbImage};
use png::{BitDepth, ColorType, Compression, Encoder, Filter};

/// Compression effort: the sample is kept in the repository, pools are thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Smallest file.
    Small,
    /// Quickest file, for pools of many thousand images.
    Quick,
}

/// Grey levels of an ultrasound phantom.
pub const GREY_LEVELS: u8 = 16;
/// Grey step between two levels: level 15 is white.
pub const GREY_STEP: u8 = 255 / (GREY_LEVELS - 1);
/// Colours of a fundus phantom.
pub const PALETTE_SIZE: usize = 32;

/// A grey phantom (levels that are multiples of [`GREY_STEP`]) as a 4-bit greyscale PNG.
pub fn grey_png(image: &GrayImage, effort: Effort) -> Result<Vec<u8>> {
    let pixels = image.as_raw();
    let packed: Vec<u8> =
        pixels.chunks_exact(2).map(|pair| (pair[0] / GREY_STEP) << 4 | (pair[1] / GREY_STEP)).collect();
    write_png(&packed, ColorType::Grayscale, BitDepth::Four, None, effort)
}

/// A colour phantom of at most [`PALETTE_SIZE`] colours as a palette PNG; colours are ordered by brightness.
pub fn colour_png(image: &RgbImage, effort: Effort) -> Result<Vec<u8>> {
    let mut palette: Vec<[u8; 3]> = image.pixels().map(|pixel| pixel.0).collect();
    palette.sort_unstable_by_key(|&colour| (brightness(colour), colour));
    palette.dedup();
    anyhow::ensure!(palette.len() <= 256, "a palette holds 256 colours, the image has {}", palette.len());
    let mut indices = Vec::with_capacity(SIDE * SIDE);
    for pixel in image.pixels() {
        let key = (brightness(pixel.0), pixel.0);
        let index = palette.binary_search_by_key(&key, |&colour| (brightness(colour), colour));
        indices.push(index.map_err(|_| anyhow::anyhow!("colour {:?} is not in the palette", pixel.0))? as u8);
    }
    write_png(&indices, ColorType::Indexed, BitDepth::Eight, Some(palette.concat()), effort)
}

fn write_png(
    data: &[u8],
    colour: ColorType,
    depth: BitDepth,
    palette: Option<Vec<u8>>,
    effort: Effort,
) -> Result<Vec<u8>> {
    if effort == Effort::Quick {
        return write_filtered(data, colour, depth, palette, Compression::Fast, Filter::NoFilter);
    }
    // The best filter depends on the picture; trying the likely ones costs less than a millisecond.
    let mut smallest: Option<Vec<u8>> = None;
    for filter in [Filter::NoFilter, Filter::Sub, Filter::Up, Filter::Adaptive] {
        let bytes = write_filtered(data, colour, depth, palette.clone(), Compression::High, filter)?;
        if smallest.as_ref().is_none_or(|best| bytes.len() < best.len()) {
            smallest = Some(bytes);
        }
    }
    smallest.context("no PNG filter was tried")
}

fn write_filtered(
    data: &[u8],
    colour: ColorType,
    depth: BitDepth,
    palette: Option<Vec<u8>>,
    compression: Compression,
    filter: Filter,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(3000);
    let mut encoder = Encoder::new(&mut bytes, SIDE as u32, SIDE as u32);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    // The compression preset also sets a filter, so the filter comes after it.
    encoder.set_compression(compression);
    encoder.set_filter(filter);
    if let Some(palette) = palette {
        encoder.set_palette(palette);
    }
    let mut writer = encoder.write_header().context("cannot begin a PNG")?;
    writer.write_image_data(data).context("cannot write PNG pixels")?;
    writer.finish().context("cannot finish a PNG")?;
    Ok(bytes)
}

/// Rec. 601 luma, integer.
pub fn brightness(colour: [u8; 3]) -> u32 {
    299 * u32::from(colour[0]) + 587 * u32::from(colour[1]) + 114 * u32::from(colour[2])
}

/// Reduces a picture to at most [`PALETTE_SIZE`] colours. The box with the longest side is halved at the middle of its
/// range, not at the median: rare colours (a few microaneurysms, an exudate) keep an entry of their own.
pub fn reduce_colours(image: &mut RgbImage) {
    let mut boxes: Vec<Vec<[u8; 3]>> = vec![image.pixels().map(|pixel| pixel.0).collect()];
    while boxes.len() < PALETTE_SIZE {
        let widest = (0..boxes.len()).max_by_key(|&index| (longest_side(&boxes[index]).0, usize::MAX - index));
        let Some(widest) = widest else { return };
        let (length, channel, middle) = longest_side(&boxes[widest]);
        if length == 0 {
            break;
        }
        let (low, high) = boxes.swap_remove(widest).into_iter().partition(|colour| colour[channel] <= middle);
        boxes.push(low);
        boxes.push(high);
    }
    let means: Vec<[u8; 3]> = boxes.iter().map(|colours| mean_colour(colours)).collect();
    for pixel in image.pixels_mut() {
        pixel.0 = nearest(pixel.0, &means);
    }
}

/// Length of the longest side of a box of colours, its channel, its middle. Green counts double, because the signs
/// show in green.
fn longest_side(colours: &[[u8; 3]]) -> (u32, usize, u8) {
    let mut best = (0, 0, 0);
    for (channel, weight) in [2, 4, 1].into_iter().enumerate() {
        let low = colours.iter().map(|colour| colour[channel]).min().unwrap_or(0);
        let high = colours.iter().map(|colour| colour[channel]).max().unwrap_or(0);
        let length = weight * u32::from(high - low);
        if length > best.0 {
            best = (length, channel, low + (high - low) / 2);
        }
    }
    best
}

fn mean_colour(colours: &[[u8; 3]]) -> [u8; 3] {
    let count = colours.len().max(1) as u32;
    let mut mean = [0; 3];
    for (channel, value) in mean.iter_mut().enumerate() {
        *value = (colours.iter().map(|colour| u32::from(colour[channel])).sum::<u32>() / count) as u8;
    }
    mean
}

fn nearest(colour: [u8; 3], palette: &[[u8; 3]]) -> [u8; 3] {
    let distance = |other: &[u8; 3]| {
        (0..3).map(|channel| (i32::from(colour[channel]) - i32::from(other[channel])).pow(2)).sum::<i32>()
    };
    palette.iter().copied().min_by_key(distance).unwrap_or(colour)
}
