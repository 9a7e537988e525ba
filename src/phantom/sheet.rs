//! A contact sheet: every entity and every grade at a glance.

use super::field::SIDE;
use super::rng::PhantomRng;
use super::{fundus, ultrasound};
use image::{DynamicImage, GenericImage, Rgb, RgbImage, imageops};

const GAP: u32 = 2;
const COLUMNS: u32 = 8;
const ULTRASOUND_ROWS: u32 = 8;
const FUNDUS_ROWS: u32 = 5;

/// Draws the sheet, every pixel `scale` times enlarged. Rows: margin smooth, lobulated, spiculated, indistinct, two rows
/// each, pairs of columns: interior homogeneous, dotted, septated, hollow; then fundus grades 0 to 4, a row each.
pub fn draw_sheet(seed: u64, scale: u32) -> anyhow::Result<RgbImage> {
    let cell = SIDE as u32 + GAP;
    let mut sheet =
        RgbImage::from_pixel(COLUMNS * cell + GAP, (ULTRASOUND_ROWS + FUNDUS_ROWS) * cell + GAP, Rgb([24; 3]));
    for row in 0..ULTRASOUND_ROWS + FUNDUS_ROWS {
        for column in 0..COLUMNS {
            let mut rng = PhantomRng::new(seed, u64::from(row * COLUMNS + column));
            let picture = if row < ULTRASOUND_ROWS {
                ultrasound_cell(row, column, &mut rng)
            } else {
                fundus_cell(row - ULTRASOUND_ROWS, &mut rng)
            };
            sheet.copy_from(&picture, GAP + column * cell, GAP + row * cell)?;
        }
    }
    let (width, height) = sheet.dimensions();
    Ok(imageops::resize(&sheet, width * scale, height * scale, imageops::FilterType::Nearest))
}

fn ultrasound_cell(row: u32, column: u32, rng: &mut PhantomRng) -> RgbImage {
    let entity = ultrasound::Entity {
        margin: ultrasound::Margin::ALL[row as usize / 2],
        interior: ultrasound::Interior::ALL[column as usize / 2],
    };
    let attributes = ultrasound::Attributes::draw(entity, rng);
    DynamicImage::ImageLuma8(ultrasound::draw(&attributes, &ultrasound::Params::default(), rng)).into_rgb8()
}

fn fundus_cell(row: u32, rng: &mut PhantomRng) -> RgbImage {
    let attributes = fundus::Attributes::draw(fundus::Grade::ALL[row as usize], rng);
    fundus::draw(&attributes, &fundus::Params::default(), rng)
}
