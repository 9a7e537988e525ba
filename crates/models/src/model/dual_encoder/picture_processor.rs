//! The image processor of any family.

use super::{ImageProcessor, PatchProcessor, Pixels};
use candle_core::Result;
use image::RgbImage;

/// The image processor of a checkpoint.
#[derive(Clone, Debug)]
pub enum PictureProcessor {
    /// All images are resized to the same size.
    FixedSize(ImageProcessor),
    /// Each image keeps its aspect ratio and is split into patches.
    Patches(PatchProcessor),
}

impl PictureProcessor {
    /// Preprocesses `pictures`; f32 on the CPU.
    ///
    /// # Errors
    /// Fails if there are no pictures or one has no pixels and, if resizing is disabled, if one has an unsupported size.
    pub fn pixels(&self, pictures: &[&RgbImage]) -> Result<Pixels> {
        match self {
            Self::FixedSize(processor) => Ok(Pixels::whole(processor.pixels(pictures)?)),
            Self::Patches(processor) => processor.pixels(pictures),
        }
    }

    /// [`Self::pixels`] of pictures that have been resized by [`Self::resized`].
    ///
    /// # Errors
    /// Fails as [`Self::pixels`] does.
    pub fn pixels_of_resized(&self, pictures: &[&RgbImage]) -> Result<Pixels> {
        match self {
            Self::FixedSize(processor) => Ok(Pixels::whole(processor.pixels_of_resized(pictures)?)),
            Self::Patches(processor) => processor.pixels_of_resized(pictures),
        }
    }

    /// Maximum number of pictures in one forward pass.
    pub fn pictures_per_batch(&self) -> usize {
        match self {
            Self::FixedSize(_) => 64,
            Self::Patches(processor) => processor.pictures_per_batch(),
        }
    }

    /// Resizes a picture to the size that the model sees. Not always idempotent.
    pub fn resized(&self, picture: &RgbImage) -> RgbImage {
        match self {
            Self::FixedSize(processor) => processor.resized(picture),
            Self::Patches(processor) => processor.resized(picture),
        }
    }
}
