//! `Idefics3ImageProcessor` and `SmolVLMImageProcessor`: a large image is split into square tiles, followed by a downscaled
//! version of the whole image; a small one is a single tile.

use crate::model::checkpoint::{CheckpointError, image_processor_json, refuse_other_steps, typed};
use crate::model::limits::check_scaling;
use crate::model::pillow_resize::{Filter, resize};
use crate::model::vlm::{ImageGrid, PreparedImage};
use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use image::{RgbImage, imageops};
use serde::Deserialize;
use std::path::Path;

/// Pillow's constant for Lanczos resampling.
const LANCZOS: u32 = 1;
/// The longest side after resizing, whatever the file says.
const LONGEST_SIDE: u32 = 4096;

/// The settings of the image processor, with the defaults of transformers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct SmolVlmImageProcessor {
    do_resize: bool,
    size: LongestEdge,
    resample: u32,
    do_image_splitting: bool,
    max_image_size: LongestEdge,
    do_rescale: bool,
    rescale_factor: f64,
    do_normalize: bool,
    image_mean: [f64; 3],
    image_std: [f64; 3],
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct LongestEdge {
    longest_edge: u32,
}

impl Default for SmolVlmImageProcessor {
    fn default() -> Self {
        Self {
            do_resize: true,
            size: LongestEdge { longest_edge: 4 * 364 },
            resample: LANCZOS,
            do_image_splitting: true,
            max_image_size: LongestEdge { longest_edge: 364 },
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: [0.5; 3],
            image_std: [0.5; 3],
        }
    }
}

impl SmolVlmImageProcessor {
    /// Reads the settings from `processor_config.json`, where transformers 5 nests them, or `preprocessor_config.json`.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or a field is out of range.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let (file, value) = image_processor_json(folder)?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        // Padding affects only batches of images with different numbers of tiles.
        let steps = ["do_resize", "do_image_splitting", "do_rescale", "do_normalize", "do_pad"];
        refuse_other_steps(&value, &steps).map_err(bad)?;
        let processor: Self = typed(value).map_err(|error| bad(format!("image processor: {error}")))?;
        for (name, edge) in [("size", processor.size), ("max_image_size", processor.max_image_size)] {
            if edge.longest_edge == 0 || edge.longest_edge > LONGEST_SIDE {
                let found = edge.longest_edge;
                return Err(bad(format!("field {name}.longest_edge: expected 1 to {LONGEST_SIDE}, found {found}")));
            }
        }
        check_scaling(&processor.image_mean, &processor.image_std, processor.rescale_factor).map_err(bad)?;
        if processor.resample != LANCZOS {
            let found = processor.resample;
            return Err(bad(format!("field resample: expected {LANCZOS} (Lanczos), found {found}")));
        }
        Ok(processor)
    }

    /// Side of a tile in pixels.
    pub fn tile(&self) -> u32 {
        self.max_image_size.longest_edge
    }

    /// The tiles of an image in row-major order, then the whole image: `[tiles, 3, side, side]`. An image that is not split
    /// gives one tile and a grid of 0 × 0.
    ///
    /// # Errors
    /// Fails if the image has no pixels.
    pub fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        let (width, height) = picture.dimensions();
        ensure!(width > 0 && height > 0, "expected an image with pixels, found {width} × {height}");
        let tile = self.tile();
        let picture = self.scaled(picture);
        if !self.do_image_splitting {
            let pixels = self.pixels(&[lanczos(&picture, (tile, tile))])?;
            return Ok(PreparedImage { pixels, grid: ImageGrid { rows: 0, columns: 0 } });
        }
        let picture = lanczos(&picture, whole_tiles(picture.height(), picture.width(), tile));
        let grid = self.grid_of(&picture);
        if grid.rows == 0 {
            return Ok(PreparedImage { pixels: self.pixels(&[picture])?, grid });
        }
        let mut tiles = Vec::with_capacity(grid.patches() + 1);
        for row in 0..grid.rows as u32 {
            for column in 0..grid.columns as u32 {
                tiles.push(imageops::crop_imm(&picture, column * tile, row * tile, tile, tile).to_image());
            }
        }
        tiles.push(lanczos(&picture, (tile, tile)));
        Ok(PreparedImage { pixels: self.pixels(&tiles)?, grid })
    }

    /// The image resized to whole tiles, if preparing the result again would not resize it; otherwise the image itself.
    ///
    /// # Errors
    /// Fails as [`Self::prepare`] does.
    pub fn resized(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        let (width, height) = picture.dimensions();
        ensure!(width > 0 && height > 0, "expected an image with pixels, found {width} × {height}");
        if !self.do_image_splitting {
            return Ok((picture.clone(), ImageGrid { rows: 0, columns: 0 }));
        }
        let scaled = self.scaled(picture);
        let whole = lanczos(&scaled, whole_tiles(scaled.height(), scaled.width(), self.tile()));
        let grid = self.grid_of(&whole);
        let size = (whole.height(), whole.width());
        let stays = !self.do_resize || longest_to(size.0, size.1, self.size.longest_edge) == size;
        Ok((if stays { whole } else { picture.clone() }, grid))
    }

    /// The image with its longer side scaled to `size`.
    fn scaled(&self, picture: &RgbImage) -> RgbImage {
        if !self.do_resize {
            return picture.clone();
        }
        lanczos(picture, longest_to(picture.height(), picture.width(), self.size.longest_edge))
    }

    /// The tile grid of an image that consists of whole tiles; 0 × 0 for a single tile, which is not split.
    fn grid_of(&self, picture: &RgbImage) -> ImageGrid {
        let (rows, columns) = (picture.height() / self.tile(), picture.width() / self.tile());
        if rows <= 1 && columns <= 1 {
            return ImageGrid { rows: 0, columns: 0 };
        }
        ImageGrid { rows: rows as usize, columns: columns as usize }
    }

    fn pixels(&self, tiles: &[RgbImage]) -> Result<Tensor> {
        let side = self.tile() as usize;
        let factor = if self.do_rescale { self.rescale_factor } else { 1.0 };
        let mut values = Vec::with_capacity(tiles.len() * 3 * side * side);
        for tile in tiles {
            for channel in 0..3 {
                let (mean, deviation) =
                    if self.do_normalize { (self.image_mean[channel], self.image_std[channel]) } else { (0.0, 1.0) };
                let value = |pixel: &image::Rgb<u8>| ((f64::from(pixel.0[channel]) * factor - mean) / deviation) as f32;
                values.extend(tile.pixels().map(value));
            }
        }
        Ok(Tensor::from_vec(values, (tiles.len(), 3, side, side), &Device::Cpu)?)
    }
}

fn lanczos(picture: &RgbImage, (height, width): (u32, u32)) -> RgbImage {
    resize(picture, Filter::Lanczos, width, height)
}

/// (height, width) with the longer side at `longest` and the other side even (`get_resize_output_image_size`).
fn longest_to(height: u32, width: u32, longest: u32) -> (u32, u32) {
    let ratio = f64::from(width) / f64::from(height);
    let even = |side: f64| {
        let side = side as u32;
        (side + side % 2).max(1)
    };
    if width >= height {
        (even(f64::from(longest) / ratio), longest)
    } else {
        (longest, even(f64::from(longest) * ratio))
    }
}

/// (height, width) rounded up to whole tiles (`resize_for_vision_encoder`).
fn whole_tiles(height: u32, width: u32, tile: u32) -> (u32, u32) {
    let ratio = f64::from(width) / f64::from(height);
    let whole = |side: u32| side.div_ceil(tile).max(1) * tile;
    if width >= height {
        let width = whole(width);
        (whole((f64::from(width) / ratio) as u32), width)
    } else {
        let height = whole(height);
        (height, whole((f64::from(height) * ratio) as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_match_transformers() {
        // (height, width) to (height, width), from transformers.
        assert_eq!(longest_to(64, 64, 2048), (2048, 2048));
        assert_eq!(longest_to(203, 120, 2048), (2048, 1210));
        assert_eq!(longest_to(33, 57, 96), (56, 96));
        assert_eq!(longest_to(1, 500, 96), (1, 96));
        assert_eq!(whole_tiles(56, 96, 32), (64, 96));
        assert_eq!(whole_tiles(96, 56, 32), (96, 64));
        assert_eq!(whole_tiles(1, 96, 32), (32, 96));
    }

    #[test]
    fn a_picture_without_pixels_is_refused() {
        assert!(SmolVlmImageProcessor::default().prepare(&RgbImage::new(3, 0)).is_err());
    }
}
