//! Pictures to pixels: resize, centre crop, rescale, normalise; as transformers' `CLIPImageProcessor` and
//! `SiglipImageProcessor` do it, and as OpenCLIP's transform.

use crate::model::checkpoint::{CheckpointError, image_processor_json, refuse_other_steps, typed};
use crate::model::limits::{LONGEST_SIDE, check_scaling, check_sizes};
use crate::model::pillow_resize::{Filter, resize};
use candle_core::{Device, Result, Tensor};
use image::{Rgb, RgbImage};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// Pillow's numbers for its filters.
const BILINEAR: u32 = 2;
const BICUBIC: u32 = 3;
const OPENAI_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const OPENAI_DEVIATION: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// The steps that a picture goes through, by the fields that switch them.
const STEPS: [&str; 4] = ["do_resize", "do_center_crop", "do_rescale", "do_normalize"];

/// The fields of `preprocessor_config.json`.
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

/// `size`: a number is the shortest edge, as old files write it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of pixels, or an object with shortest_edge, or with height and width")]
enum ResizeTarget {
    ShortestEdge { shortest_edge: u32 },
    Exact { height: u32, width: u32 },
    Number(u32),
}

/// `crop_size`: a number is the side of a square, as old files write it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of pixels, or an object with height and width")]
enum CropTarget {
    Exact { height: u32, width: u32 },
    Number(u32),
}

/// Where a crop begins that leaves an odd number of pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum CropRounding {
    /// Half a pixel is dropped (transformers).
    #[default]
    Down,
    /// To the even number, as Python rounds (torchvision).
    HalfToEven,
}

/// The fields of OpenCLIP's `preprocess_cfg`, which jina-clip's `preprocessor_config.json` has too.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct OpenClipTransform {
    /// Absent: what the image tower takes.
    pub size: Option<TransformSize>,
    pub mean: [f32; 3],
    pub std: [f32; 3],
    pub interpolation: String,
    pub resize_mode: String,
}

/// A square by its side, or height and width.
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
            std: OPENAI_DEVIATION,
            interpolation: "bicubic".to_string(),
            resize_mode: "shortest".to_string(),
        }
    }
}

impl ImageProcessor {
    /// CLIP's usual processor for square inputs of `side` pixels: shortest edge, then a crop.
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
            image_std: OPENAI_DEVIATION,
            crop_rounding: CropRounding::Down,
        }
    }

    /// SigLIP's usual processor: squeezed to a square of `side` pixels, values from -1 to 1.
    pub fn siglip(side: u32) -> Self {
        Self {
            size: ResizeTarget::Exact { height: side, width: side },
            do_center_crop: false,
            image_mean: [0.5; 3],
            image_std: [0.5; 3],
            ..Self::clip(side)
        }
    }

    /// SigLIP 2's usual processor for pictures of changing size, whose filter and scaling of values it is.
    pub(super) fn in_patches() -> Self {
        Self { resample: BILINEAR, ..Self::siglip(1) }
    }

    /// OpenCLIP's transform (its `image_transform`, for inference), for an image tower that takes `side` pixels.
    ///
    /// # Errors
    /// A setting that is not offered here, with those that are.
    pub fn open_clip(transform: &OpenClipTransform, side: usize) -> std::result::Result<Self, String> {
        let (height, width) = match transform.size {
            None => (side as u32, side as u32),
            Some(TransformSize::Side(side)) => (side, side),
            Some(TransformSize::Sides([height, width])) => (height, width),
        };
        let resample = match transform.interpolation.as_str() {
            // In inference "random" is bicubic.
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

    /// Reads the part of `processor_config.json` of `folder` that transformers 5 puts there, else
    /// `preprocessor_config.json`. Fields that are missing there have their values of `defaults`.
    ///
    /// # Errors
    /// A missing or broken file, a field out of range.
    pub fn read(folder: &Path, defaults: &Self) -> std::result::Result<Self, CheckpointError> {
        let (file, value) = image_processor_json(folder)?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        refuse_other_steps(&value, &STEPS).map_err(bad)?;
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

    /// As [`Self::read`], for an image tower that takes squares of `side` pixels.
    ///
    /// # Errors
    /// As [`Self::read`]; pictures of another size.
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

    /// An error unless every picture that is resized or cut ends with the `side` that the image tower takes.
    pub(in crate::model) fn check_side(&self, side: usize) -> std::result::Result<(), String> {
        let (field, (height, width)) = match self.size {
            _ if self.do_center_crop => ("crop_size", self.crop()),
            ResizeTarget::Exact { height, width } if self.do_resize => ("size", (height, width)),
            // The pictures decide.
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

    /// The whole `preprocessor_config.json` of a CLIP checkpoint.
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
    /// No picture, an empty one; pictures that end up with different sizes, which happens only without centre crop.
    pub fn pixels(&self, pictures: &[&RgbImage]) -> Result<Tensor> {
        if let Some(empty) = pictures.iter().find(|picture| picture.width() == 0 || picture.height() == 0) {
            let (width, height) = empty.dimensions();
            candle_core::bail!("a picture of {width}×{height} pixels has nothing to encode");
        }
        let resized: Vec<RgbImage> = pictures.iter().map(|picture| self.resized(picture)).collect();
        self.pixels_of_resized(&resized.iter().collect::<Vec<_>>())
    }

    /// The same of pictures that [`Self::resized`] made.
    ///
    /// # Errors
    /// As above.
    pub fn pixels_of_resized(&self, pictures: &[&RgbImage]) -> Result<Tensor> {
        if pictures.is_empty() {
            candle_core::bail!("no pictures to encode: expected one at least");
        }
        let mut batch = Vec::with_capacity(pictures.len());
        for picture in pictures {
            batch.push(self.pixels_of_one(picture)?);
        }
        Tensor::stack(&batch, 0)
    }

    /// The picture at the size that the model sees. Doing it twice changes it again where the crop is smaller than the
    /// shortest edge.
    pub fn resized(&self, picture: &RgbImage) -> RgbImage {
        let picture = if self.do_resize { self.resize(picture) } else { picture.clone() };
        if self.do_center_crop { self.cut(&picture) } else { picture }
    }

    fn pixels_of_one(&self, picture: &RgbImage) -> Result<Tensor> {
        let (width, height) = picture.dimensions();
        let mut values = Vec::with_capacity((3 * width * height) as usize);
        for channel in 0..3 {
            values.extend(picture.pixels().map(|pixel| self.value(channel, pixel.0[channel])));
        }
        Tensor::from_vec(values, (3, height as usize, width as usize), &Device::Cpu)
    }

    /// What a channel's value becomes.
    pub(super) fn value(&self, channel: usize, value: u8) -> f32 {
        let value = f32::from(value);
        let value = if self.do_rescale { (f64::from(value) * self.rescale_factor) as f32 } else { value };
        if self.do_normalize { (value - self.image_mean[channel]) / self.image_std[channel] } else { value }
    }

    pub(super) fn does_resize(&self) -> bool {
        self.do_resize
    }

    /// The picture at this size, whatever its proportions.
    pub(super) fn squeezed(&self, picture: &RgbImage, width: u32, height: u32) -> RgbImage {
        let filter = if self.resample == BILINEAR { Filter::Bilinear } else { Filter::Bicubic };
        resize(picture, filter, width, height)
    }

    fn resize(&self, picture: &RgbImage) -> RgbImage {
        let (width, height) = picture.dimensions();
        let edge = match self.size {
            ResizeTarget::Exact { height, width } => return self.squeezed(picture, width, height),
            ResizeTarget::ShortestEdge { shortest_edge } => shortest_edge,
            ResizeTarget::Number(edge) => edge,
        };
        let long = |long: u32, short: u32| (f64::from(edge) * f64::from(long) / f64::from(short)) as u32;
        if width <= height {
            self.squeezed(picture, edge, long(height, width))
        } else {
            self.squeezed(picture, long(width, height), edge)
        }
    }

    /// Height and width of the crop.
    fn crop(&self) -> (u32, u32) {
        match self.crop_size {
            CropTarget::Exact { height, width } => (height, width),
            CropTarget::Number(side) => (side, side),
        }
    }

    /// The middle of the picture; what lies outside of it is black.
    fn cut(&self, picture: &RgbImage) -> RgbImage {
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
    /// Half of `surplus` pixels.
    fn half(self, surplus: i64) -> i64 {
        let down = surplus.div_euclid(2);
        let is_odd = surplus.rem_euclid(2) == 1;
        match self {
            Self::HalfToEven if is_odd && down.rem_euclid(2) == 1 => down + 1,
            Self::HalfToEven | Self::Down => down,
        }
    }
}

/// The f64 that prints like the f32.
fn shortest_decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
