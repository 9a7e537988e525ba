//! How near block characters come to a film: structural similarity of what the screen shows.
#![allow(dead_code, clippy::unwrap_used)]

use dissent::data::Picture;
use dissent::terminal::block_glyphs::BlockPattern;
use dissent::terminal::image_protocol::ImageMode;
use dissent::terminal::images::{ImageView, PictureKey, encode};
use image::imageops::FilterType;
use image::{GrayImage, Luma};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Color;
use ratatui::widgets::Widget;
use ratatui_image::FontSize;

/// Pixels of a cell of the imagined terminal.
const CELL: (u32, u32) = (8, 16);

/// The film, drawn in at most `size` cells by the explorer's own code.
pub fn drawn(film: &Picture, size: Size, mode: ImageMode) -> Buffer {
    let key = PictureKey { path: film.path.clone(), size, view: ImageView::default() };
    let scaled = encode(film, &key, mode, FontSize::new(8, 16), 1).unwrap();
    let mut buffer = Buffer::empty(Rect::from((Position::ORIGIN, scaled.size())));
    scaled.render(buffer.area, &mut buffer);
    buffer
}

/// Mean structural similarity of the drawn film to the film itself, both at 8×16 pixels a cell.
pub fn similarity(film: &Picture, size: Size, mode: ImageMode) -> f64 {
    let shown = pixels(&drawn(film, size, mode));
    let film = film.as_models_see().to_luma8();
    let film = image::imageops::resize(&film, shown.width(), shown.height(), FilterType::CatmullRom);
    structural_similarity(&film, &shown)
}

/// The pixels of a terminal that fills the parts of each block character exactly.
fn pixels(buffer: &Buffer) -> GrayImage {
    let (width, height) = (u32::from(buffer.area.width) * CELL.0, u32::from(buffer.area.height) * CELL.1);
    GrayImage::from_fn(width, height, |x, y| {
        let cell = &buffer[((x / CELL.0) as u16, (y / CELL.1) as u16)];
        let fills = BlockPattern::of(cell.symbol()).is_some_and(|pattern| {
            let (columns, rows) = (u32::from(pattern.grid().columns()), u32::from(pattern.grid().rows()));
            let column = x % CELL.0 * columns / CELL.0;
            let row = (1..rows).take_while(|row| row * CELL.1 / rows <= y % CELL.1).count();
            pattern.fills(column as usize, row)
        });
        let Color::Rgb(red, green, blue) = (if fills { cell.fg } else { cell.bg }) else { panic!("no RGB: {cell:?}") };
        let luminance = (u32::from(red) * 2126 + u32::from(green) * 7152 + u32::from(blue) * 722) / 10_000;
        Luma([luminance as u8])
    })
}

/// As `skimage.metrics.structural_similarity` computes it for images of 8 bits by default: windows of 7×7 pixels with equal
/// weights, sample covariance, K1 = 0.01, K2 = 0.03, without the windows that leave the image.
fn structural_similarity(one: &GrayImage, other: &GrayImage) -> f64 {
    const WINDOW: u32 = 7;
    let count = f64::from(WINDOW * WINDOW);
    let (c1, c2) = ((0.01 * 255.0_f64).powi(2), (0.03 * 255.0_f64).powi(2));
    let (mut sum, mut windows) = (0.0, 0.0);
    for top in 0..=one.height() - WINDOW {
        for left in 0..=one.width() - WINDOW {
            // Sums of a, b, aa, bb, ab.
            let mut sums = [0.0; 5];
            for y in top..top + WINDOW {
                for x in left..left + WINDOW {
                    let (a, b) = (f64::from(one.get_pixel(x, y).0[0]), f64::from(other.get_pixel(x, y).0[0]));
                    for (sum, value) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
                        *sum += value;
                    }
                }
            }
            let [a, b, aa, bb, ab] = sums.map(|sum| sum / count);
            let sample = count / (count - 1.0);
            let (var_a, var_b, cov) = (sample * (aa - a * a), sample * (bb - b * b), sample * (ab - a * b));
            sum += (2.0 * a * b + c1) * (2.0 * cov + c2) / ((a * a + b * b + c1) * (var_a + var_b + c2));
            windows += 1.0;
        }
    }
    sum / windows
}
