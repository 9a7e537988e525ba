//! Pixel images through viuer: for `dissent show`, and for one image over the whole screen of the explorer.
//!
//! viuer queries the terminal and waits for the answers without a time-out, reading the keyboard. It is therefore
//! used only after a query with a time-out was answered, and in the explorer only by the thread that reads the keys.

use super::image_protocol::PixelProtocol;
use super::images::ImageView;
use crate::data::Picture;
use anyhow::{Context, Result};
use crossterm::cursor::MoveTo;
use crossterm::execute;
use crossterm::terminal::{Clear, ClearType};
use image::DynamicImage;
use image::imageops::FilterType;
use ratatui::layout::Size;
use std::io::stdout;
use std::path::PathBuf;

/// Assumed size of a cell in pixels.
const CELL: (u32, u32) = (10, 20);

impl PixelProtocol {
    /// Prints an image at the cursor, this many columns wide and rows high.
    ///
    /// # Errors
    /// Fails if the terminal cannot be written to or rejects the image.
    pub fn print(self, image: &DynamicImage, (columns, rows): (u32, u32)) -> Result<(), viuer::ViuError> {
        let scaled = image.resize_exact(columns * CELL.0, rows * CELL.1, FilterType::CatmullRom);
        let config = viuer::Config {
            absolute_offset: false,
            width: Some(columns),
            height: Some(rows),
            use_kitty: self == Self::Kitty,
            use_iterm: self == Self::Iterm,
            use_sixel: self == Self::Sixel,
            ..viuer::Config::default()
        };
        viuer::print(&DynamicImage::ImageRgba8(scaled.to_rgba8()), &config).map(drop)
    }
}

/// An image to be shown over the whole screen.
#[derive(Clone, Debug)]
pub struct FullScreenImage {
    /// Number of the request, counting dismissals.
    pub number: usize,
    pub path: PathBuf,
    pub view: ImageView,
    /// Available cells, from the upper left corner.
    pub size: Size,
}

impl FullScreenImage {
    /// Reads the file and prints the part that the view shows.
    ///
    /// # Errors
    /// Fails if the file is not an image or the terminal cannot be written to.
    pub fn print(&self, pixels: PixelProtocol) -> Result<()> {
        let picture = Picture::read(&self.path)?;
        let cells = (u32::from(self.size.width), u32::from(self.size.height));
        let grid = Size::new(
            u16::try_from(cells.0 * CELL.0).unwrap_or(u16::MAX),
            u16::try_from(cells.1 * CELL.1).unwrap_or(u16::MAX),
        );
        let image = self.view.apply(&picture, grid);
        let size = fit((image.width(), image.height()), cells);
        // Another image may have been printed since the screen was cleared.
        execute!(stdout(), Clear(ClearType::All), MoveTo(0, 0)).context("cannot write to the terminal")?;
        pixels.print(&image, size).with_context(|| format!("cannot show {}", self.path.display()))
    }
}

/// Columns and rows of an image in cells that are twice as high as wide: it keeps its shape and fills the columns or
/// the rows, but no pixel becomes wider than four columns.
pub fn fit((width, height): (u32, u32), (columns, rows): (u32, u32)) -> (u32, u32) {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let scale = (f64::from(columns) / width).min(f64::from(2 * rows) / height).min(4.0);
    let cells = |length: f64| (length.round() as u32).max(1);
    (cells(width * scale).min(columns), cells(height * scale / 2.0).min(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_keeps_its_shape_and_stays_inside() {
        assert_eq!(fit((1000, 1000), (80, 22)), (44, 22));
        assert_eq!(fit((2000, 500), (80, 22)), (80, 10));
        assert_eq!(fit((28, 28), (200, 60)), (112, 56), "a small one is enlarged, not beyond four columns a pixel");
        assert_eq!(fit((1, 4000), (80, 22)), (1, 22));
    }
}
