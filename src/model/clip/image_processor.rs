//! `CLIPImageProcessor`: resize, centre crop, rescale, normalise.

use crate::model::checkpoint::{CheckpointError, read_json};
use crate::model::pillow_resize::resize_bicubic;
use candle_core::{Device, Result, Tensor};
use image::{Rgb, RgbImage};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// Pillow's number for the bicubic filter.
const BICUBIC: u32 = 3;
const OPENAI_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const OPENAI_DEVIATION: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// The fields of `preprocessor_config.json`; missing ones have the defaults of `transformers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClipImageProcessor {
    do_resize: bool,
    size: ResizeTarget,
    resample: u32,
    do_center_crop: bool,
    crop_size: CropTarget,
    do_rescale: bool,
    rescale_factor: f64,
    do_normalize: bool,
    image_mean: [f32; 3],
    image_std: [f32; 3],
}

/// `size`: a number is the shortest edge, as old files write it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum ResizeTarget {
    ShortestEdge { shortest_edge: u32 },
    Exact { height: u32, width: u32 },
    Number(u32),
}

/// `crop_size`: a number is the side of a square, as old files write it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum CropTarget {
    Exact { height: u32, width: u32 },
    Number(u32),
}

impl Default for ClipImageProcessor {
    fn default() -> Self {
        Self::square(224)
    }
}

impl ClipImageProcessor {
    /// The usual processor for square inputs of `side` pixels.
    pub fn square(side: u32) -> Self {
        Self {
            do_resize: true,
            size: ResizeTarget::ShortestEdge { shortest_edge: side },
            resample: BICUBIC,
            do_center_crop: true,
            crop_size: CropTarget::Exact { height: side, width: side },
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: OPENAI_MEAN,
            image_std: OPENAI_DEVIATION,
        }
    }

    /// Reads `preprocessor_config.json` of `folder`, or the part of `processor_config.json` that replaces it in
    /// transformers 5.
    pub fn read(folder: &Path) -> std::result::Result<Self, CheckpointError> {
        let purpose = "it says how images are scaled";
        let nested = folder.join("processor_config.json").is_file();
        let (file, value) = if nested && !folder.join("preprocessor_config.json").is_file() {
            let mut value = read_json(folder, "processor_config.json", purpose)?;
            ("processor_config.json", value["image_processor"].take())
        } else {
            ("preprocessor_config.json", read_json(folder, "preprocessor_config.json", purpose)?)
        };
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        let processor: Self = serde_json::from_value(value).map_err(|error| bad(error.to_string()))?;
        if processor.resample != BICUBIC {
            return Err(bad(format!("field resample: expected {BICUBIC} (bicubic), found {}", processor.resample)));
        }
        Ok(processor)
    }

    /// The whole `preprocessor_config.json`.
    pub fn to_json(&self) -> Value {
        let mut value = json!(self);
        // f32 constants would be written with their rounding noise.
        value["image_mean"] = json!(self.image_mean.map(shortest_decimal));
        value["image_std"] = json!(self.image_std.map(shortest_decimal));
        value["do_convert_rgb"] = json!(true);
        value["image_processor_type"] = json!("CLIPImageProcessor");
        value["processor_class"] = json!("CLIPProcessor");
        value
    }

    /// The pixels [B, 3, H, W] (f32, on the CPU) of `pictures`.
    ///
    /// # Errors
    /// An empty picture; pictures that end up with different sizes, which happens only without centre crop.
    pub fn pixels(&self, pictures: &[&RgbImage]) -> Result<Tensor> {
        let mut batch = Vec::with_capacity(pictures.len());
        for picture in pictures {
            batch.push(self.pixels_of_one(picture)?);
        }
        Tensor::stack(&batch, 0)
    }

    /// The picture at the size that the model sees; doing it twice changes nothing.
    pub fn resized(&self, picture: &RgbImage) -> RgbImage {
        let picture = if self.do_resize { self.resize(picture) } else { picture.clone() };
        if self.do_center_crop { self.crop(&picture) } else { picture }
    }

    fn pixels_of_one(&self, picture: &RgbImage) -> Result<Tensor> {
        let (width, height) = picture.dimensions();
        if width == 0 || height == 0 {
            candle_core::bail!("a picture of {width}×{height} pixels has nothing to encode");
        }
        let picture = self.resized(picture);
        let (width, height) = picture.dimensions();
        let mut values = Vec::with_capacity((3 * width * height) as usize);
        for channel in 0..3 {
            let (mean, deviation) = (self.image_mean[channel], self.image_std[channel]);
            for pixel in picture.pixels() {
                let value = f32::from(pixel.0[channel]);
                let value = if self.do_rescale { (f64::from(value) * self.rescale_factor) as f32 } else { value };
                values.push(if self.do_normalize { (value - mean) / deviation } else { value });
            }
        }
        Tensor::from_vec(values, (3, height as usize, width as usize), &Device::Cpu)
    }

    fn resize(&self, picture: &RgbImage) -> RgbImage {
        let (width, height) = picture.dimensions();
        let edge = match self.size {
            ResizeTarget::Exact { height, width } => return resize_bicubic(picture, width, height),
            ResizeTarget::ShortestEdge { shortest_edge } => shortest_edge,
            ResizeTarget::Number(edge) => edge,
        };
        let long = |long: u32, short: u32| (f64::from(edge) * f64::from(long) / f64::from(short)) as u32;
        if width <= height {
            resize_bicubic(picture, edge, long(height, width))
        } else {
            resize_bicubic(picture, long(width, height), edge)
        }
    }

    /// The middle of the picture; what lies outside of it is black.
    fn crop(&self, picture: &RgbImage) -> RgbImage {
        let (height, width) = match self.crop_size {
            CropTarget::Exact { height, width } => (height, width),
            CropTarget::Number(side) => (side, side),
        };
        let left = (i64::from(picture.width()) - i64::from(width)).div_euclid(2);
        let top = (i64::from(picture.height()) - i64::from(height)).div_euclid(2);
        RgbImage::from_fn(width, height, |x, y| {
            let source_x = u32::try_from(i64::from(x) + left).ok();
            let source_y = u32::try_from(i64::from(y) + top).ok();
            let inside = source_x.zip(source_y).and_then(|(x, y)| picture.get_pixel_checked(x, y));
            inside.copied().unwrap_or(Rgb([0, 0, 0]))
        })
    }
}

/// The f64 that prints like the f32.
fn shortest_decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
