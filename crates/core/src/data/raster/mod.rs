//! GIF, BMP, TIFF and WebP: the first frame or page, decoded by libraries within our limits.

mod gif;
mod tiff;
mod tiff_directory;
mod tiff_pixels;
mod webp;

use super::picture_limits::{MOST_BYTES, check_size};
use super::remark::PictureRemark;
use crate::panics::caught;
use anyhow::{Context, Result, bail, ensure};
use image::codecs::bmp::BmpDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, Limits};
use std::io::Cursor;

/// Maximum difference of the sides of a pixel that counts as square, as a part of the longer one.
const OBLONG: f64 = 0.01;

/// One of the formats of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RasterFormat {
    Gif,
    Bmp,
    Tiff,
    WebP,
}

/// A decoded picture, before its orientation is applied.
pub(super) struct Raster {
    pub image: DynamicImage,
    pub orientation: Orientation,
    pub remarks: Vec<PictureRemark>,
}

impl RasterFormat {
    /// The format of a file that begins with these bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match image::guess_format(bytes) {
            Ok(ImageFormat::Gif) => Some(Self::Gif),
            Ok(ImageFormat::Bmp) => Some(Self::Bmp),
            Ok(ImageFormat::Tiff) => Some(Self::Tiff),
            Ok(ImageFormat::WebP) => Some(Self::WebP),
            _ => tiff_directory::is_tiff(bytes).then_some(Self::Tiff),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::WebP => "WebP",
        }
    }

    /// Decodes the first frame or page.
    ///
    /// # Errors
    /// Fails if the file is cut short, damaged, too large or of a kind that is not supported.
    pub fn decode(self, bytes: &[u8]) -> Result<Raster> {
        // The libraries may panic on damaged files.
        let decoded = caught(|| match self {
            Self::Gif => gif::decode(bytes),
            Self::Bmp => bmp(bytes),
            Self::Tiff => tiff::decode(bytes),
            Self::WebP => webp::decode(bytes),
        });
        let failed = || bail!("the {} file is damaged: the decoder failed", self.name());
        decoded.unwrap_or_else(|_| failed())
    }
}

fn bmp(bytes: &[u8]) -> Result<Raster> {
    let failed = "the BMP file is cut short, damaged or of a kind that is not supported";
    let image = pixels(BmpDecoder::new(Cursor::new(bytes)).context(failed)?).context(failed)?;
    // Pixels per metre in both directions, in all headers but the oldest.
    let long =
        |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).map(|four| i32::from_le_bytes(*four));
    let is_oblong = long(14).is_some_and(|length| length >= 40)
        && are_oblong(f64::from(long(38).unwrap_or(0)), f64::from(long(42).unwrap_or(0)));
    let remarks = is_oblong.then_some(PictureRemark::OblongPixels).into_iter().collect();
    Ok(Raster { image, orientation: Orientation::NoTransforms, remarks })
}

/// Checks the size, then decodes.
fn pixels(mut decoder: impl ImageDecoder) -> Result<DynamicImage> {
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    ensure!(decoder.total_bytes() <= MOST_BYTES, "the picture takes more than {MOST_BYTES} bytes");
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    decoder.set_limits(limits)?;
    Ok(DynamicImage::from_decoder(decoder)?)
}

/// Whether two resolutions differ; 0 is none.
fn are_oblong(across: f64, down: f64) -> bool {
    across > 0.0 && down > 0.0 && (across - down).abs() > OBLONG * across.max(down)
}

/// Whether an ICC profile is another than sRGB; its description names it, in ASCII or UTF-16.
fn is_other_profile(profile: &[u8]) -> bool {
    let letters: Vec<u8> = profile.iter().copied().filter(|byte| *byte != 0).collect();
    !profile.is_empty() && !letters.windows(4).any(|part| part == b"sRGB")
}
