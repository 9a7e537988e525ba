//! Prints one picture on the terminal, for commands without the explorer: with block characters, or in pixels by viuer.

use super::Common;
use crate::data::Picture;
use crate::output::{print_line, print_styled, say};
use crate::terminal::block_glyphs::BlockGrid;
use crate::terminal::block_support::best_grid;
use crate::terminal::color_depth::{Depth, color_depth};
use crate::terminal::image_protocol::{ImageMode, ImageProtocol, PixelProtocol, image_mode};
use crate::terminal::images::{as_first_seen, in_blocks};
use crate::terminal::print_pixels::fit;
use crate::terminal::quantise::quantise;
use crate::terminal::size::terminal_size;
use crate::terminal::styled_text::styled_text;
use anyhow::{Context, Result};
use image::DynamicImage;
use image::imageops::FilterType;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Widget;
use std::io::{self, ErrorKind, IsTerminal};

/// Glyphs from dark to light, for terminals without colours.
const GLYPHS: &[u8] = b" .:-=+*#%@";

/// The way to print pictures, chosen once.
pub(super) struct PicturePrinter {
    mode: Mode,
    depth: Depth,
    /// Columns and rows available for a picture.
    size: (u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    Blocks(BlockGrid),
    Pixels(PixelProtocol),
}

impl PicturePrinter {
    /// Chooses by flags, configuration, environment and, for kitty and sixel, by a query to the terminal (at most 2 seconds).
    /// The terminal's name is not asked: its answer would take with it what a person has typed for the next command.
    pub fn new(common: &Common) -> Self {
        let environment = |name: &str| std::env::var(name).ok();
        let choice = common.images();
        let is_given = common.images.is_some_and(|images| images != ImageProtocol::Auto);
        let is_asked_for = is_given && !common.images_are_configured;
        let on_terminal = io::stdout().is_terminal();
        let wanted = image_mode(choice, &environment, || None, || false);
        let mode = match wanted.block_grid() {
            _ if wanted == ImageMode::Off => Mode::Off,
            // A file or a pipe gets no picture unless a way to draw it was given.
            _ if !is_asked_for && !on_terminal => Mode::Off,
            Some(grid) => Mode::Blocks(grid),
            None => {
                let pixels =
                    (on_terminal && io::stdin().is_terminal()).then(|| PixelProtocol::confirmed(wanted)).flatten();
                let grid = best_grid(&environment, || None);
                if pixels.is_none() && choice != ImageProtocol::Auto {
                    say(&format!(
                        "note: this terminal does not support {} graphics; drawing with {}",
                        wanted.name(),
                        ImageMode::from(grid).name()
                    ));
                }
                pixels.map_or(Mode::Blocks(grid), Mode::Pixels)
            }
        };
        let (columns, rows) = terminal_size();
        let size = (u32::from(columns.max(2)), u32::from(rows.saturating_sub(2).max(2)));
        Self { mode, depth: color_depth(common.color, &environment), size }
    }

    /// Prints at the cursor, at most `most_rows` rows high, and ends the line.
    pub fn print(&self, picture: &Picture, most_rows: u32) -> Result<()> {
        let (columns, rows) = fit((picture.width(), picture.height()), (self.size.0, self.size.1.min(most_rows)));
        let image = as_first_seen(picture);
        let colourless = matches!(self.depth, Depth::Monochrome | Depth::Named);
        let printed = match self.mode {
            Mode::Off => return Ok(()),
            Mode::Blocks(_) if colourless => return print_line(&glyphs(&image, columns, rows)),
            Mode::Blocks(grid) => return print_styled(&self.in_blocks(&image, columns, rows, grid)),
            Mode::Pixels(pixels) => pixels.print(&image, (columns, rows)),
        };
        match printed {
            // A closed pipe (`| head`) is not an error.
            Err(viuer::ViuError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result.with_context(|| format!("cannot print {}", picture.path.display())),
        }
    }

    fn in_blocks(&self, image: &DynamicImage, columns: u32, rows: u32, grid: BlockGrid) -> String {
        // Both come from the size of the terminal, which is 16 bits wide.
        let cells = Size::new(columns as u16, rows as u16);
        let mut buffer = Buffer::empty(Rect::new(0, 0, cells.width, cells.height));
        in_blocks(image, cells, grid).render(buffer.area, &mut buffer);
        quantise(&mut buffer, self.depth);
        styled_text(&buffer)
    }
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
    fn without_colours_brightness_is_a_glyph() {
        let image = DynamicImage::ImageLuma8(image::GrayImage::from_fn(10, 2, |x, _| image::Luma([x as u8 * 28])));
        let text = glyphs(&image, 10, 2);
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line.starts_with(' ') && line.ends_with(['%', '@'])), "{text}");
    }
}
