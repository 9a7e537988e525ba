//! `Qwen2VLImageProcessor`: pictures keep their proportions within a number of pixels; patches lie in the order in which
//! they are merged.

use crate::model::checkpoint::{CheckpointError, image_processor_json, refuse_other_steps, typed};
use crate::model::limits::check_scaling;
use crate::model::pillow_resize::resize_bicubic;
use crate::model::vlm::{ImageGrid, PreparedImage};
use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde::Deserialize;
use std::path::Path;

/// Pillow's number for the bicubic filter.
const BICUBIC: u32 = 3;
/// Published processors have 16,384 tokens of 28 by 28 pixels at most.
const MOST_PIXELS: usize = 1 << 25;
/// Thinner pictures are refused, as in the reference.
const LARGEST_RATIO: f64 = 200.0;

/// The fields of the image processor; missing ones have transformers' values.
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

/// Fewest and most pixels of a picture; the names are older than the meaning.
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
    /// Reads the image processor of `processor_config.json`, where transformers 5 nests it, else
    /// `preprocessor_config.json`.
    ///
    /// # Errors
    /// A missing or broken file, a field out of range.
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
                "fields min_pixels and max_pixels (size): expected up to {MOST_PIXELS} in this order, found {least} and {most}"
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

    /// Fewest and most pixels of a picture.
    fn pixels(&self) -> (usize, usize) {
        (self.min_pixels.unwrap_or(self.size.shortest_edge), self.max_pixels.unwrap_or(self.size.longest_edge))
    }

    /// Values of a patch.
    pub fn patch_values(&self) -> usize {
        3 * self.temporal_patch_size * self.patch_size * self.patch_size
    }

    /// Frames of a patch.
    pub fn frames(&self) -> usize {
        self.temporal_patch_size
    }

    /// Side of a patch in pixels.
    pub fn patch_side(&self) -> usize {
        self.patch_size
    }

    /// Side of the square of patches that become one token.
    pub fn merge(&self) -> usize {
        self.merge_size
    }

    /// Pixels and patches of a picture.
    ///
    /// # Errors
    /// A picture without pixels, one more than 200 times as long as wide, one that is not whole patches where resizing
    /// is off.
    pub fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        let (resized, grid) = self.resized(picture)?;
        let values = self.patches(&resized, grid);
        let pixels = Tensor::from_vec(values, (grid.patches(), self.patch_values()), &Device::Cpu)?;
        Ok(PreparedImage { pixels, grid })
    }

    /// The picture at the size at which it is cut into patches, which leaves it as it is when it is brought to it again.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn resized(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        let (width, height) = picture.dimensions();
        ensure!(width > 0 && height > 0, "a picture of {width} × {height} pixels has nothing to read");
        let (height, width) =
            if self.do_resize { self.target(height, width)? } else { (height as usize, width as usize) };
        let factor = self.patch_size * self.merge_size;
        ensure!(
            height.is_multiple_of(factor) && width.is_multiple_of(factor),
            "a picture of {width} × {height} pixels is not whole squares of {factor}"
        );
        let resized = resize_bicubic(picture, width as u32, height as u32);
        let grid = ImageGrid { rows: height / self.patch_size, columns: width / self.patch_size };
        Ok((resized, grid))
    }

    /// Patch by patch, square by square: channel, frame, row, column. A picture is a film of equal frames.
    fn patches(&self, picture: &RgbImage, grid: ImageGrid) -> Vec<f32> {
        let (patch, merge) = (self.patch_size, self.merge_size);
        let table: Vec<[f32; 256]> = (0..3).map(|channel| self.table(channel)).collect();
        let mut values = Vec::with_capacity(grid.patches() * self.patch_values());
        for (row, column) in places(grid, merge) {
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

    /// Bytes as the tower reads them.
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

    /// Height and width after resizing (`smart_resize`): whole squares, the number of pixels in its range.
    fn target(&self, height: u32, width: u32) -> Result<(usize, usize)> {
        let (least, most) = self.pixels();
        let (least, most) = (least as f64, most as f64);
        let (tall, wide) = (f64::from(height), f64::from(width));
        let ratio = tall.max(wide) / tall.min(wide);
        ensure!(
            ratio <= LARGEST_RATIO,
            "a picture of {width} × {height} pixels: this reader takes sides at most {LARGEST_RATIO} times as long as the other"
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
            "a picture of {width} × {height} pixels has nothing to read at this size"
        );
        Ok((new_tall as usize, new_wide as usize))
    }
}

/// Row and column of each patch in the order of [`Qwen2VlImageProcessor::prepare`]: square by square, row by row.
pub(super) fn places(grid: ImageGrid, merge: usize) -> Vec<(usize, usize)> {
    let mut places = Vec::with_capacity(grid.patches());
    for row in 0..grid.rows / merge {
        for column in 0..grid.columns / merge {
            for inner_row in 0..merge {
                for inner_column in 0..merge {
                    places.push((row * merge + inner_row, column * merge + inner_column));
                }
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_reference() {
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
