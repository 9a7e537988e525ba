//! Splitting images into patches at their own aspect ratio, as `Siglip2ImageProcessorPil` of transformers.
//! (`Siglip2ImageProcessor` resizes with torchvision, which differs by one grey level in some pixels.)

use super::image_processor::ImageProcessor;
use super::pixels::{PatchGrid, Pixels};
use crate::model::checkpoint::{CheckpointError, image_processor_json, refuse_other_steps, typed};
use candle_core::{Device, Result, Tensor};
use image::RgbImage;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// Precision of the bisection for the scale, and the largest scale, as in transformers.
const SCALE_STEP: f64 = 1e-5;
const LARGEST_SCALE: f64 = 100.0;

/// The largest `max_num_patches`; attention is quadratic in it.
const MOST_PATCHES: usize = 1 << 12;

/// Patches in one forward pass: 64 images with the 256 patches of published models.
const PATCHES_PER_BATCH: usize = 64 * 256;

/// The settings in `preprocessor_config.json`.
#[derive(Clone, Debug)]
pub struct PatchProcessor {
    /// Resampling filter, mean and standard deviation.
    images: ImageProcessor,
    sizes: PatchSizes,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
struct PatchSizes {
    /// Side of a square patch in pixels.
    patch_size: u32,
    /// Each image is resized to the largest size with at most this number of patches.
    max_num_patches: usize,
}

impl Default for PatchSizes {
    fn default() -> Self {
        Self { patch_size: 16, max_num_patches: 256 }
    }
}

impl PatchProcessor {
    /// Reads the settings in `folder`, for a tower with patches of `patch_size` pixels.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or has another patch size.
    pub fn read(folder: &Path, patch_size: usize) -> std::result::Result<Self, CheckpointError> {
        let images = ImageProcessor::read(folder, &ImageProcessor::in_patches())?;
        let (file, mut value) = image_processor_json(folder)?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        refuse_other_steps(&value, &["do_resize", "do_rescale", "do_normalize"]).map_err(bad)?;
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|_, value| *value != Value::Null);
        }
        let sizes: PatchSizes = typed(value).map_err(bad)?;
        if sizes.patch_size as usize != patch_size {
            let found = sizes.patch_size;
            return Err(bad(format!(
                "field patch_size: expected {patch_size} (vision_config of config.json), found {found}"
            )));
        }
        if !(1..=MOST_PATCHES).contains(&sizes.max_num_patches) {
            let found = sizes.max_num_patches;
            return Err(bad(format!("expected max_num_patches from 1 to {MOST_PATCHES}, found {found}")));
        }
        Ok(Self { images, sizes })
    }

    /// Preprocesses `pictures` to at most `max_num_patches` patches each, padded with zeros; f32 on the CPU.
    ///
    /// # Errors
    /// Fails if there are no pictures or one has no pixels and, if resizing is disabled, if one does not consist of whole
    /// patches or has too many.
    pub fn pixels(&self, pictures: &[&RgbImage]) -> Result<Pixels> {
        let resized: Vec<RgbImage> = pictures.iter().map(|picture| self.resized(picture)).collect();
        self.pixels_of_resized(&resized.iter().collect::<Vec<_>>())
    }

    /// [`Self::pixels`] of pictures that have been resized by [`Self::resized`].
    ///
    /// # Errors
    /// Fails if there are no pictures, or one does not consist of whole patches or has too many.
    pub fn pixels_of_resized(&self, pictures: &[&RgbImage]) -> Result<Pixels> {
        if pictures.is_empty() {
            candle_core::bail!("expected at least one picture to encode, found none");
        }
        let (side, most) = (self.sizes.patch_size as usize, self.sizes.max_num_patches);
        let length = 3 * side * side;
        let mut values = vec![0.0_f32; pictures.len() * most * length];
        let mut grids = Vec::with_capacity(pictures.len());
        for (picture, values) in pictures.iter().zip(values.chunks_mut(most * length)) {
            let grid = self.grid_of(picture)?;
            for (patch, values) in values.chunks_mut(length).take(grid.count()).enumerate() {
                let (top, left) = (patch / grid.columns * side, patch % grid.columns * side);
                for (place, value) in values.iter_mut().enumerate() {
                    let (pixel, channel) = (place / 3, place % 3);
                    let (x, y) = (left + pixel % side, top + pixel / side);
                    *value = self.images.value(channel, picture.get_pixel(x as u32, y as u32).0[channel]);
                }
            }
            grids.push(grid);
        }
        let values = Tensor::from_vec(values, (pictures.len(), most, length), &Device::Cpu)?;
        Ok(Pixels::in_patches(values, grids))
    }

    /// Maximum number of pictures in one forward pass, at most 64.
    pub fn pictures_per_batch(&self) -> usize {
        (PATCHES_PER_BATCH / self.sizes.max_num_patches).clamp(1, 64)
    }

    /// Resizes a picture. Not idempotent if the scale is limited: for 1024 patches of 16×16 pixels, 6×4 becomes 608×400, and
    /// that 624×416.
    pub fn resized(&self, picture: &RgbImage) -> RgbImage {
        let (width, height) = picture.dimensions();
        if width == 0 || height == 0 || !self.images.does_resize() {
            return picture.clone();
        }
        let (width, height) = self.sizes.fitting(width, height);
        self.images.resized_to(picture, width, height)
    }

    fn grid_of(&self, picture: &RgbImage) -> Result<PatchGrid> {
        let (width, height) = picture.dimensions();
        let (side, most) = (self.sizes.patch_size, self.sizes.max_num_patches);
        let grid = PatchGrid { rows: (height / side) as usize, columns: (width / side) as usize };
        if !width.is_multiple_of(side) || !height.is_multiple_of(side) || !(1..=most).contains(&grid.count()) {
            candle_core::bail!(
                "expected 1 to {most} whole patches of {side}×{side} pixels, found a picture of {width}×{height}"
            );
        }
        Ok(grid)
    }
}

impl PatchSizes {
    /// (width, height) in whole patches, rounded up: the largest size with this aspect ratio and at most `max_num_patches`
    /// (`get_image_size_for_max_num_patches`, with the same bisection).
    fn fitting(self, width: u32, height: u32) -> (u32, u32) {
        let patch = f64::from(self.patch_size);
        let patches = |scale: f64, side: u32| (f64::from(side) * scale / patch).ceil().max(1.0);
        let (mut smallest, mut largest) = (SCALE_STEP / 10.0, LARGEST_SCALE);
        while largest - smallest >= SCALE_STEP {
            let scale = f64::midpoint(smallest, largest);
            if patches(scale, width) * patches(scale, height) <= self.max_num_patches as f64 {
                smallest = scale;
            } else {
                largest = scale;
            }
        }
        let side = |side: u32| patches(smallest, side) as u32 * self.patch_size;
        (side(width), side(height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processor(patch_size: u32, max_num_patches: usize) -> PatchProcessor {
        PatchProcessor { images: ImageProcessor::in_patches(), sizes: PatchSizes { patch_size, max_num_patches } }
    }

    #[test]
    fn all_pictures_of_a_batch_have_the_same_number_of_patches() {
        for (most, pictures) in [(1, 64), (20, 64), (256, 64), (257, 63), (1024, 16), (MOST_PATCHES, 4)] {
            assert_eq!(processor(16, most).pictures_per_batch(), pictures, "{most}");
        }
    }

    #[test]
    fn a_small_picture_is_resized_once() {
        let processor = processor(16, 1024);
        let picture = RgbImage::from_fn(6, 4, |x, y| image::Rgb([40 * x as u8, 60 * y as u8, 9]));
        let resized = processor.resized(&picture);
        assert_eq!(resized.dimensions(), (608, 400));
        assert_eq!(processor.resized(&resized).dimensions(), (624, 416), "twice");
        let (whole, parts) =
            (processor.pixels(&[&picture]).unwrap(), processor.pixels_of_resized(&[&resized]).unwrap());
        assert_eq!(whole.as_patches().unwrap().1, [PatchGrid { rows: 25, columns: 38 }]);
        assert_eq!(whole.as_patches().unwrap().1, parts.as_patches().unwrap().1);
        let values = |pixels: &Pixels| pixels.values().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(&whole), values(&parts));
    }

    /// Against `get_image_size_for_max_num_patches` of transformers: (width, height, patch size, max patches) to
    /// (width, height).
    #[test]
    fn sizes_match_transformers() {
        for [width, height, patch_size, most, expected_width, expected_height] in [
            [640, 480, 16, 256, 288, 224],
            [480, 640, 16, 256, 224, 288],
            [224, 224, 16, 256, 256, 256],
            [1000, 10, 16, 256, 2048, 32],
            [3, 7, 16, 256, 160, 384],
            [57, 43, 6, 20, 30, 24],
            [30, 71, 6, 20, 18, 36],
            [4000, 3001, 14, 1024, 504, 392],
            [10_000, 1, 16, 64, 1024, 16],
        ] {
            let sizes = PatchSizes { patch_size, max_num_patches: most as usize };
            let expected = (expected_width, expected_height);
            assert_eq!(sizes.fitting(width, height), expected, "{width}×{height}");
            assert_eq!(sizes.fitting(expected_width, expected_height), expected, "{width}×{height}, twice");
        }
    }
}
