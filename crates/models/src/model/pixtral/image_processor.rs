//! `PixtralImageProcessor`: resizes to whole patches, rescales and normalises.

use crate::model::checkpoint::{CheckpointError, image_processor_json, read_json, refuse_other_steps, typed};
use crate::model::limits::{LONGEST_SIDE, check_scaling};
use crate::model::pillow_resize::resize_bicubic;
use crate::model::vlm::{ImageGrid, PreparedImage};
use candle_core::{Device, Result, Tensor};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// Pillow's constant for bicubic resampling.
const BICUBIC: u32 = 3;
const MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
const DEVIATION: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];

/// The settings of the image processor, with the defaults of transformers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PixtralImageProcessor {
    do_resize: bool,
    size: LargestSize,
    patch_size: PatchSize,
    resample: u32,
    do_rescale: bool,
    rescale_factor: f64,
    do_normalize: bool,
    image_mean: [f64; 3],
    image_std: [f64; 3],
}

/// `size`: upper bounds to which an image is scaled down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected an object with longest_edge, or with height and width")]
enum LargestSize {
    LongestEdge { longest_edge: u32 },
    Exact { height: u32, width: u32 },
}

/// `patch_size`; a single number means a square patch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of pixels, or an object with height and width")]
enum PatchSize {
    Sides { height: u32, width: u32 },
    Number(u32),
}

impl Default for PixtralImageProcessor {
    fn default() -> Self {
        Self::new(1024, 16)
    }
}

impl PixtralImageProcessor {
    /// A processor for images of at most `longest_edge` pixels and patches of `patch` pixels.
    pub fn new(longest_edge: u32, patch: u32) -> Self {
        Self {
            do_resize: true,
            size: LargestSize::LongestEdge { longest_edge },
            patch_size: PatchSize::Sides { height: patch, width: patch },
            resample: BICUBIC,
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: MEAN,
            image_std: DEVIATION,
        }
    }

    /// Reads the settings from `processor_config.json`, where transformers 5 nests them, or `preprocessor_config.json`.
    ///
    /// As in transformers, `patch_size` of `processor_config.json` (times `spatial_merge_size`, which must be 1) takes
    /// precedence over that of the image processor.
    pub fn read(folder: &Path) -> std::result::Result<Self, CheckpointError> {
        let file = "processor_config.json";
        let outer = read_json(folder, file, "it describes the processor")?;
        let (inner_file, inner) = image_processor_json(folder)?;
        let bad = |file: &str, reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        // Padding affects only batches; here images are processed one by one.
        let steps = ["do_resize", "do_rescale", "do_normalize", "do_pad"];
        refuse_other_steps(&inner, &steps).map_err(|reason| bad(inner_file, reason))?;
        let mut processor: Self = typed(inner).map_err(|error| bad(inner_file, format!("image processor: {error}")))?;
        let number = |field: &str, default: u64| match &outer[field] {
            Value::Null => Ok(default),
            found => found
                .as_u64()
                .ok_or_else(|| bad(file, format!("field {field}: expected a whole number from 1, found {found}"))),
        };
        let patch = number("patch_size", 16)?;
        if patch == 0 || patch > 4096 {
            return Err(bad(file, format!("field patch_size: expected 1 to 4096 pixels, found {patch}")));
        }
        let (height, width) = match processor.size {
            LargestSize::LongestEdge { longest_edge } => (longest_edge, longest_edge),
            LargestSize::Exact { height, width } => (height, width),
        };
        if ![height, width].iter().all(|side| (1..=LONGEST_SIDE).contains(&(*side as usize))) {
            let reason =
                format!("field size: expected sides of 1 to {LONGEST_SIDE} pixels, found {height} and {width}");
            return Err(bad(inner_file, reason));
        }
        processor.patch_size = PatchSize::Number(patch as u32);
        let merge = number("spatial_merge_size", 1)?;
        if merge != 1 {
            return Err(bad(file, format!("field spatial_merge_size: expected 1, found {merge}")));
        }
        check_scaling(&processor.image_mean, &processor.image_std, processor.rescale_factor)
            .map_err(|reason| bad(inner_file, reason))?;
        if processor.resample != BICUBIC {
            let found = processor.resample;
            return Err(bad(inner_file, format!("field resample: expected {BICUBIC} (bicubic), found {found}")));
        }
        Ok(processor)
    }

    /// The settings as in `preprocessor_config.json`.
    pub fn to_json(&self) -> Value {
        let mut value = json!(self);
        let (height, width) = self.patch();
        value["patch_size"] = json!({ "height": height, "width": width });
        value["do_convert_rgb"] = json!(true);
        value["do_pad"] = json!(true);
        value["image_processor_type"] = json!("PixtralImageProcessor");
        value
    }

    /// Side of a patch in pixels.
    pub(crate) fn patch_side(&self) -> u32 {
        self.patch().0
    }

    /// The patch grid of an image of this size.
    pub fn grid_of(&self, width: u32, height: u32) -> ImageGrid {
        let (height, width) = if self.do_resize { self.target(width, height) } else { (height, width) };
        let (patch_height, patch_width) = self.patch();
        ImageGrid { rows: (height / patch_height) as usize, columns: (width / patch_width) as usize }
    }

    /// Resizes an image to whole patches.
    ///
    /// # Errors
    /// Fails as [`Self::prepare`] does.
    pub fn resize(&self, picture: &RgbImage) -> Result<RgbImage> {
        let (width, height) = picture.dimensions();
        if width == 0 || height == 0 {
            candle_core::bail!("expected an image with pixels, found {width} × {height}");
        }
        let (patch_height, patch_width) = self.patch();
        let (height, width) = if self.do_resize { self.target(width, height) } else { (height, width) };
        if height % patch_height != 0 || width % patch_width != 0 {
            candle_core::bail!(
                "expected whole patches of {patch_width} × {patch_height} pixels, found an image of {width} × {height}"
            );
        }
        Ok(resize_bicubic(picture, width, height))
    }

    /// Resizes and normalises an image.
    ///
    /// # Errors
    /// Fails if the image has no pixels, or if resizing is disabled and it does not consist of whole patches.
    pub fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        let resized = self.resize(picture)?;
        let (width, height) = resized.dimensions();
        let (patch_height, patch_width) = self.patch();
        let mut values = Vec::with_capacity((3 * width * height) as usize);
        for channel in 0..3 {
            for pixel in resized.pixels() {
                values.push(self.value(pixel.0[channel], channel));
            }
        }
        Ok(PreparedImage {
            pixels: Tensor::from_vec(values, (3, height as usize, width as usize), &Device::Cpu)?,
            grid: ImageGrid { rows: (height / patch_height) as usize, columns: (width / patch_width) as usize },
        })
    }

    /// (height, width) after resizing: scaled down to fit, then rounded up to whole patches.
    fn target(&self, width: u32, height: u32) -> (u32, u32) {
        let (largest_height, largest_width) = match self.size {
            LargestSize::LongestEdge { longest_edge } => (longest_edge, longest_edge),
            LargestSize::Exact { height, width } => (height, width),
        };
        let (tall, wide) = (f64::from(height), f64::from(width));
        let ratio = (tall / f64::from(largest_height)).max(wide / f64::from(largest_width));
        // transformers reduces a very thin image to 0 pixels and fails; here it keeps one patch.
        let shrink = |side: u32| if ratio > 1.0 { ((f64::from(side) / ratio) as u32).max(1) } else { side };
        let (patch_height, patch_width) = self.patch();
        (shrink(height).div_ceil(patch_height) * patch_height, shrink(width).div_ceil(patch_width) * patch_width)
    }

    /// (height, width) of a patch in pixels.
    fn patch(&self) -> (u32, u32) {
        match self.patch_size {
            PatchSize::Sides { height, width } => (height.max(1), width.max(1)),
            PatchSize::Number(side) => (side.max(1), side.max(1)),
        }
    }

    /// Rescales and normalises one channel value.
    fn value(&self, byte: u8, channel: usize) -> f32 {
        let value = f64::from(byte) * if self.do_rescale { self.rescale_factor } else { 1.0 };
        if !self.do_normalize {
            return value as f32;
        }
        ((value - self.image_mean[channel]) / self.image_std[channel]) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_patches_that_fit() {
        let processor = PixtralImageProcessor::new(64, 8);
        // (width, height) to (height, width), from transformers' get_resize_output_image_size.
        for ((width, height), expected) in [
            ((64, 64), (64, 64)),
            ((64, 48), (48, 64)),
            ((203, 120), (40, 64)),
            ((33, 57), (64, 40)),
            ((1, 1), (8, 8)),
            ((1000, 3), (8, 64)),
        ] {
            assert_eq!(processor.target(width, height), expected, "{width} × {height}");
        }
    }

    #[test]
    fn a_picture_without_pixels_is_refused() {
        let error = PixtralImageProcessor::new(64, 8).prepare(&RgbImage::new(0, 5)).unwrap_err();
        assert!(error.to_string().contains("0 × 5"), "{error}");
    }
}
