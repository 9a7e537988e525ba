//! Converts the colours of a finished frame into those that the terminal has.
//!
//! ratatui and crossterm do not convert colours: a 256-colour terminal would show true colour wrongly or not at all,
//! and crossterm's `NO_COLOR` mode also drops bold and reverse, and with them the selection.

use super::block_glyphs::BlockPattern;
use super::color_depth::Depth;
use super::image_protocol::KITTY_PLACEHOLDER;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;

/// Red, green and blue.
type Rgb = (u8, u8, u8);

/// Glyphs from dark to light, for terminals that cannot shade.
const DENSITY: [&str; 8] = [" ", ".", ":", "-", "=", "+", "#", "@"];

/// Rewrites every cell for this depth.
pub fn quantise(buffer: &mut Buffer, depth: Depth) {
    if depth == Depth::Truecolor {
        return;
    }
    for cell in &mut buffer.content {
        // Another colour would be another image.
        if cell.symbol().contains(KITTY_PLACEHOLDER) {
            continue;
        }
        match depth {
            Depth::Truecolor => {}
            Depth::Indexed => {
                cell.fg = indexed(cell.fg);
                cell.bg = indexed(cell.bg);
            }
            Depth::Named => named_cell(cell),
            Depth::Monochrome => monochrome_cell(cell),
        }
    }
}

fn named_cell(cell: &mut Cell) {
    if let Some(mean) = mean_of_image_cell(cell) {
        let color = if is_grey(mean) { Color::Gray } else { nearest_named(mean) };
        cell.set_symbol(density(mean));
        cell.fg = color;
        cell.bg = Color::Black;
        return;
    }
    cell.fg = named(cell.fg);
    cell.bg = named(cell.bg);
}

fn monochrome_cell(cell: &mut Cell) {
    if let Some(mean) = mean_of_image_cell(cell) {
        cell.set_symbol(density(mean));
    }
    cell.fg = Color::Reset;
    cell.bg = Color::Reset;
}

/// The mean colour of a cell of an image: a block character, or a space of one colour, with both colours given in RGB. Text
/// never looks like that.
fn mean_of_image_cell(cell: &Cell) -> Option<Rgb> {
    let (Color::Rgb(r, g, b), Color::Rgb(r2, g2, b2)) = (cell.fg, cell.bg) else { return None };
    if cell.symbol() == " " {
        return (cell.fg == cell.bg).then_some((r, g, b));
    }
    let (filled, parts) = BlockPattern::of(cell.symbol())?.filled();
    let mean = |front: u8, back: u8| {
        let sum = u32::from(front) * filled + u32::from(back) * (parts - filled);
        u8::try_from(sum / parts).unwrap_or(u8::MAX)
    };
    Some((mean(r, r2), mean(g, g2), mean(b, b2)))
}

/// Luminance with ITU-R BT.709 weights, 0 to 255.
fn luminance((r, g, b): Rgb) -> u8 {
    let sum = u32::from(r) * 2126 + u32::from(g) * 7152 + u32::from(b) * 722;
    u8::try_from(sum / 10_000).unwrap_or(u8::MAX)
}

fn density(color: Rgb) -> &'static str {
    DENSITY[usize::from(luminance(color)) * DENSITY.len() / 256]
}

fn is_grey((r, g, b): Rgb) -> bool {
    r.max(g).max(b) - r.min(g).min(b) < 24
}

fn indexed(color: Color) -> Color {
    let Color::Rgb(r, g, b) = color else { return color };
    Color::Indexed(nearest_indexed((r, g, b)))
}

/// The nearest of the colours 16 to 255; greys use the finer grey ramp, never a tinted colour of the cube.
fn nearest_indexed(color: Rgb) -> u8 {
    let (r, g, b) = color;
    let ramp_step = (u16::from(luminance(color)).saturating_sub(3) / 10).min(23);
    let ramp_value = u8::try_from(8 + ramp_step * 10).unwrap_or(u8::MAX);
    let ramp = 232 + u8::try_from(ramp_step).unwrap_or(23);
    // The ramp has no black and no white.
    if r.max(g).max(b) < 4 {
        return 16;
    }
    if r.min(g).min(b) > 246 {
        return 231;
    }
    if r.max(g).max(b) - r.min(g).min(b) < 8 {
        return ramp;
    }
    let (red, green, blue) = (cube_step(r), cube_step(g), cube_step(b));
    let cube = 16 + 36 * red + 6 * green + blue;
    let cube_color = (cube_value(red), cube_value(green), cube_value(blue));
    if distance(color, cube_color) <= distance(color, (ramp_value, ramp_value, ramp_value)) { cube } else { ramp }
}

/// Step 0 to 5 of the cube, whose values are 0, 95, 135, 175, 215, 255.
fn cube_step(value: u8) -> u8 {
    match value {
        0..48 => 0,
        48..115 => 1,
        _ => (value - 35) / 40,
    }
}

fn cube_value(step: u8) -> u8 {
    if step == 0 { 0 } else { 55 + step * 40 }
}

fn distance(one: Rgb, other: Rgb) -> u32 {
    let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    square(one.0, other.0) + square(one.1, other.1) + square(one.2, other.2)
}

/// The named colours as xterm shows them, without black and white, which vanish on some backgrounds.
const NAMED: [(Color, Rgb); 12] = [
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (0, 0, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::LightRed, (255, 85, 85)),
    (Color::LightGreen, (85, 255, 85)),
    (Color::LightYellow, (255, 255, 85)),
    (Color::LightBlue, (92, 92, 255)),
    (Color::LightMagenta, (255, 85, 255)),
    (Color::LightCyan, (85, 255, 255)),
];

fn named(color: Color) -> Color {
    let rgb = match color {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(_) => return Color::Reset,
        _ => return color,
    };
    if !is_grey(rgb) {
        return nearest_named(rgb);
    }
    match luminance(rgb) {
        0..48 => Color::Black,
        48..128 => Color::DarkGray,
        128..208 => Color::Gray,
        _ => Color::White,
    }
}

fn nearest_named(color: Rgb) -> Color {
    let mut best = NAMED[0];
    for candidate in NAMED {
        if distance(color, candidate.1) < distance(color, best.1) {
            best = candidate;
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use crate::terminal::quantise::*;
    use ratatui::layout::Rect;
    use ratatui::style::{Modifier, Style};

    fn quantised(symbol: &str, style: Style, depth: Depth) -> Cell {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        buffer.set_string(0, 0, symbol, style);
        quantise(&mut buffer, depth);
        buffer.content[0].clone()
    }

    fn grey(value: u8) -> Color {
        Color::Rgb(value, value, value)
    }

    #[test]
    fn greys_use_the_ramp_and_stay_in_order() {
        let mut last = 0;
        for value in 4..=246 {
            let Color::Indexed(index) = indexed(grey(value)) else { panic!("no index for {value}") };
            assert!((232..=255).contains(&index), "{value} became {index}");
            let shown = 8 + (index - 232) * 10;
            assert!(shown.abs_diff(value) <= 8, "{value} is shown as {shown}");
            assert!(index >= last);
            last = index;
        }
        assert_eq!((indexed(grey(0)), indexed(grey(255))), (Color::Indexed(16), Color::Indexed(231)));
    }

    #[test]
    fn colours_of_the_cube_stay_themselves() {
        for index in [17_u8, 52, 130, 196, 214, 226] {
            let step = index - 16;
            let color = Color::Rgb(cube_value(step / 36), cube_value(step / 6 % 6), cube_value(step % 6));
            assert_eq!(indexed(color), Color::Indexed(index));
        }
    }

    #[test]
    fn an_image_in_sixteen_colours_is_made_of_glyphs() {
        let style = |value| Style::new().fg(grey(value)).bg(grey(value));
        let dark = quantised("▀", style(10), Depth::Named);
        let light = quantised("▀", style(250), Depth::Named);
        assert_eq!((dark.symbol(), light.symbol()), (" ", "@"));
        assert_eq!(light.fg, Color::Gray);
    }

    #[test]
    fn a_block_character_counts_by_what_it_fills() {
        let style = Style::new().fg(grey(255)).bg(grey(0));
        let shown = |symbol| quantised(symbol, style, Depth::Monochrome).symbol().to_owned();
        // An eighth, a quarter, a half and all of the cell.
        assert_eq!(["\u{1cd00}", "▘", "▀", "█"].map(shown), [" ", ".", "-", "@"]);
        assert_eq!(shown("━"), "━", "a bar is text");
    }

    #[test]
    fn orange_and_blue_stay_apart_in_sixteen_colours() {
        let orange = quantised("!", Style::new().fg(Color::Rgb(230, 159, 0)), Depth::Named);
        let blue = quantised("=", Style::new().fg(Color::Rgb(121, 184, 224)), Depth::Named);
        assert_ne!(orange.fg, blue.fg);
    }

    #[test]
    fn no_colour_keeps_the_selection() {
        let style = Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Blue).add_modifier(Modifier::REVERSED);
        let cell = quantised("x", style, Depth::Monochrome);
        assert_eq!((cell.fg, cell.bg, cell.modifier), (Color::Reset, Color::Reset, Modifier::REVERSED));
    }

    #[test]
    fn true_colour_is_left_alone() {
        let cell = quantised("▀", Style::new().fg(grey(7)).bg(grey(9)), Depth::Truecolor);
        assert_eq!((cell.symbol(), cell.fg, cell.bg), ("▀", grey(7), grey(9)));
    }

    /// The text colour of kitty's placeholder is the number of the image.
    #[test]
    fn placeholders_of_images_keep_their_colour() {
        for depth in [Depth::Indexed, Depth::Named, Depth::Monochrome] {
            let cell = quantised("\u{10eeee}\u{305}\u{305}", Style::new().fg(Color::Rgb(1, 2, 3)), depth);
            assert_eq!(cell.fg, Color::Rgb(1, 2, 3), "{depth:?}");
        }
    }
}
