//! DICOM images: the first frame with its depth, and the window that the file asks for.

use super::picture::ValueWindow;
use anyhow::{Context, Result, bail, ensure};
use dicom_object::OpenFileOptions;
use dicom_pixeldata::{
    ConvertOptions, DecodedPixelData, ModalityLutOption, PhotometricInterpretation, PixelDecoder, VoiLutFunction,
    VoiLutOption,
};
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, RgbImage};
use std::io::Cursor;

/// Bytes before the letters by which a DICOM file is known.
const PREAMBLE: usize = 128;
/// More pixels than any detector has; a header that claims more is lying.
const MOST_PIXELS: u64 = 1 << 28;

/// Does a file of these bytes call itself DICOM?
pub(super) fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(PREAMBLE..PREAMBLE + 4) == Some(b"DICM")
}

/// Name of the threads that decode.
const DICOM_THREAD: &str = "dissent-dicom";

/// The first frame. Grey values are those of the modality (rescale slope and intercept applied, PS3.3 C.11.1), moved so
/// that the darkest is 0 and MONOCHROME1 turned round so that larger is lighter; they come with the window that the file
/// asks for (PS3.3 C.11.2.1.2; a sigmoid function is taken as its straight middle), else with the whole range. 8-bit grey
/// without a window and colours come as they are. VOI lookup tables are not applied.
///
/// # Errors
/// Where the file is damaged, holds no pixels, or stores them in a way that is not read here.
pub(super) fn decode(bytes: &[u8]) -> Result<(DynamicImage, Option<ValueWindow>)> {
    // The run-length decoder indexes beyond damaged data: on a thread of its own a panic is an error of this file alone.
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name(DICOM_THREAD.into());
        let decoding = builder
            .spawn_scoped(scope, || {
                let _caught = crate::panics::caught_here();
                decode_frame(bytes)
            })
            .context("no thread to decode DICOM on")?;
        decoding.join().unwrap_or_else(|_| bail!("the DICOM file is damaged: its pixels do not fit its header"))
    })
}

fn decode_frame(bytes: &[u8]) -> Result<(DynamicImage, Option<ValueWindow>)> {
    let object = OpenFileOptions::new().from_reader(Cursor::new(bytes)).context("the DICOM file is damaged")?;
    let side = |name: &str| -> Result<u64> {
        let element = object.element_by_name(name).with_context(|| format!("the DICOM file has no {name}"))?;
        element.to_int::<u64>().with_context(|| format!("{name} of the DICOM file is no number"))
    };
    let (rows, columns) = (side("Rows")?, side("Columns")?);
    ensure!(
        rows > 0 && columns > 0 && rows.saturating_mul(columns) <= MOST_PIXELS,
        "expected a DICOM image of at most {MOST_PIXELS} pixels, found {columns} columns and {rows} rows"
    );
    let syntax = object.meta().transfer_syntax().trim_end_matches('\0').to_owned();
    let data = object
        .decode_pixel_data_frame(0)
        .with_context(|| format!("the pixels of the DICOM file cannot be decoded (transfer syntax {syntax})"))?;
    match data.photometric_interpretation() {
        PhotometricInterpretation::Monochrome1 => grey(&data, true),
        PhotometricInterpretation::Monochrome2 => grey(&data, false),
        PhotometricInterpretation::Rgb => Ok((colours(&data, |rgb| rgb)?, None)),
        PhotometricInterpretation::YbrFull | PhotometricInterpretation::YbrFull422 => {
            Ok((colours(&data, to_rgb)?, None))
        }
        other => bail!("expected a DICOM image in grey, RGB or YBR_FULL, found {}", other.as_str()),
    }
}

fn grey(data: &DecodedPixelData, darker_upward: bool) -> Result<(DynamicImage, Option<ValueWindow>)> {
    let (columns, rows) = (data.columns(), data.rows());
    let options =
        ConvertOptions::new().with_modality_lut(ModalityLutOption::Default).with_voi_lut(VoiLutOption::Identity);
    let values: Vec<f64> = data.to_vec_frame_with_options(0, &options).context("cannot read the DICOM pixels")?;
    let rescale = data.rescale().context("cannot read the DICOM rescale")?;
    let is_plain = rescale.iter().all(|rescale| rescale.slope == 1.0 && rescale.intercept == 0.0);
    let asked = window_of(data)?;
    let wrong_count = || format!("expected {columns}×{rows} DICOM pixels, found {}", values.len());
    if data.bits_stored() <= 8 && is_plain && asked.is_none() {
        let top = if data.bits_stored() == 8 { 255.0 } else { f64::from((1_u16 << data.bits_stored()) - 1) };
        let light = |value: &f64| (if darker_upward { top - value } else { *value } * 255.0 / top).round() as u8;
        let image = GrayImage::from_raw(columns, rows, values.iter().map(light).collect()).with_context(wrong_count)?;
        return Ok((DynamicImage::ImageLuma8(image), None));
    }
    let sign = if darker_upward { -1.0 } else { 1.0 };
    let (mut darkest, mut lightest) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in &values {
        darkest = darkest.min(sign * value);
        lightest = lightest.max(sign * value);
    }
    // Whole numbers within 16 bits stay as they are; others are spread over them.
    let is_whole = values.iter().all(|value| value.fract() == 0.0);
    let range = lightest - darkest;
    let scale =
        if range == 0.0 || (is_whole && range <= f64::from(u16::MAX)) { 1.0 } else { f64::from(u16::MAX) / range };
    let place = |value: f64| (sign * value - darkest) * scale;
    let pixels: Vec<u16> = values.iter().map(|value| place(*value).round() as u16).collect();
    let image: ImageBuffer<Luma<u16>, Vec<u16>> =
        ImageBuffer::from_raw(columns, rows, pixels).with_context(wrong_count)?;
    let window = match asked {
        Some((low, high)) => {
            let ends = (place(low), place(high));
            ValueWindow { low: ends.0.min(ends.1), high: ends.0.max(ends.1) }
        }
        None => ValueWindow { low: 0.0, high: range * scale },
    };
    Ok((DynamicImage::ImageLuma16(image), Some(window)))
}

/// The values of the modality between which the first window is linear.
fn window_of(data: &DecodedPixelData) -> Result<Option<(f64, f64)>> {
    let Some(window) = data.window().context("cannot read the DICOM window")?.and_then(|windows| windows.first())
    else {
        return Ok(None);
    };
    let function = data.voi_lut_function().context("cannot read the DICOM VOI function")?;
    let exact = function.is_some_and(|function| function.first() != Some(&VoiLutFunction::Linear));
    let (middle, width) = if exact { (window.center, window.width) } else { (window.center - 0.5, window.width - 1.0) };
    let half = width.max(1.0) / 2.0;
    Ok(Some((middle - half, middle + half)))
}

fn colours(data: &DecodedPixelData, convert: fn([u8; 3]) -> [u8; 3]) -> Result<DynamicImage> {
    let (columns, rows) = (data.columns(), data.rows());
    ensure!(
        data.bits_stored() == 8 && data.samples_per_pixel() == 3,
        "expected a colour DICOM image of 3 × 8 bits, found {} × {}",
        data.samples_per_pixel(),
        data.bits_stored()
    );
    let bytes = data.frame_data(0).context("cannot read the DICOM pixels")?;
    let is_planar = data.planar_configuration() as u16 == 1;
    let plane = bytes.len() / 3;
    let mut pixels = Vec::with_capacity(bytes.len());
    for pixel in 0..plane {
        let channel = |channel: usize| bytes[if is_planar { channel * plane + pixel } else { 3 * pixel + channel }];
        pixels.extend_from_slice(&convert([channel(0), channel(1), channel(2)]));
    }
    let image = RgbImage::from_raw(columns, rows, pixels)
        .with_context(|| format!("expected {columns}×{rows} DICOM pixels of 3 bytes, found {} bytes", bytes.len()))?;
    Ok(DynamicImage::ImageRgb8(image))
}

/// YBR_FULL to RGB (PS3.3 C.7.6.3.1.2, ITU-R BT.601).
fn to_rgb([y, blue, red]: [u8; 3]) -> [u8; 3] {
    let (y, blue, red) = (f64::from(y), f64::from(blue) - 128.0, f64::from(red) - 128.0);
    [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue]
        .map(|value| value.round().clamp(0.0, 255.0) as u8)
}
