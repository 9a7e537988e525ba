//! An 8 × 8 grid over an image, and the image with a block of it covered by its mean colour.

use dissent_core::data::Picture;
use dissent_core::files::fingerprint::Fingerprint;
use image::{DynamicImage, Rgb, RgbImage};
use serde::Serialize;

/// Rows and columns of the grid.
pub const GRID: usize = 8;
/// Increased when a covered image would look different; it is part of the key of the reader's answer.
const COVER_VERSION: &str = "covered 1";

/// Which image of a prompt the regions are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RegionImage {
    Document,
    Query,
}

/// A cell of the grid; (0, 0) is at the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Region {
    pub row: usize,
    pub column: usize,
}

/// A square of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub row: usize,
    pub column: usize,
    /// Cells on a side.
    pub side: usize,
}

impl Block {
    /// All blocks with `side` cells on a side, row by row; `side` divides [`GRID`].
    pub fn tiling(side: usize) -> Vec<Self> {
        let starts = || (0..GRID).step_by(side);
        starts().flat_map(|row| starts().map(move |column| Self { row, column, side })).collect()
    }

    /// The cells of the block, row by row.
    pub fn cells(self) -> impl Iterator<Item = Region> {
        (self.row..self.row + self.side)
            .flat_map(move |row| (self.column..self.column + self.side).map(move |column| Region { row, column }))
    }

    /// The pixels that the block covers in an image of this size: left, top, right and bottom, the last two exclusive.
    pub fn pixels(self, width: u32, height: u32) -> (u32, u32, u32, u32) {
        let at = |cell: usize, length: u32| (cell as u64 * u64::from(length) / GRID as u64) as u32;
        let (right, bottom) = (at(self.column + self.side, width), at(self.row + self.side, height));
        (at(self.column, width), at(self.row, height), right, bottom)
    }
}

/// The mean colour of what the models see.
pub fn mean_colour(image: &RgbImage) -> [u8; 3] {
    let mut sums = [0_u64; 3];
    for pixel in image.pixels() {
        for (sum, value) in sums.iter_mut().zip(pixel.0) {
            *sum += u64::from(value);
        }
    }
    let count = u64::from(image.width()) * u64::from(image.height());
    sums.map(|sum| ((sum + count / 2) / count.max(1)) as u8)
}

/// The picture with these blocks in its mean colour. It has a fingerprint of its own, so that no cache takes it for the
/// original or the reverse. `None` if the blocks cover no pixel, which happens in images of fewer than eight pixels.
pub fn covered_picture(picture: &Picture, seen: &RgbImage, mean: [u8; 3], blocks: &[Block]) -> Option<Picture> {
    let mut image = seen.clone();
    let mut parts = vec![COVER_VERSION.to_owned(), picture.fingerprint.as_str().to_owned()];
    let mut is_changed = false;
    for block in blocks {
        let (left, top, right, bottom) = block.pixels(image.width(), image.height());
        for y in top..bottom {
            for x in left..right {
                image.put_pixel(x, y, Rgb(mean));
                is_changed = true;
            }
        }
        parts.push(format!("{} {} {}", block.row, block.column, block.side));
    }
    let fingerprint = Fingerprint::of_parts(parts.iter().map(String::as_str));
    let image = DynamicImage::ImageRgb8(image);
    is_changed.then(|| Picture { path: picture.path.clone(), fingerprint, image, window: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::path::PathBuf;

    fn picture(width: u32, height: u32) -> Picture {
        let image = image::GrayImage::from_fn(width, height, |x, y| image::Luma([((x * 7 + y * 13) % 200) as u8]));
        Picture {
            path: PathBuf::from("p.png"),
            fingerprint: Fingerprint::of_bytes(b"p"),
            image: DynamicImage::ImageLuma8(image),
            window: None,
        }
    }

    #[test]
    fn the_blocks_of_a_tiling_cover_every_pixel_once() {
        for (width, height) in [(64, 64), (61, 8), (224, 130), (5, 100)] {
            for side in [1, 2, 4, 8] {
                let mut covered = vec![0; (width * height) as usize];
                for block in Block::tiling(side) {
                    let (left, top, right, bottom) = block.pixels(width, height);
                    for y in top..bottom {
                        for x in left..right {
                            covered[(y * width + x) as usize] += 1;
                        }
                    }
                }
                assert!(covered.iter().all(|count| *count == 1), "{width} x {height} in blocks of {side}");
            }
        }
    }

    #[test]
    fn a_covered_picture_differs_in_its_block_and_has_its_own_fingerprint() {
        let picture = picture(64, 64);
        let seen = picture.to_rgb8();
        let mean = mean_colour(&seen);
        let mut fingerprints = HashSet::from([picture.fingerprint.clone()]);
        for block in Block::tiling(1) {
            let covered = covered_picture(&picture, &seen, mean, &[block]).unwrap();
            let (left, top, right, bottom) = block.pixels(64, 64);
            for (x, y, pixel) in covered.to_rgb8().enumerate_pixels() {
                let is_inside = (left..right).contains(&x) && (top..bottom).contains(&y);
                let expected = if is_inside { mean } else { seen.get_pixel(x, y).0 };
                assert_eq!(pixel.0, expected);
            }
            assert!(fingerprints.insert(covered.fingerprint), "every covered picture has a fingerprint of its own");
        }
    }

    #[test]
    fn a_block_without_pixels_covers_nothing() {
        let small = picture(4, 4);
        let seen = small.to_rgb8();
        let covered = Block::tiling(1).into_iter().filter_map(|block| covered_picture(&small, &seen, [9; 3], &[block]));
        assert_eq!(covered.count(), 16);
    }

    #[test]
    fn the_mean_is_that_of_all_pixels() {
        let image = RgbImage::from_fn(2, 1, |x, _| Rgb(if x == 0 { [0, 10, 255] } else { [10, 11, 255] }));
        assert_eq!(mean_colour(&image), [5, 11, 255]);
    }
}
