//! Images as they are embedded in the page: as the models see them, shrunk, as a data URI.

use crate::data::Picture;
use crate::text::printable::message_of;
use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat};
use std::io::Cursor;
use std::path::Path;

/// JPEG quality of images that are shrunk: no artefact is seen at the size of the page.
const QUALITY: u8 = 90;
/// Images that need no shrinking stay lossless up to this size.
const MOST_LOSSLESS_BYTES: usize = 48 << 10;

/// Makes images small enough for a page.
pub(super) struct ImageEncoder {
    /// Longest side of a case's image.
    pub pixels: u32,
}

/// An image of the page.
pub(super) struct Embedded {
    /// `data:image/…`.
    pub uri: String,
    /// Width and height in the file, before it was shrunk.
    pub stored_size: (u32, u32),
}

impl ImageEncoder {
    /// The image of a case.
    ///
    /// # Errors
    /// Fails with the reason in one line if the file cannot be read.
    pub fn of_case(&self, path: &Path) -> Result<Embedded, String> {
        embed(path, self.pixels).map_err(|error| message_of(&error))
    }

    /// The image of a document, at half the size.
    ///
    /// # Errors
    /// Fails as [`Self::of_case`] does.
    pub fn of_document(&self, path: &Path) -> Result<Embedded, String> {
        embed(path, self.pixels.div_ceil(2)).map_err(|error| message_of(&error))
    }
}

fn embed(path: &Path, longest: u32) -> Result<Embedded> {
    let picture = Picture::read(path)?;
    let stored_size = (picture.width(), picture.height());
    let seen = picture.as_models_see();
    if stored_size.0.max(stored_size.1) <= longest {
        let mut bytes = Vec::new();
        seen.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).context("cannot encode the image")?;
        if bytes.len() <= MOST_LOSSLESS_BYTES {
            return Ok(Embedded { uri: data_uri("png", &bytes), stored_size });
        }
    }
    let (width, height) = (stored_size.0.min(longest), stored_size.1.min(longest));
    let seen = if (width, height) == stored_size { seen } else { seen.resize(width, height, FilterType::CatmullRom) };
    let mut bytes = Vec::new();
    without_alpha(seen)
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))
        .context("cannot encode the image")?;
    Ok(Embedded { uri: data_uri("jpeg", &bytes), stored_size })
}

/// JPEG has neither an alpha channel nor 16 bits.
fn without_alpha(image: DynamicImage) -> DynamicImage {
    match image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) => image,
        other => DynamicImage::ImageRgb8(other.to_rgb8()),
    }
}

fn data_uri(format: &str, bytes: &[u8]) -> String {
    format!("data:image/{format};base64,{}", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma};

    #[test]
    fn large_images_are_shrunk_and_small_ones_stay_lossless() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        GrayImage::from_fn(600, 300, |x, y| Luma([(x * y) as u8])).save(&path).unwrap();
        let decoded = |embedded: &Embedded| {
            let (start, data) = embedded.uri.split_once(";base64,").unwrap();
            let image = image::load_from_memory(&STANDARD.decode(data).unwrap()).unwrap();
            (start.to_owned(), image.width(), image.height(), image)
        };
        let encoder = ImageEncoder { pixels: 100 };
        let large = encoder.of_case(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(large.stored_size, (600, 300));
        let (start, width, height, _) = decoded(&large);
        assert_eq!((start.as_str(), width, height), ("data:image/jpeg", 100, 50));
        assert_eq!(decoded(&encoder.of_document(&path).unwrap_or_else(|error| panic!("{error}"))).1, 50);

        let small = GrayImage::from_fn(40, 30, |x, y| Luma([(x * y) as u8]));
        small.save(&path).unwrap();
        let (start, .., image) = decoded(&encoder.of_case(&path).unwrap_or_else(|error| panic!("{error}")));
        assert_eq!((start.as_str(), image.to_luma8()), ("data:image/png", small));
        assert!(encoder.of_case(&folder.path().join("b.png")).is_err());
    }
}
