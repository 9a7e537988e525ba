//! One picture straight to the terminal, through viuer. Nothing else is drawn around it: the explorer has its own way.
//!
//! viuer asks the terminal for its graphics and waits for the answer without end. So it may ask only where a query with
//! a time-out has been answered before; the other protocols are decided by flag and environment.

use super::Common;
use super::output::{print_line, say};
use crate::data::Picture;
use crate::tui::depth::{Depth, color_depth, image_mode};
use crate::tui::images::{ImageMode, stretch_deep_grey};
use anyhow::{Context, Result};
use image::DynamicImage;
use image::imageops::FilterType;
use ratatui_image::picker::{Picker, ProtocolType};
use std::io::{self, ErrorKind, IsTerminal};

/// From dark to light, where there are no colours to draw with.
const GLYPHS: &[u8] = b" .:-=+*#%@";
/// Pixels of a cell that a pixel protocol is sent, about what terminals have.
const CELL_PIXELS: (u32, u32) = (10, 20);

/// How pictures are printed, decided once.
pub(super) struct PicturePrinter {
    mode: Mode,
    depth: Depth,
    /// Columns and rows that a picture may take.
    size: (u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    Half,
    Kitty,
    Iterm,
}

impl PicturePrinter {
    /// Decides by flags, environment and, for kitty alone, by asking the terminal (2 seconds at most).
    pub fn new(common: &Common) -> Self {
        let environment = |name: &str| std::env::var(name).ok();
        let automatic = common.images == super::ImageProtocol::Auto;
        let on_terminal = io::stdout().is_terminal();
        let wanted = image_mode(common.images, &environment);
        let mode = match wanted {
            ImageMode::Off => Mode::Off,
            // A file or a pipe gets no picture unless it was asked for.
            _ if automatic && !on_terminal => Mode::Off,
            ImageMode::Half => Mode::Half,
            ImageMode::Kitty { .. } if on_terminal && io::stdin().is_terminal() && answers_kitty() => Mode::Kitty,
            ImageMode::Iterm { .. } if on_terminal && viuer::is_iterm_supported() => Mode::Iterm,
            ImageMode::Kitty { .. } | ImageMode::Iterm { .. } | ImageMode::Sixel { .. } => {
                if !automatic {
                    say(&format!("note: no {} graphics here, drawing with half-blocks", wanted.name()));
                }
                Mode::Half
            }
        };
        let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
        let size = (u32::from(columns.max(2)), u32::from(rows.saturating_sub(2).max(2)));
        Self { mode, depth: color_depth(common.color, &environment), size }
    }

    /// Prints at the cursor, at most `most_rows` rows high, and ends the line.
    pub fn print(&self, picture: &Picture, most_rows: u32) -> Result<()> {
        if self.mode == Mode::Off {
            return Ok(());
        }
        let (columns, rows) = fit(picture.width(), picture.height(), self.size.0, self.size.1.min(most_rows));
        let image = stretch_deep_grey(&picture.image);
        let colourless = matches!(self.depth, Depth::Monochrome | Depth::Named);
        if self.mode == Mode::Half && colourless {
            return print_line(&glyphs(&image, columns, rows));
        }
        let (width, height) = match self.mode {
            // viuer's own arithmetic: an odd height leaves the last half row empty.
            Mode::Half | Mode::Off => (columns, 2 * rows),
            Mode::Kitty | Mode::Iterm => (columns * CELL_PIXELS.0, rows * CELL_PIXELS.1),
        };
        let scaled = DynamicImage::ImageRgba8(image.resize_exact(width, height, FilterType::CatmullRom).to_rgba8());
        let config = viuer::Config {
            absolute_offset: false,
            width: Some(columns),
            height: Some(rows),
            truecolor: self.depth == Depth::Truecolor,
            use_kitty: self.mode == Mode::Kitty,
            use_iterm: self.mode == Mode::Iterm,
            ..viuer::Config::default()
        };
        match viuer::print(&scaled, &config) {
            // A reader that has gone (`| head`) is no error.
            Err(viuer::ViuError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result.map(drop).with_context(|| format!("cannot print {}", picture.path.display())),
        }
    }
}

/// Whether the terminal answers a query for kitty graphics in time.
fn answers_kitty() -> bool {
    Picker::from_query_stdio().is_ok_and(|picker| picker.protocol_type() == ProtocolType::Kitty)
}

/// Columns and rows of an image in a terminal whose cells are twice as high as wide: its shape is kept, it fills
/// `columns` or `rows`, and no pixel becomes wider than four columns.
fn fit(width: u32, height: u32, columns: u32, rows: u32) -> (u32, u32) {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let scale = (f64::from(columns) / width).min(f64::from(2 * rows) / height).min(4.0);
    let cells = |length: f64| (length.round() as u32).max(1);
    (cells(width * scale).min(columns), cells(height * scale / 2.0).min(rows))
}

fn glyphs(image: &DynamicImage, columns: u32, rows: u32) -> String {
    let grey = image.resize_exact(columns, rows, FilterType::CatmullRom).to_luma8();
    let glyph = |pixel: &image::Luma<u8>| char::from(GLYPHS[usize::from(pixel.0[0]) * (GLYPHS.len() - 1) / 255]);
    let lines: Vec<String> = grey.rows().map(|row| row.map(glyph).collect::<String>().trim_end().to_string()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_keeps_its_shape_and_stays_inside() {
        assert_eq!(fit(1000, 1000, 80, 22), (44, 22));
        assert_eq!(fit(2000, 500, 80, 22), (80, 10));
        assert_eq!(fit(28, 28, 200, 60), (112, 56), "a small one is enlarged, not beyond four columns a pixel");
        assert_eq!(fit(1, 4000, 80, 22), (1, 22));
    }

    #[test]
    fn without_colours_brightness_is_a_glyph() {
        let image = DynamicImage::ImageLuma8(image::GrayImage::from_fn(10, 2, |x, _| image::Luma([x as u8 * 28])));
        let text = glyphs(&image, 10, 2);
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line.starts_with(' ') && line.ends_with(['%', '@'])), "{text}");
    }
}
