//! Converts colours (RGB, YBR and palettes) to three channels of 8 bit.

use super::elements::Attributes;
use super::layout::Layout;
use super::lookup_table::LookupTable;
use anyhow::{Context, Result, ensure};
use image::{DynamicImage, RgbImage};

/// Converts RGB or YBR_FULL samples; more than 8 bits are scaled.
///
/// # Errors
/// Fails if the samples are not colours.
pub(super) fn picture(layout: &Layout, stored: &[i32], is_ybr: bool) -> Result<DynamicImage> {
    ensure!(
        layout.samples == 3,
        "expected 3 Samples per Pixel for {} in the DICOM file, found {}",
        layout.photometric,
        layout.samples
    );
    ensure!(!layout.is_signed, "signed colour values in DICOM files are not supported");
    let top = layout.range().1;
    let eight = |value: &i32| (f64::from(*value) * 255.0 / top).round() as u8;
    let mut pixels: Vec<u8> = stored.iter().map(eight).collect();
    if is_ybr {
        for pixel in pixels.chunks_exact_mut(3) {
            let rgb = to_rgb([pixel[0], pixel[1], pixel[2]]);
            pixel.copy_from_slice(&rgb);
        }
    }
    whole(layout, pixels)
}

/// Converts PALETTE COLOR with its three tables.
///
/// # Errors
/// Fails if a table is missing or damaged.
pub(super) fn from_palette(attributes: &Attributes, layout: &Layout, stored: &[i32]) -> Result<DynamicImage> {
    ensure!(
        layout.samples == 1,
        "expected 1 Sample per Pixel for a palette in the DICOM file, found {}",
        layout.samples
    );
    ensure!(
        !attributes.has(0x0028_1221),
        "segmented palettes are not supported; `gdcmconv --raw` or pydicom can convert the DICOM file to RGB"
    );
    let table =
        |channel: u32| LookupTable::read(attributes, 0x0028_1101 + channel, 0x0028_1201 + channel, layout.is_signed);
    let tables = [table(0)?, table(1)?, table(2)?];
    let light = |table: &LookupTable, value: i32| {
        (f64::from(table.of(value.into())) * 255.0 / f64::from(table.top)).round() as u8
    };
    let pixels = stored.iter().flat_map(|value| tables.each_ref().map(|table| light(table, *value))).collect();
    whole(layout, pixels)
}

fn whole(layout: &Layout, pixels: Vec<u8>) -> Result<DynamicImage> {
    let image = RgbImage::from_raw(layout.columns, layout.rows, pixels);
    Ok(DynamicImage::ImageRgb8(image.context("the DICOM file has too few pixels")?))
}

/// Converts YBR_FULL to RGB (PS3.3 C.7.6.3.1.2, ITU-R BT.601).
fn to_rgb([y, blue, red]: [u8; 3]) -> [u8; 3] {
    let (y, blue, red) = (f64::from(y), f64::from(blue) - 128.0, f64::from(red) - 128.0);
    [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue]
        .map(|value| value.round().clamp(0.0, 255.0) as u8)
}
