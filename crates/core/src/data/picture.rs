//! A decoded image with the fingerprint of its file, and the conversion from stored values to what people and models see
//! (docs/reference/pictures.md).

#[cfg(feature = "dicom")]
use super::dicom;
use super::dicom_start::is_dicom;
use super::jpeg_file::{self, JpegHeader};
use super::picture_limits::MOST_BYTES;
use super::png_file::{self, PngHeader};
use super::raster::{Raster, RasterFormat};
use super::value_window::ValueWindow;
use super::{PictureRemark, value_range};
use crate::files::archive_member;
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer, ImageFormat, RgbImage};
use std::path::{Path, PathBuf};

/// The supported formats, for messages.
#[cfg(feature = "dicom")]
const FORMATS: &str = "PNG, JPEG, GIF, BMP, TIFF, WebP or DICOM";
#[cfg(not(feature = "dicom"))]
const FORMATS: &str = "PNG, JPEG, GIF, BMP, TIFF or WebP";

/// Increased when the pixels of a 16-bit, DICOM, GIF, BMP, TIFF, WebP or EXIF-rotated file would change; it is part of
/// their fingerprint. Other files are read value by value, which never changes; their fingerprint depends only on their bytes.
pub const CONVERSION_VERSION: &str = "pixels 3";

/// A decoded image, which keeps its depth (8 or 16 bit) and channels.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The path of the file, for messages.
    pub path: PathBuf,
    /// [`Picture::fingerprint_of`] the file; the key of cached vision features.
    pub fingerprint: Fingerprint,
    pub image: DynamicImage,
    /// The display window of a 16-bit image, in values of `image`; `None` for 8 bits, which stay unchanged.
    pub window: Option<ValueWindow>,
}

impl Picture {
    /// Reads a PNG or JPEG file (1 to 16 bit, grey, colour or palette, with or without alpha) or the first frame or page of
    /// a GIF, BMP, TIFF, WebP or DICOM file. The path may lead into a container ([`archive_member`]).
    ///
    /// # Errors
    /// Fails if the file is missing, not a regular file, too large, of another format or cut
    /// short.
    pub fn read(path: &Path) -> Result<Self> {
        Self::decode(path, &Self::read_bytes(path)?)
    }

    /// Like [`Picture::read`], with remarks for the file's owner.
    pub fn read_with_remarks(path: &Path) -> Result<(Self, Vec<PictureRemark>)> {
        Self::decode_with_remarks(path, &Self::read_bytes(path)?)
    }

    /// The bytes of a picture file, which must be regular and not too long, or of a member of a container (see
    /// [`archive_member`]).
    pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
        archive_member::read(path, MOST_BYTES)
            .with_context(|| format!("cannot read image {}: expected a {FORMATS} file", path.display()))
    }

    /// Decodes bytes like [`Picture::read`]; `path` is for messages.
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Self> {
        Ok(decode(path, bytes)?.0)
    }

    /// Like [`Picture::decode`], with remarks for the file's owner.
    pub fn decode_with_remarks(path: &Path, bytes: &[u8]) -> Result<(Self, Vec<PictureRemark>)> {
        let (picture, mut remarks) = decode(path, bytes)?;
        remarks.extend(value_range::remark(&picture.image, picture.window));
        Ok((picture, remarks))
    }

    /// Identifies the pixels that models see: hashes the file's bytes, and [`CONVERSION_VERSION`] if they are converted.
    /// Reads only the header to decide.
    pub fn fingerprint_of(bytes: &[u8]) -> Fingerprint {
        let content = Fingerprint::of_bytes(bytes);
        let is_converted = match format_of(bytes) {
            Some(Format::Dicom | Format::Raster(_)) => true,
            Some(Format::Png) => {
                let header = PngHeader::read(bytes);
                header.is_deep || header.orientation != Orientation::NoTransforms
            }
            Some(Format::Jpeg) => JpegHeader::read(bytes).orientation != Orientation::NoTransforms,
            None => false,
        };
        if is_converted { Fingerprint::of_parts([CONVERSION_VERSION, content.as_str()]) } else { content }
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.image.width()
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.image.height()
    }

    /// Pixels as the models see them: three channels of 8 bit. 16-bit values pass the window (without one, 65535
    /// becomes 255, rounded to nearest), grey is replicated, alpha laid over black.
    pub fn to_rgb8(&self) -> RgbImage {
        let is_deep = self.image.color().bytes_per_pixel() / self.image.color().channel_count() > 1;
        if !self.image.color().has_alpha() && !is_deep && self.window.is_none() {
            return self.image.to_rgb8();
        }
        let window = self.window.unwrap_or(ValueWindow { low: 0.0, high: 65535.0 });
        if !self.image.color().has_alpha() {
            if !self.image.color().has_color() {
                return DynamicImage::ImageLuma8(window.apply(&self.image)).to_rgb8();
            }
            let source = self.image.to_rgb16();
            return ImageBuffer::from_fn(source.width(), source.height(), |x, y| {
                image::Rgb(source.get_pixel(x, y).0.map(|value| window.light(value)))
            });
        }
        // Computed in 16 bit, so that a 16-bit image is rounded once.
        let source = self.image.to_rgba16();
        let width = (window.high - window.low).max(1.0);
        ImageBuffer::from_fn(source.width(), source.height(), |x, y| {
            let [red, green, blue, alpha] = source.get_pixel(x, y).0;
            image::Rgb([red, green, blue].map(|value| {
                let light = ((f64::from(value) - window.low) / width).clamp(0.0, 1.0);
                (light * f64::from(alpha) / 65535.0 * 255.0).round() as u8
            }))
        })
    }

    /// Pixels as the models see them, in one channel if the image is grey. The screen shows this unless the user
    /// changes the window.
    pub fn as_models_see(&self) -> DynamicImage {
        match &self.image {
            DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) if self.window.is_none() => self.image.clone(),
            image if image.color().has_color() => DynamicImage::ImageRgb8(self.to_rgb8()),
            _ => DynamicImage::ImageLuma8(DynamicImage::ImageRgb8(self.to_rgb8()).to_luma8()),
        }
    }
}

#[derive(Clone, Copy)]
enum Format {
    Png,
    Jpeg,
    Dicom,
    Raster(RasterFormat),
}

fn format_of(bytes: &[u8]) -> Option<Format> {
    match image::guess_format(bytes) {
        _ if is_dicom(bytes) => Some(Format::Dicom),
        Ok(ImageFormat::Png) => Some(Format::Png),
        Ok(ImageFormat::Jpeg) => Some(Format::Jpeg),
        _ => RasterFormat::of(bytes).map(Format::Raster),
    }
}

fn decode(path: &Path, bytes: &[u8]) -> Result<(Picture, Vec<PictureRemark>)> {
    if bytes.is_empty() {
        bail!("{}: expected a {FORMATS} image, found an empty file", path.display());
    }
    let Some(format) = format_of(bytes) else {
        let start = bytes[..bytes.len().min(8)].escape_ascii();
        bail!("{}: expected a {FORMATS} image, found other content ({start}…)", path.display());
    };
    let (mut image, window, mut remarks, orientation) = match format {
        #[cfg(not(feature = "dicom"))]
        Format::Dicom => {
            bail!("{}: expected a {FORMATS} image, found DICOM, which this build cannot decode", path.display())
        }
        #[cfg(feature = "dicom")]
        Format::Dicom => {
            let (image, window, remarks) = dicom::decode(bytes).with_context(|| path.display().to_string())?;
            (image, window, remarks, Orientation::NoTransforms)
        }
        Format::Png => {
            let header = PngHeader::read(bytes);
            let image = png_file::decode(bytes, &header).with_context(|| path.display().to_string())?;
            let (window, stretched) = value_range::window(&image);
            let mut remarks: Vec<_> = stretched.into_iter().collect();
            remarks.extend((header.frames > 1).then_some(PictureRemark::FirstOfFrames(header.frames)));
            remarks.extend(header.other_colours.then_some(PictureRemark::ColourProfile));
            remarks.extend(header.has_oblong_pixels.then_some(PictureRemark::OblongPixels));
            (image, window, remarks, header.orientation)
        }
        Format::Jpeg => {
            let header = JpegHeader::read(bytes);
            let image = jpeg_file::decode(bytes, &header).with_context(|| path.display().to_string())?;
            let mut remarks: Vec<_> =
                header.other_colours.then_some(PictureRemark::ColourProfile).into_iter().collect();
            remarks.extend(header.lacks_scans().then_some(PictureRemark::LacksScans));
            (image, None, remarks, header.orientation)
        }
        Format::Raster(format) => {
            let Raster { image, orientation, mut remarks } =
                format.decode(bytes).with_context(|| path.display().to_string())?;
            let (window, stretched) = value_range::window(&image);
            remarks.extend(stretched);
            (image, window, remarks, orientation)
        }
    };
    if orientation != Orientation::NoTransforms {
        image.apply_orientation(orientation);
        remarks.push(PictureRemark::Turned(orientation));
    }
    let fingerprint = Picture::fingerprint_of(bytes);
    Ok((Picture { path: path.into(), fingerprint, image, window }, remarks))
}
