//! Prints one picture on the terminal with viuer, for commands without the explorer.

use super::Common;
use crate::data::Picture;
use crate::output::{print_line, say};
use crate::terminal::color_depth::{Depth, color_depth};
use crate::terminal::image_protocol::{ImageMode, PixelProtocol, image_mode};
use crate::terminal::images::as_first_seen;
use crate::terminal::print_pixels::fit;
use crate::terminal::size::terminal_size;
use anyhow::{Context, Result};
use image::DynamicImage;
use image::imageops::FilterType;
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
    Half,
    Pixels(PixelProtocol),
}

impl PicturePrinter {
    /// Chooses by flags, environment and, for kitty and sixel, by a query to the terminal (at most 2 seconds).
    pub fn new(common: &Common) -> Self {
        let environment = |name: &str| std::env::var(name).ok();
        let automatic = common.images == super::ImageProtocol::Auto;
        let on_terminal = io::stdout().is_terminal();
        let wanted = image_mode(common.images, &environment);
        let mode = match wanted {
            ImageMode::Off => Mode::Off,
            // A file or a pipe gets no picture unless a protocol was chosen.
            _ if automatic && !on_terminal => Mode::Off,
            ImageMode::Half => Mode::Half,
            _ => {
                let pixels =
                    (on_terminal && io::stdin().is_terminal()).then(|| PixelProtocol::confirmed(wanted)).flatten();
                if pixels.is_none() && !automatic {
                    say(&format!(
                        "note: this terminal does not support {} graphics; drawing with half-blocks",
                        wanted.name()
                    ));
                }
                pixels.map_or(Mode::Half, Mode::Pixels)
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
            Mode::Half if colourless => return print_line(&glyphs(&image, columns, rows)),
            Mode::Half => self.print_half_blocks(&image, columns, rows),
            Mode::Pixels(pixels) => pixels.print(&image, (columns, rows)),
        };
        match printed {
            // A closed pipe (`| head`) is not an error.
            Err(viuer::ViuError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result.with_context(|| format!("cannot print {}", picture.path.display())),
        }
    }

    fn print_half_blocks(&self, image: &DynamicImage, columns: u32, rows: u32) -> Result<(), viuer::ViuError> {
        // viuer computes it so: an odd height leaves the last half row empty.
        let scaled = image.resize_exact(columns, 2 * rows, FilterType::CatmullRom);
        let config = viuer::Config {
            absolute_offset: false,
            width: Some(columns),
            height: Some(rows),
            truecolor: self.depth == Depth::Truecolor,
            use_kitty: false,
            use_iterm: false,
            use_sixel: false,
            ..viuer::Config::default()
        };
        viuer::print(&DynamicImage::ImageRgba8(scaled.to_rgba8()), &config).map(drop)
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
