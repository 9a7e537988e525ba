//! `CLIPImageProcessor`, and `LlavaImageProcessor`, which may pad images to a square first.

use crate::model::checkpoint::{CheckpointError, image_processor_json};
use crate::model::dual_encoder::ImageProcessor;
use candle_core::{Result, Tensor};
use image::{Rgb, RgbImage};
use std::path::Path;

/// The settings of the image processor.
#[derive(Clone, Debug)]
pub(super) struct LlavaImageProcessor {
    inner: ImageProcessor,
    /// The colour that fills up a square (`do_pad`): the mean of the normalisation.
    padding: Option<Rgb<u8>>,
}

impl LlavaImageProcessor {
    /// Reads the settings for a tower with inputs of `side` × `side` pixels.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, a field is out of range, or pictures become another size.
    pub fn read(folder: &Path, side: usize) -> std::result::Result<Self, CheckpointError> {
        let (file, settings) = image_processor_json(folder)?;
        // Only this processor pads; in others the field is refused.
        let name = settings["image_processor_type"].as_str().unwrap_or_default();
        let pads = name.starts_with("LlavaImageProcessor") && settings["do_pad"] == true;
        let steps: &[&str] = if pads { &["do_pad"] } else { &[] };
        let inner = ImageProcessor::read_with_steps(folder, &ImageProcessor::clip(224), steps)?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        inner.check_side(side).map_err(bad)?;
        if !inner.has_one_size() {
            return Err(bad(
                "expected do_center_crop, or do_resize to a height and a width: the tower takes squares".into()
            ));
        }
        let padding = pads.then(|| Rgb(inner.mean_colour()));
        Ok(Self { inner, padding })
    }

    /// The picture at the size that the tower takes.
    pub fn resized(&self, picture: &RgbImage) -> RgbImage {
        match self.padding {
            None => self.inner.resized(picture),
            Some(colour) => self.inner.resized(&padded_to_square(picture, colour)),
        }
    }

    /// Pixels `[3, side, side]` of a picture that has been resized.
    pub fn pixels(&self, resized: &RgbImage) -> Result<Tensor> {
        self.inner.pixels_of_resized(&[resized])?.squeeze(0)
    }
}

fn padded_to_square(picture: &RgbImage, colour: Rgb<u8>) -> RgbImage {
    let (width, height) = picture.dimensions();
    let side = width.max(height);
    let mut square = RgbImage::from_pixel(side, side, colour);
    let (left, top) = ((side - width) / 2, (side - height) / 2);
    image::imageops::replace(&mut square, picture, i64::from(left), i64::from(top));
    square
}
