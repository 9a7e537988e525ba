//! A decoded image with the fingerprint of its file.

use super::dicom;
use crate::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
use image::{DynamicImage, GrayImage, ImageBuffer, ImageError, ImageFormat, ImageReader, Luma, RgbImage};
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// What an image file may be, for messages.
const FORMATS: &str = "PNG, JPEG or DICOM";

/// The values of an image that become black and white; what lies between is linear.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueWindow {
    pub low: f64,
    pub high: f64,
}

impl ValueWindow {
    /// Grey values of 8 bit through the window; the depth of `image` is kept until here.
    pub fn apply(&self, image: &DynamicImage) -> GrayImage {
        let deep = image.to_luma16();
        let width = (self.high - self.low).max(1.0);
        ImageBuffer::from_fn(deep.width(), deep.height(), |x, y| {
            let value = (f64::from(deep.get_pixel(x, y).0[0]) - self.low) / width;
            Luma([(value.clamp(0.0, 1.0) * 255.0).round() as u8])
        })
    }
}

/// An image as decoded: depth (8 or 16 bit) and channels are kept until a consumer asks for less.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Where it was read from, for messages.
    pub path: PathBuf,
    /// Of the file's bytes; vision features are cached under it.
    pub fingerprint: Fingerprint,
    pub image: DynamicImage,
    /// The light in which the file itself wants to be seen (a DICOM window), in values of `image`; `None` for other files.
    pub window: Option<ValueWindow>,
}

impl Picture {
    /// Reads a PNG or JPEG file (1 to 16 bit, grey, colour or palette, with or without alpha) or the first frame of a DICOM
    /// file.
    ///
    /// # Errors
    /// Names the path and what was expected if the file is missing, no regular file, of another format or cut short.
    pub fn read(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path)
            .with_context(|| format!("cannot read image {}: expected a {FORMATS} file", path.display()))?;
        if !metadata.is_file() {
            bail!("cannot read image {}: expected a {FORMATS} file, found a folder or device", path.display());
        }
        let bytes = std::fs::read(path).with_context(|| format!("cannot read image {}", path.display()))?;
        Self::decode(path, &bytes)
    }

    /// Decodes bytes as [`Picture::read`] does; `path` is for messages.
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            bail!("{}: expected a {FORMATS} image, found an empty file", path.display());
        }
        if dicom::is_dicom(bytes) {
            let (image, window) = dicom::decode(bytes).with_context(|| path.display().to_string())?;
            return Ok(Self { path: path.into(), fingerprint: Fingerprint::of_bytes(bytes), image, window });
        }
        let Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) = image::guess_format(bytes) else {
            let start = bytes[..bytes.len().min(8)].escape_ascii();
            bail!("{}: expected a {FORMATS} image, found other content ({start}…)", path.display());
        };
        // The JPEG decoder fills what is missing with grey and says nothing.
        if format == ImageFormat::Jpeg && !super::jpeg_end::has_end(bytes) {
            bail!(
                "{}: the JPEG file is cut short: expected its end marker within {} bytes",
                path.display(),
                bytes.len()
            );
        }
        let image = ImageReader::with_format(Cursor::new(bytes), format).decode().map_err(|error| {
            let cut_short =
                matches!(&error, ImageError::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof);
            let what = if cut_short { "is cut short" } else { "cannot be decoded" };
            anyhow::anyhow!("{}: the {} file {what}: {error}", path.display(), name_of(format))
        })?;
        Ok(Self { path: path.into(), fingerprint: Fingerprint::of_bytes(bytes), image, window: None })
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.image.width()
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.image.height()
    }

    /// Three channels of 8 bit: 16 bit is scaled (65535 becomes 255, rounded to nearest) or goes through the file's own
    /// window, grey replicated, alpha laid over black.
    pub fn to_rgb8(&self) -> RgbImage {
        if let Some(window) = &self.window {
            return DynamicImage::ImageLuma8(window.apply(&self.image)).to_rgb8();
        }
        if !self.image.color().has_alpha() {
            return self.image.to_rgb8();
        }
        // In 16 bit, so that a 16-bit image is rounded once.
        let source = self.image.to_rgba16();
        let mut target = RgbImage::new(source.width(), source.height());
        for (from, to) in source.pixels().zip(target.pixels_mut()) {
            let alpha = u64::from(from.0[3]);
            for channel in 0..3 {
                let value = u64::from(from.0[channel]) * alpha;
                // value is at most 65535², which becomes 255.
                to.0[channel] = ((value + 65535 * 257 / 2) / (65535 * 257)) as u8;
            }
        }
        target
    }
}

fn name_of(format: ImageFormat) -> &'static str {
    if format == ImageFormat::Png { "PNG" } else { "JPEG" }
}
