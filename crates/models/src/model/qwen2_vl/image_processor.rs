//! `Qwen2VLImageProcessor`: resizes to a range of pixel counts and keeps the aspect ratio; patches are ordered by the group
//! in which they are merged.

use crate::model::checkpoint::{CheckpointError, image_processor_json, refuse_other_steps, typed};
use crate::model::limits::check_scaling;
use crate::model::pillow_resize::resize_bicubic;
use crate::model::vlm::{ImageGrid, PreparedImage};
use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde::Deserialize;
use std::path::Path;

/// Pillow's constant for bicubic resampling.
const BICUBIC: u32 = 3;
/// The largest allowed `max_pixels`; published processors use at most 16,384 tokens of 28 × 28 pixels.
const MOST_PIXELS: usize = 1 << 25;
/// The largest aspect ratio, as in transformers.
const LARGEST_RATIO: f64 = 200.0;

/// The settings of the image processor, with the defaults of transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Qwen2VlImageProcessor {
    do_resize: bool,
    resample: u32,
    do_rescale: bool,
    rescale_factor: f64,
    do_normalize: bool,
    image_mean: [f64; 3],
    image_std: [f64; 3],
    patch_size: usize,
    temporal_patch_size: usize,
    merge_size: usize,
    min_pixels: Option<usize>,
    max_pixels: Option<usize>,
    size: PixelRange,
}

/// `size`: the minimum and maximum number of pixels, despite the field names.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
struct PixelRange {
    #[serde(alias = "min_pixels")]
    shortest_edge: usize,
    #[serde(alias = "max_pixels")]
    longest_edge: usize,
}

impl Default for PixelRange {
    fn default() -> Self {
        Self { shortest_edge: 56 * 56, longest_edge: 28 * 28 * 1280 }
    }
}

impl Default for Qwen2VlImageProcessor {
    fn default() -> Self {
        Self {
            do_resize: true,
            resample: BICUBIC,
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: [0.48145466, 0.4578275, 0.40821073],
            image_std: [0.26862954, 0.26130258, 0.27577711],
            patch_size: 14,
            temporal_patch_size: 2,
            merge_size: 2,
            min_pixels: None,
            max_pixels: None,
            size: PixelRange::default(),
        }
    }
}

impl Qwen2VlImageProcessor {
    /// Reads the settings from `processor_config.json`, where transformers 5 nests them, or `preprocessor_config.json`.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or a field is out of range.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let (file, value) = image_processor_json(folder)?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        refuse_other_steps(&value, &["do_resize", "do_rescale", "do_normalize"]).map_err(bad)?;
        let processor: Self = typed(value).map_err(|error| bad(format!("image processor: {error}")))?;
        for (name, size) in [
            ("patch_size", processor.patch_size),
            ("temporal_patch_size", processor.temporal_patch_size),
            ("merge_size", processor.merge_size),
        ] {
            if size == 0 || size > 4096 {
                return Err(bad(format!("field {name}: expected 1 to 4096, found {size}")));
            }
        }
        let (least, most) = processor.pixels();
        if least > most || !(1..=MOST_PIXELS).contains(&most) {
            let reason = format!(
                "fields min_pixels and max_pixels (size): expected min_pixels ≤ max_pixels ≤ {MOST_PIXELS}, found {least} and {most}"
            );
            return Err(bad(reason));
        }
        check_scaling(&processor.image_mean, &processor.image_std, processor.rescale_factor).map_err(bad)?;
        if processor.resample != BICUBIC {
            let found = processor.resample;
            return Err(bad(format!("field resample: expected {BICUBIC} (bicubic), found {found}")));
        }
        Ok(processor)
    }

    /// Minimum and maximum number of pixels.
    fn pixels(&self) -> (usize, usize) {
        (self.min_pixels.unwrap_or(self.size.shortest_edge), self.max_pixels.unwrap_or(self.size.longest_edge))
    }

    /// Number of values per patch.
    pub(crate) fn patch_values(&self) -> usize {
        3 * self.temporal_patch_size * self.patch_size * self.patch_size
    }

    /// Frames per patch (`temporal_patch_size`).
    pub fn frames(&self) -> usize {
        self.temporal_patch_size
    }

    /// Side of a patch in pixels.
    pub(crate) fn patch_side(&self) -> usize {
        self.patch_size
    }

    /// `merge_size`: merge × merge patches become one token.
    pub fn merge(&self) -> usize {
        self.merge_size
    }

    /// Resizes an image, splits it into patches and normalises them.
    ///
    /// # Errors
    /// Fails if the image has no pixels or an aspect ratio above 200, or if resizing is disabled and it does not consist of
    /// whole groups of patches.
    pub fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        let (resized, grid) = self.resized(picture)?;
        let values = self.patches(&resized, grid);
        let pixels = Tensor::from_vec(values, (grid.patches(), self.patch_values()), &Device::Cpu)?;
        Ok(PreparedImage { pixels, grid })
    }

    /// The image at the size at which it is split into patches. Resizing the result again does not change it.
    ///
    /// # Errors
    /// Fails as [`Self::prepare`] does.
    pub fn resized(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        let (width, height) = picture.dimensions();
        ensure!(width > 0 && height > 0, "expected an image with pixels, found {width} × {height}");
        let (height, width) =
            if self.do_resize { self.target(height, width)? } else { (height as usize, width as usize) };
        let factor = self.patch_size * self.merge_size;
        ensure!(
            height.is_multiple_of(factor) && width.is_multiple_of(factor),
            "expected sides that are multiples of {factor} pixels, found {width} × {height}"
        );
        let resized = resize_bicubic(picture, width as u32, height as u32);
        let grid = ImageGrid { rows: height / self.patch_size, columns: width / self.patch_size };
        Ok((resized, grid))
    }

    /// The values of all patches, ordered by merge group; within a patch by channel, frame, row, column. All frames of a patch
    /// are the same image.
    fn patches(&self, picture: &RgbImage, grid: ImageGrid) -> Vec<f32> {
        let (patch, merge) = (self.patch_size, self.merge_size);
        let table: Vec<[f32; 256]> = (0..3).map(|channel| self.table(channel)).collect();
        let mut values = Vec::with_capacity(grid.patches() * self.patch_values());
        for (row, column) in patch_positions(grid, merge) {
            for (channel, table) in table.iter().enumerate() {
                let from = values.len();
                for y in row * patch..(row + 1) * patch {
                    for x in column * patch..(column + 1) * patch {
                        values.push(table[usize::from(picture.get_pixel(x as u32, y as u32).0[channel])]);
                    }
                }
                let to = values.len();
                for _ in 1..self.temporal_patch_size {
                    values.extend_from_within(from..to);
                }
            }
        }
        values
    }

    /// Maps each byte value to its rescaled and normalised value.
    fn table(&self, channel: usize) -> [f32; 256] {
        let factor = if self.do_rescale { self.rescale_factor } else { 1.0 };
        let mut table = [0.0; 256];
        for (byte, value) in table.iter_mut().enumerate() {
            let scaled = byte as f64 * factor;
            *value = if self.do_normalize {
                ((scaled - self.image_mean[channel]) / self.image_std[channel]) as f32
            } else {
                scaled as f32
            };
        }
        table
    }

    /// (height, width) after resizing (`smart_resize`): multiples of a merge group's side, with the number of pixels in range.
    fn target(&self, height: u32, width: u32) -> Result<(usize, usize)> {
        let (least, most) = self.pixels();
        let (least, most) = (least as f64, most as f64);
        let (tall, wide) = (f64::from(height), f64::from(width));
        let ratio = tall.max(wide) / tall.min(wide);
        ensure!(
            ratio <= LARGEST_RATIO,
            "expected an image with an aspect ratio of at most {LARGEST_RATIO}, found {width} × {height} pixels"
        );
        let factor = (self.patch_size * self.merge_size) as f64;
        // Python rounds halves to even.
        let nearest = |side: f64| (side / factor).round_ties_even() * factor;
        let (mut new_tall, mut new_wide) = (nearest(tall), nearest(wide));
        if new_tall * new_wide > most {
            let scale = (tall * wide / most).sqrt();
            let shrink = |side: f64| ((side / scale / factor).floor() * factor).max(factor);
            (new_tall, new_wide) = (shrink(tall), shrink(wide));
        } else if new_tall * new_wide < least {
            let scale = (least / (tall * wide)).sqrt();
            let grow = |side: f64| (side * scale / factor).ceil() * factor;
            (new_tall, new_wide) = (grow(tall), grow(wide));
        }
        ensure!(
            new_tall >= factor && new_wide >= factor,
            "the image of {width} × {height} pixels is resized to nothing"
        );
        Ok((new_tall as usize, new_wide as usize))
    }
}

/// (row, column) of each patch in the order of [`Qwen2VlImageProcessor::prepare`]: by merge group in row-major order, then
/// row-major within the group.
pub(in crate::model) fn patch_positions(grid: ImageGrid, merge: usize) -> Vec<(usize, usize)> {
    let mut positions = Vec::with_capacity(grid.patches());
    for row in 0..grid.rows / merge {
        for column in 0..grid.columns / merge {
            for inner_row in 0..merge {
                for inner_column in 0..merge {
                    positions.push((row * merge + inner_row, column * merge + inner_column));
                }
            }
        }
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_match_transformers() {
        let processor = Qwen2VlImageProcessor::default();
        // (height, width) to (height, width), from transformers' smart_resize.
        for ((height, width), expected) in [
            ((64, 64), (56, 56)),
            ((42, 70), (56, 56)),
            ((14, 400), (28, 308)),
            ((203, 120), (196, 112)),
            ((2000, 3000), (812, 1204)),
            ((1, 150), (28, 700)),
        ] {
            assert_eq!(processor.target(height, width).unwrap(), expected, "{height} × {width}");
        }
    }

    #[test]
    fn a_thin_picture_is_refused() {
        let error = Qwen2VlImageProcessor::default().prepare(&RgbImage::new(201, 1)).unwrap_err();
        assert!(error.to_string().contains("201 × 1"), "{error}");
        assert!(Qwen2VlImageProcessor::default().prepare(&RgbImage::new(0, 1)).is_err());
    }
}
