//! Pictures to what the image tower of a family takes.

use super::{ImageProcessor, PatchProcessor, Pixels};
use candle_core::Result;
use image::RgbImage;

/// How a checkpoint prepares pictures.
#[derive(Clone, Debug)]
pub enum PictureProcessor {
    /// All of one size.
    OneSize(ImageProcessor),
    /// Each in its own proportions.
    InPatches(PatchProcessor),
}

impl PictureProcessor {
    /// `pictures`, on the CPU in f32.
    ///
    /// # Errors
    /// No picture, an empty one; one of a size that the tower does not take, where pictures are not resized.
    pub fn pixels(&self, pictures: &[&RgbImage]) -> Result<Pixels> {
        match self {
            Self::OneSize(processor) => Ok(Pixels::whole(processor.pixels(pictures)?)),
            Self::InPatches(processor) => processor.pixels(pictures),
        }
    }

    /// The same of pictures that [`Self::resized`] made.
    ///
    /// # Errors
    /// As above.
    pub fn pixels_of_resized(&self, pictures: &[&RgbImage]) -> Result<Pixels> {
        match self {
            Self::OneSize(processor) => Ok(Pixels::whole(processor.pixels_of_resized(pictures)?)),
            Self::InPatches(processor) => processor.pixels_of_resized(pictures),
        }
    }

    /// Most pictures in one forward pass.
    pub fn pictures_per_batch(&self) -> usize {
        match self {
            Self::OneSize(_) => 64,
            Self::InPatches(processor) => processor.pictures_per_batch(),
        }
    }

    /// The picture at the size that the model sees. Doing it twice may change it again.
    pub fn resized(&self, picture: &RgbImage) -> RgbImage {
        match self {
            Self::OneSize(processor) => processor.resized(picture),
            Self::InPatches(processor) => processor.resized(picture),
        }
    }
}
