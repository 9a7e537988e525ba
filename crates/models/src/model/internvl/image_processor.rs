//! `GotOcr2ImageProcessor`, which InternVL uses: an image is resized to a grid of square tiles of about its proportions, and a
//! thumbnail follows them; a small image is a single tile.

use crate::model::checkpoint::{CheckpointError, image_processor_json, refuse_other_steps, typed};
use crate::model::limits::check_scaling;
use crate::model::pillow_resize::resize_bicubic;
use crate::model::vlm::{ImageGrid, PreparedImage};
use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use image::{RgbImage, imageops};
use serde::Deserialize;
use std::path::Path;

/// Pillow's constant for bicubic resampling.
const BICUBIC: u32 = 3;
/// The most tiles and the most pixels of all tiles, whatever the file says; published processors have 12 tiles and a thumbnail
/// of 448 × 448 pixels each.
const MOST_TILES: usize = 64;
const MOST_PIXELS: usize = 1 << 25;

/// The settings of the image processor, with the defaults of transformers. `crop_to_patches` is not read: `InternVLProcessor`
/// always sets it.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct InternVlImageProcessor {
    size: TileSize,
    resample: u32,
    min_patches: usize,
    max_patches: usize,
    do_resize: bool,
    do_rescale: bool,
    rescale_factor: f64,
    do_normalize: bool,
    image_mean: [f64; 3],
    image_std: [f64; 3],
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct TileSize {
    height: u32,
    width: u32,
}

impl Default for InternVlImageProcessor {
    fn default() -> Self {
        Self {
            size: TileSize { height: 384, width: 384 },
            resample: BICUBIC,
            min_patches: 1,
            max_patches: 12,
            do_resize: true,
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
            image_std: [0.268_629_54, 0.261_302_58, 0.275_777_11],
        }
    }
}

impl InternVlImageProcessor {
    /// Reads the settings from `processor_config.json`, where transformers 5 nests them, or `preprocessor_config.json`, for
    /// a tower whose tiles have `side` pixels along a side.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or a field is out of range.
    pub fn read(folder: &Path, side: usize) -> Result<Self, CheckpointError> {
        let (file, value) = image_processor_json(folder)?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        refuse_other_steps(&value, &["do_resize", "do_rescale", "do_normalize"]).map_err(bad)?;
        let processor: Self = typed(value).map_err(|error| bad(format!("image processor: {error}")))?;
        let TileSize { height, width } = processor.size;
        if [height, width].iter().any(|found| *found as usize != side) {
            return Err(bad(format!(
                "field size: tiles are {height} by {width}, the image tower takes {side} by {side} (image_size of \
                 config.json)"
            )));
        }
        let (least, most) = (processor.min_patches, processor.max_patches);
        let allowed = MOST_TILES.min(MOST_PIXELS / (side * side).max(1));
        if least > most || !(1..=allowed).contains(&most) {
            return Err(bad(format!(
                "fields min_patches and max_patches: expected min_patches ≤ max_patches ≤ {allowed} with tiles of {side} by \
                 {side}, found {least} and {most}"
            )));
        }
        check_scaling(&processor.image_mean, &processor.image_std, processor.rescale_factor).map_err(bad)?;
        if processor.resample != BICUBIC {
            let found = processor.resample;
            return Err(bad(format!("field resample: expected {BICUBIC} (bicubic), found {found}")));
        }
        if !processor.do_resize {
            return Err(bad("field do_resize: expected true, since the tower takes one size".to_string()));
        }
        Ok(processor)
    }

    /// The tiles of an image in row-major order, then, if there are several, the whole image as one tile:
    /// `[tiles, 3, side, side]`.
    ///
    /// # Errors
    /// Fails if the image has no pixels.
    pub fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        let grid = self.grid_of(picture)?;
        let side = self.size.width;
        let canvas = resize_bicubic(picture, grid.columns as u32 * side, grid.rows as u32 * side);
        let mut tiles = Vec::with_capacity(grid.patches() + 1);
        for row in 0..grid.rows as u32 {
            for column in 0..grid.columns as u32 {
                tiles.push(imageops::crop_imm(&canvas, column * side, row * side, side, side).to_image());
            }
        }
        if tiles.len() > 1 {
            tiles.push(resize_bicubic(picture, side, side));
        }
        Ok(PreparedImage { pixels: self.pixels(&tiles)?, grid })
    }

    /// A single tile if the image is one. An image of several tiles is returned unchanged, since its thumbnail is computed
    /// from the image itself.
    ///
    /// # Errors
    /// Fails as [`Self::prepare`] does.
    pub fn resized(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        let grid = self.grid_of(picture)?;
        let side = self.size.width;
        Ok((if grid.patches() == 1 { resize_bicubic(picture, side, side) } else { picture.clone() }, grid))
    }

    /// The grid of tiles whose proportions are nearest to the image's (`get_optimal_tiled_canvas`). Of grids that are as near,
    /// a larger one is taken if it has less than twice the pixels of the image.
    fn grid_of(&self, picture: &RgbImage) -> Result<ImageGrid> {
        let (width, height) = picture.dimensions();
        ensure!(width > 0 && height > 0, "expected an image with pixels, found {width} × {height}");
        let mut best = ImageGrid { rows: 1, columns: 1 };
        if self.max_patches == 1 {
            return Ok(best);
        }
        let ratio = f64::from(width) / f64::from(height);
        let pixels = f64::from(width) * f64::from(height);
        let tile = f64::from(self.size.height) * f64::from(self.size.width);
        let mut least = f64::INFINITY;
        for grid in self.grids() {
            let difference = (ratio - grid.columns as f64 / grid.rows as f64).abs();
            let is_as_near = difference.total_cmp(&least).is_eq();
            if difference < least || (is_as_near && pixels > 0.5 * tile * grid.patches() as f64) {
                (least, best) = (difference, grid);
            }
        }
        Ok(best)
    }

    /// All grids with an allowed number of tiles, by this number and then by columns.
    fn grids(&self) -> Vec<ImageGrid> {
        let mut grids = Vec::new();
        for columns in 1..=self.max_patches {
            for rows in 1..=self.max_patches / columns {
                if rows * columns >= self.min_patches {
                    grids.push(ImageGrid { rows, columns });
                }
            }
        }
        grids.sort_by_key(|grid| grid.patches());
        grids
    }

    fn pixels(&self, tiles: &[RgbImage]) -> Result<Tensor> {
        let side = self.size.width as usize;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// (width, height) of an image to (columns, rows) of tiles with 448 pixels, from transformers.
    #[test]
    fn grids_match_transformers() {
        let processor =
            InternVlImageProcessor { size: TileSize { height: 448, width: 448 }, ..InternVlImageProcessor::default() };
        for (size, expected) in GRIDS {
            let grid = processor.grid_of(&RgbImage::new(size.0, size.1)).unwrap();
            assert_eq!((grid.columns, grid.rows), expected, "{size:?}");
        }
    }

    const GRIDS: [((u32, u32), (usize, usize)); 15] = [
        ((448, 448), (1, 1)),
        ((640, 640), (2, 2)),
        ((1000, 1000), (3, 3)),
        ((224, 448), (1, 2)),
        ((800, 600), (4, 3)),
        ((1024, 768), (4, 3)),
        ((600, 800), (3, 4)),
        ((2000, 300), (7, 1)),
        ((30, 400), (1, 12)),
        ((1345, 897), (3, 2)),
        ((896, 448), (2, 1)),
        ((1500, 750), (4, 2)),
        ((1792, 896), (4, 2)),
        ((500, 1500), (1, 3)),
        ((5, 9), (1, 2)),
    ];

    #[test]
    fn a_picture_without_pixels_is_refused() {
        assert!(InternVlImageProcessor::default().prepare(&RgbImage::new(3, 0)).is_err());
    }
}
