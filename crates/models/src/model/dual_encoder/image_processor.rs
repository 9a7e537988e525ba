//! Image preprocessing: resize, centre crop, rescale, normalise, as in `CLIPImageProcessor` and `SiglipImageProcessor` of
//! transformers and in OpenCLIP's `image_transform`.

use crate::model::checkpoint::{CheckpointError, image_processor_json, refuse_other_steps, typed};
use crate::model::limits::{LONGEST_SIDE, check_scaling, check_sizes};
use crate::model::pillow_resize::{Filter, resize};
use candle_core::{Device, Result, Tensor};
use image::{Rgb, RgbImage};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// Pillow's constants for resampling filters.
const BILINEAR: u32 = 2;
const BICUBIC: u32 = 3;
const OPENAI_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const OPENAI_STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// The supported steps, by the fields that enable them.
const STEPS: [&str; 4] = ["do_resize", "do_center_crop", "do_rescale", "do_normalize"];

/// The settings in `preprocessor_config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageProcessor {
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
    #[serde(skip)]
    crop_rounding: CropRounding,
}

/// `size`; in old files a number, which is the shortest edge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of pixels, or an object with shortest_edge, or with height and width")]
enum ResizeTarget {
    ShortestEdge { shortest_edge: u32 },
    Exact { height: u32, width: u32 },
    Number(u32),
}

/// `crop_size`; in old files a number, which is the side of a square.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of pixels, or an object with height and width")]
enum CropTarget {
    Exact { height: u32, width: u32 },
    Number(u32),
}

/// Rounding of a crop's offset if an odd number of pixels is cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum CropRounding {
    /// Rounded down (transformers).
    #[default]
    Down,
    /// Rounded to even, as by Python's `round` (torchvision).
    HalfToEven,
}

/// The fields of OpenCLIP's `preprocess_cfg` and of jina-clip's `preprocessor_config.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct OpenClipTransform {
    /// If absent, the input size of the image tower.
    pub size: Option<TransformSize>,
    pub mean: [f32; 3],
    pub std: [f32; 3],
    pub interpolation: String,
    pub resize_mode: String,
}

/// The side of a square, or height and width.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number of pixels, or height and width in a list")]
pub enum TransformSize {
    Side(u32),
    Sides([u32; 2]),
}

impl Default for OpenClipTransform {
    fn default() -> Self {
        Self {
            size: None,
            mean: OPENAI_MEAN,
            std: OPENAI_STD,
            interpolation: "bicubic".to_string(),
            resize_mode: "shortest".to_string(),
        }
    }
}

impl ImageProcessor {
    /// CLIP's default processor for inputs of `side` × `side` pixels: resize the shortest edge, then crop.
    pub fn clip(side: u32) -> Self {
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
            image_std: OPENAI_STD,
            crop_rounding: CropRounding::Down,
        }
    }

    /// SigLIP's default processor: resize to `side` × `side` pixels without keeping the aspect ratio; values in -1…1.
    pub fn siglip(side: u32) -> Self {
        Self {
            size: ResizeTarget::Exact { height: side, width: side },
            do_center_crop: false,
            image_mean: [0.5; 3],
            image_std: [0.5; 3],
            ..Self::clip(side)
        }
    }

    /// Gemma 3's default processor: SigLIP's with bilinear resampling.
    pub(in crate::model) fn gemma3(side: u32) -> Self {
        Self { resample: BILINEAR, ..Self::siglip(side) }
    }

    /// Resampling and normalisation of SigLIP 2's default NaFlex processor.
    pub(super) fn in_patches() -> Self {
        Self { resample: BILINEAR, ..Self::siglip(1) }
    }

    /// OpenCLIP's `image_transform` for inference, for an image tower with inputs of `side` × `side` pixels.
    ///
    /// # Errors
    /// Fails if a setting is not supported; the message lists the supported values.
    pub fn open_clip(transform: &OpenClipTransform, side: usize) -> std::result::Result<Self, String> {
        let (height, width) = match transform.size {
            None => (side as u32, side as u32),
            Some(TransformSize::Side(side)) => (side, side),
            Some(TransformSize::Sides([height, width])) => (height, width),
        };
        let resample = match transform.interpolation.as_str() {
            // For inference, "random" means bicubic.
            "bicubic" | "random" => BICUBIC,
            "bilinear" => BILINEAR,
            other => return Err(format!("field interpolation: expected bicubic or bilinear, found {other:?}")),
        };
        let (size, do_center_crop) = match transform.resize_mode.as_str() {
            "shortest" if height == width => (ResizeTarget::ShortestEdge { shortest_edge: height }, true),
            "shortest" => return Err(format!("field size: expected a square, found {height} by {width}")),
            "squash" => (ResizeTarget::Exact { height, width }, false),
            other => return Err(format!("field resize_mode: expected shortest or squash, found {other:?}")),
        };
        let processor = Self {
            size,
            resample,
            do_center_crop,
            crop_size: CropTarget::Exact { height, width },
            image_mean: transform.mean,
            image_std: transform.std,
            crop_rounding: CropRounding::HalfToEven,
            ..Self::clip(height)
        };
        processor.check()?;
        processor.check_side(side)?;
        Ok(processor)
    }

    /// Reads the settings from `processor_config.json` of `folder`, where transformers 5 nests them, or
    /// `preprocessor_config.json`. Missing fields have the values of `defaults`.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or a field is out of range.
    pub fn read(folder: &Path, defaults: &Self) -> std::result::Result<Self, CheckpointError> {
        Self::read_with_steps(folder, defaults, &[])
    }

    /// [`Self::read`] for a caller that takes `other` steps itself.
    pub(in crate::model) fn read_with_steps(
        folder: &Path,
        defaults: &Self,
        other: &[&str],
    ) -> std::result::Result<Self, CheckpointError> {
        let (file, value) = image_processor_json(folder)?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        refuse_other_steps(&value, &[&STEPS, other].concat()).map_err(bad)?;
        let mut fields = json!(defaults);
        if let (Some(fields), Some(found)) = (fields.as_object_mut(), value.as_object()) {
            let known = found.iter().filter(|(name, value)| !value.is_null() && fields.contains_key(*name));
            let known: Vec<_> = known.map(|(name, value)| (name.clone(), value.clone())).collect();
            fields.extend(known);
        }
        let processor: Self = typed(fields).map_err(bad)?;
        processor.check().map_err(bad)?;
        Ok(processor)
    }

    /// [`Self::read`] for an image tower with inputs of `side` × `side` pixels.
    ///
    /// # Errors
    /// Fails as [`Self::read`] does, and if the output has another size.
    pub(in crate::model) fn read_for(
        folder: &Path,
        defaults: &Self,
        side: usize,
    ) -> std::result::Result<Self, CheckpointError> {
        let processor = Self::read(folder, defaults)?;
        let (file, _) = image_processor_json(folder)?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        processor.check_side(side).map_err(bad)?;
        Ok(processor)
    }

    fn check(&self) -> std::result::Result<(), String> {
        if !matches!(self.resample, BILINEAR | BICUBIC) {
            let found = self.resample;
            return Err(format!(
                "field resample: expected {BICUBIC} (bicubic) or {BILINEAR} (bilinear), found {found}"
            ));
        }
        let sides = |(height, width): (u32, u32)| [("height", height as usize), ("width", width as usize)];
        let size = match self.size {
            ResizeTarget::Exact { height, width } => (height, width),
            ResizeTarget::ShortestEdge { shortest_edge: edge } | ResizeTarget::Number(edge) => (edge, edge),
        };
        for (field, (height, width)) in [("size", size), ("crop_size", self.crop())] {
            check_sizes(&format!("field {field}"), &sides((height, width)))?;
            if height.max(width) as usize > LONGEST_SIDE {
                return Err(format!(
                    "field {field}: expected sides of at most {LONGEST_SIDE} pixels, found {height} by {width}"
                ));
            }
        }
        check_scaling(&self.image_mean.map(f64::from), &self.image_std.map(f64::from), self.rescale_factor)
    }

    /// Fails if resizing or cropping gives another size than `side` × `side`.
    pub(in crate::model) fn check_side(&self, side: usize) -> std::result::Result<(), String> {
        let (field, (height, width)) = match self.size {
            _ if self.do_center_crop => ("crop_size", self.crop()),
            ResizeTarget::Exact { height, width } if self.do_resize => ("size", (height, width)),
            // The size depends on the images.
            _ => return Ok(()),
        };
        if [height, width].iter().any(|found| *found as usize != side) {
            return Err(format!(
                "field {field}: pictures become {height} by {width}, the image tower takes {side} by {side} (image_size of \
                 the configuration)"
            ));
        }
        Ok(())
    }

    /// True if the output has one size whatever the picture's.
    pub(in crate::model) fn has_one_size(&self) -> bool {
        self.do_center_crop || (self.do_resize && matches!(self.size, ResizeTarget::Exact { .. }))
    }

    /// Side in pixels of the square to which every picture is brought.
    ///
    /// # Errors
    /// Fails if the output is no square or its size depends on the picture.
    pub(in crate::model) fn output_side(&self) -> std::result::Result<usize, String> {
        let (field, (height, width)) = match self.size {
            _ if self.do_center_crop => ("crop_size", self.crop()),
            ResizeTarget::Exact { height, width } if self.do_resize => ("size", (height, width)),
            _ => {
                return Err(
                    "expected do_center_crop true, or a size with height and width: pictures must have one size".into(),
                );
            }
        };
        if height != width {
            return Err(format!("field {field}: expected a square, found {height} by {width}"));
        }
        Ok(height as usize)
    }

    /// The content of a CLIP checkpoint's `preprocessor_config.json`.
    pub fn to_json(&self) -> Value {
        let mut value = json!(self);
        // Avoids the decimal expansion of f32 rounding errors.
        value["image_mean"] = json!(self.image_mean.map(shortest_decimal));
        value["image_std"] = json!(self.image_std.map(shortest_decimal));
        value["do_convert_rgb"] = json!(true);
        value["image_processor_type"] = json!("CLIPImageProcessor");
        value["processor_class"] = json!("CLIPProcessor");
        value
    }

    /// The colour that becomes 0, rounded down, as in transformers' `pad_to_square`.
    pub(in crate::model) fn mean_colour(&self) -> [u8; 3] {
        self.image_mean.map(|mean| (shortest_decimal(mean) * 255.0) as u8)
    }

    /// Preprocesses `pictures` to pixels [B, 3, H, W] (f32, on the CPU).
    ///
    /// # Errors
    /// Fails if there are no pictures, one has no pixels, or they end up with different sizes (possible only without centre
    /// crop).
    pub fn pixels(&self, pictures: &[&RgbImage]) -> Result<Tensor> {
        if let Some(empty) = pictures.iter().find(|picture| picture.width() == 0 || picture.height() == 0) {
            let (width, height) = empty.dimensions();
            candle_core::bail!("expected a picture with pixels, found {width}×{height}");
        }
        let resized: Vec<RgbImage> = pictures.iter().map(|picture| self.resized(picture)).collect();
        self.pixels_of_resized(&resized.iter().collect::<Vec<_>>())
    }

    /// [`Self::pixels`] of pictures that have been resized by [`Self::resized`].
    ///
    /// # Errors
    /// Fails as [`Self::pixels`] does.
    pub fn pixels_of_resized(&self, pictures: &[&RgbImage]) -> Result<Tensor> {
        if pictures.is_empty() {
            candle_core::bail!("expected at least one picture to encode, found none");
        }
        let mut batch = Vec::with_capacity(pictures.len());
        for picture in pictures {
            batch.push(self.pixels_of_one(picture)?);
        }
        Tensor::stack(&batch, 0)
    }

    /// Resizes and crops a picture. Not idempotent if the crop is smaller than the shortest edge.
    pub fn resized(&self, picture: &RgbImage) -> RgbImage {
        let picture = if self.do_resize { self.resize(picture) } else { picture.clone() };
        if self.do_center_crop { self.centre_crop(&picture) } else { picture }
    }

    fn pixels_of_one(&self, picture: &RgbImage) -> Result<Tensor> {
        let (width, height) = picture.dimensions();
        let mut values = Vec::with_capacity((3 * width * height) as usize);
        for channel in 0..3 {
            values.extend(picture.pixels().map(|pixel| self.value(channel, pixel.0[channel])));
        }
        Tensor::from_vec(values, (3, height as usize, width as usize), &Device::Cpu)
    }

    /// Rescales and normalises a value.
    pub(super) fn value(&self, channel: usize, value: u8) -> f32 {
        let value = f32::from(value);
        let value = if self.do_rescale { (f64::from(value) * self.rescale_factor) as f32 } else { value };
        if self.do_normalize { (value - self.image_mean[channel]) / self.image_std[channel] } else { value }
    }

    pub(super) fn does_resize(&self) -> bool {
        self.do_resize
    }

    /// Resizes to exactly this size, without keeping the aspect ratio.
    pub(super) fn resized_to(&self, picture: &RgbImage, width: u32, height: u32) -> RgbImage {
        let filter = if self.resample == BILINEAR { Filter::Bilinear } else { Filter::Bicubic };
        resize(picture, filter, width, height)
    }

    fn resize(&self, picture: &RgbImage) -> RgbImage {
        let (width, height) = picture.dimensions();
        let edge = match self.size {
            ResizeTarget::Exact { height, width } => return self.resized_to(picture, width, height),
            ResizeTarget::ShortestEdge { shortest_edge } => shortest_edge,
            ResizeTarget::Number(edge) => edge,
        };
        let long = |long: u32, short: u32| (f64::from(edge) * f64::from(long) / f64::from(short)) as u32;
        if width <= height {
            self.resized_to(picture, edge, long(height, width))
        } else {
            self.resized_to(picture, long(width, height), edge)
        }
    }

    /// (height, width) of the crop.
    fn crop(&self) -> (u32, u32) {
        match self.crop_size {
            CropTarget::Exact { height, width } => (height, width),
            CropTarget::Number(side) => (side, side),
        }
    }

    /// Crops the centre; if the crop is larger than the picture, the rest is black.
    fn centre_crop(&self, picture: &RgbImage) -> RgbImage {
        let (height, width) = self.crop();
        let left = self.crop_rounding.half(i64::from(picture.width()) - i64::from(width));
        let top = self.crop_rounding.half(i64::from(picture.height()) - i64::from(height));
        RgbImage::from_fn(width, height, |x, y| {
            let source_x = u32::try_from(i64::from(x) + left).ok();
            let source_y = u32::try_from(i64::from(y) + top).ok();
            let inside = source_x.zip(source_y).and_then(|(x, y)| picture.get_pixel_checked(x, y));
            inside.copied().unwrap_or(Rgb([0, 0, 0]))
        })
    }
}

impl CropRounding {
    /// Offset of a crop that cuts off `surplus` pixels.
    fn half(self, surplus: i64) -> i64 {
        let down = surplus.div_euclid(2);
        let is_odd = surplus.rem_euclid(2) == 1;
        match self {
            Self::HalfToEven if is_odd && down.rem_euclid(2) == 1 => down + 1,
            Self::HalfToEven | Self::Down => down,
        }
    }
}

/// The f64 with the same shortest decimal representation as the f32.
fn shortest_decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
