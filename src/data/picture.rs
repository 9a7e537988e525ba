//! A decoded image with the fingerprint of its file.

use crate::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
use image::{DynamicImage, ImageError, ImageFormat, ImageReader, RgbImage};
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// An image as decoded: depth (8 or 16 bit) and channels are kept until a consumer asks for less.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Where it was read from, for messages.
    pub path: PathBuf,
    /// Of the file's bytes; vision features are cached under it.
    pub fingerprint: Fingerprint,
    pub image: DynamicImage,
}

impl Picture {
    /// Reads a PNG or JPEG file: 1 to 16 bit, grey, colour or palette, with or without alpha.
    ///
    /// # Errors
    /// Names the path and what was expected if the file is missing, no regular file, of another format or cut short.
    pub fn read(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path)
            .with_context(|| format!("cannot read image {}: expected a PNG or JPEG file", path.display()))?;
        if !metadata.is_file() {
            bail!("cannot read image {}: expected a PNG or JPEG file, found a folder or device", path.display());
        }
        let bytes = std::fs::read(path).with_context(|| format!("cannot read image {}", path.display()))?;
        Self::decode(path, &bytes)
    }

    /// Decodes bytes as [`Picture::read`] does; `path` is for messages.
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            bail!("{}: expected a PNG or JPEG image, found an empty file", path.display());
        }
        let Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) = image::guess_format(bytes) else {
            let start = bytes[..bytes.len().min(8)].escape_ascii();
            bail!("{}: expected a PNG or JPEG image, found other content ({start}…)", path.display());
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
        Ok(Self { path: path.into(), fingerprint: Fingerprint::of_bytes(bytes), image })
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.image.width()
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.image.height()
    }

    /// Three channels of 8 bit: 16 bit is scaled (65535 becomes 255, rounded to nearest), grey replicated, alpha laid
    /// over black.
    pub fn to_rgb8(&self) -> RgbImage {
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
