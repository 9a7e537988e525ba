//! Saves the screen as a picture (SVG) and as plain text, for papers and the README.

use crate::terminal::block_glyphs::BlockPattern;
use crate::terminal::image_protocol::KITTY_PLACEHOLDER;
use crate::tui::theme::{Role, Theme};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;

/// Size of a cell in SVG units.
const CELL: (usize, usize) = (8, 16);

/// Default colours of the terminal, for cells that set none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ground {
    background: (u8, u8, u8),
    foreground: (u8, u8, u8),
}

impl Ground {
    /// Dark text on white.
    pub const LIGHT: Self = Self { background: (0xff, 0xff, 0xff), foreground: (0x24, 0x29, 0x2f) };
    /// Light text on nearly black.
    pub const DARK: Self = Self { background: (0x16, 0x18, 0x1d), foreground: (0xd8, 0xda, 0xe0) };

    /// The ground that suits a theme: the theme's selected row is a shade of it.
    pub fn of(theme: &Theme) -> Self {
        match theme.style(Role::Selection).bg {
            Some(Color::Rgb(red, green, blue)) if red.min(green).min(blue) >= 0x80 => Self::LIGHT,
            _ => Self::DARK,
        }
    }
}

/// The sixteen named colours, as many terminals show them on a dark ground.
const NAMED: [(u8, u8, u8); 16] = [
    (0x1c, 0x1e, 0x24),
    (0xe0, 0x6c, 0x75),
    (0x98, 0xc3, 0x79),
    (0xe5, 0xc0, 0x7b),
    (0x61, 0xaf, 0xef),
    (0xc6, 0x78, 0xdd),
    (0x56, 0xb6, 0xc2),
    (0xc8, 0xcc, 0xd4),
    (0x6b, 0x72, 0x80),
    (0xff, 0x8b, 0x92),
    (0xb6, 0xe3, 0xa1),
    (0xff, 0xd6, 0x8a),
    (0x8c, 0xc8, 0xff),
    (0xe3, 0xa1, 0xf5),
    (0x86, 0xdb, 0xe6),
    (0xff, 0xff, 0xff),
];

/// The screen as lines of text without trailing spaces.
pub fn to_text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in rows(buffer) {
        let line: String = row.iter().map(symbol).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The screen as a self-contained SVG: no font file, no script. It lacks images drawn by a pixel protocol.
pub fn to_svg(buffer: &Buffer, ground: Ground) -> String {
    let (width, height) = (usize::from(buffer.area.width) * CELL.0, usize::from(buffer.area.height) * CELL.1);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"13\" xml:space=\"preserve\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\n",
        hex(ground.background)
    );
    for (y, row) in rows(buffer).enumerate() {
        let mut start = 0;
        while start < row.len() {
            let (front, back) = colours(&row[start], ground);
            let bold = row[start].modifier.contains(Modifier::BOLD);
            let same = |cell: &Cell| {
                colours(cell, ground) == (front, back)
                    && cell.modifier.contains(Modifier::BOLD) == bold
                    && is_block(cell) == is_block(&row[start])
                    && (!is_block(cell) || cell.symbol() == row[start].symbol())
            };
            let end = (start + 1..row.len()).find(|column| !same(&row[*column])).unwrap_or(row.len());
            let place = (start * CELL.0, y * CELL.1);
            if back != ground.background {
                rectangle(&mut svg, place, ((end - start) * CELL.0, CELL.1), back);
            }
            draw_run(&mut svg, &row[start..end], place, front, bold);
            start = end;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// What stands in cells of one look.
fn draw_run(svg: &mut String, cells: &[Cell], place: (usize, usize), front: (u8, u8, u8), bold: bool) {
    if let Some(pattern) = BlockPattern::of(cells[0].symbol()) {
        draw_blocks(svg, pattern, cells.len(), place, front);
        return;
    }
    let text: String = cells.iter().map(symbol).collect();
    if text.trim().is_empty() {
        return;
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let weight = if bold { " font-weight=\"bold\"" } else { "" };
    let ((x, y), width) = (place, cells.len() * CELL.0);
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{weight}>{text}</text>",
        y + 12,
        hex(front)
    );
}

/// The filled parts of `count` cells of one pattern.
fn draw_blocks(svg: &mut String, pattern: BlockPattern, count: usize, (x, y): (usize, usize), front: (u8, u8, u8)) {
    let (columns, rows) = (usize::from(pattern.grid().columns()), usize::from(pattern.grid().rows()));
    for row in 0..rows {
        let (top, bottom) = (row * CELL.1 / rows, (row + 1) * CELL.1 / rows);
        if (0..columns).all(|column| pattern.fills(column, row)) {
            rectangle(svg, (x, y + top), (count * CELL.0, bottom - top), front);
            continue;
        }
        for column in (0..count * columns).filter(|column| pattern.fills(column % columns, row)) {
            let width = CELL.0 / columns;
            rectangle(svg, (x + column * width, y + top), (width, bottom - top), front);
        }
    }
}

/// Text of a cell; the placeholder of a pixel image becomes a space.
fn symbol(cell: &Cell) -> &str {
    let symbol = cell.symbol();
    if symbol.chars().any(|sign| sign.is_control() || sign == KITTY_PLACEHOLDER) { " " } else { symbol }
}

fn is_block(cell: &Cell) -> bool {
    BlockPattern::of(cell.symbol()).is_some()
}

fn rectangle(svg: &mut String, (x, y): (usize, usize), (width, height): (usize, usize), fill: (u8, u8, u8)) {
    // A little overlap hides the seams that viewers draw between neighbours.
    let fill = hex(fill);
    let _ = writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}.3\" height=\"{height}.3\" fill=\"{fill}\"/>");
}

fn rows(buffer: &Buffer) -> impl Iterator<Item = &[Cell]> {
    buffer.content.chunks(usize::from(buffer.area.width).max(1))
}

fn colours(cell: &Cell, ground: Ground) -> ((u8, u8, u8), (u8, u8, u8)) {
    let (front, back) = (rgb(cell.fg, ground.foreground), rgb(cell.bg, ground.background));
    if cell.modifier.contains(Modifier::REVERSED) { (back, front) } else { (front, back) }
}

fn rgb(color: Color, default: (u8, u8, u8)) -> (u8, u8, u8) {
    let index = match color {
        Color::Reset => return default,
        Color::Rgb(red, green, blue) => return (red, green, blue),
        Color::Indexed(index @ 16..232) => {
            let step = |value: u8| if value == 0 { 0 } else { 55 + 40 * value };
            let index = index - 16;
            return (step(index / 36), step(index / 6 % 6), step(index % 6));
        }
        Color::Indexed(index @ 232..) => {
            let grey = 8 + 10 * (index - 232);
            return (grey, grey, grey);
        }
        Color::Indexed(index) => index,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    NAMED[usize::from(index).min(15)]
}

fn hex((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn a_screen_becomes_text_and_a_picture() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 2));
        buffer.set_string(0, 0, "a<b", Style::new().fg(Color::Rgb(1, 2, 3)));
        buffer.set_string(0, 1, "▀▀", Style::new().fg(Color::Rgb(9, 9, 9)).bg(Color::Indexed(232)));
        assert_eq!(to_text(&buffer), "a<b\n▀▀\n");
        let svg = to_svg(&buffer, Ground::DARK);
        assert!(svg.contains("fill=\"#010203\">a&lt;b</text>"), "{svg}");
        assert!(svg.contains("y=\"16\" width=\"16.3\" height=\"8.3\" fill=\"#090909\""), "{svg}");
        assert!(svg.contains("fill=\"#080808\""), "the lower halves: {svg}");
    }

    #[test]
    fn block_characters_are_rectangles_not_text() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 1));
        buffer.set_string(0, 0, "▚\u{1cd00}", Style::new().fg(Color::Rgb(9, 9, 9)));
        let svg = to_svg(&buffer, Ground::DARK);
        for place in ["x=\"0\" y=\"0\"", "x=\"4\" y=\"8\"", "x=\"8\" y=\"4\""] {
            assert!(svg.contains(&format!("<rect {place} width=\"4.3\"")), "{place}: {svg}");
        }
        assert!(!svg.contains("<text"), "{svg}");
    }

    #[test]
    fn what_draws_a_pixel_image_is_left_out() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 1));
        buffer.set_string(0, 0, "a    b", Style::new());
        buffer[(1, 0)].set_symbol("\u{1b}_Gi=1,a=T;AAAA\u{1b}\\\u{10eeee}\u{305}\u{305}");
        buffer[(2, 0)].set_symbol("\u{10eeee}\u{305}\u{30d}");
        assert_eq!(to_text(&buffer), "a    b\n");
        let svg = to_svg(&buffer, Ground::DARK);
        assert!(svg.contains(">a    b</text>"), "{svg}");
        assert!(!svg.contains('\u{1b}') && !svg.contains('\u{10eeee}'), "{svg}");
    }

    #[test]
    fn a_light_theme_is_drawn_on_a_light_ground() {
        let of = |name: &str| Ground::of(&Theme::load(name).unwrap());
        assert_eq!((of("light"), of("dark"), of("sixteen")), (Ground::LIGHT, Ground::DARK, Ground::DARK));
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 1));
        buffer.set_string(0, 0, "abc", Style::new());
        let svg = to_svg(&buffer, of("light"));
        assert!(svg.contains("fill=\"#ffffff\"/>") && svg.contains("fill=\"#24292f\">abc<"), "{svg}");
    }
}
