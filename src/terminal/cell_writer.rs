//! Writes the cells of a frame with few bytes: only the colour that changes from one cell to the next, and no text colour for
//! a space. ratatui's own backend writes both colours when either changes.

use crossterm::cursor::MoveTo;
use crossterm::queue;
use crossterm::style::{Attribute, Colored};
use ratatui::backend::IntoCrossterm;
use ratatui::buffer::Cell;
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};
use std::fmt::Display;
use std::io::{self, Write};

/// Every modifier with the attribute that switches it on.
const ATTRIBUTES: [(Modifier, Attribute); 9] = [
    (Modifier::BOLD, Attribute::Bold),
    (Modifier::DIM, Attribute::Dim),
    (Modifier::ITALIC, Attribute::Italic),
    (Modifier::UNDERLINED, Attribute::Underlined),
    (Modifier::SLOW_BLINK, Attribute::SlowBlink),
    (Modifier::RAPID_BLINK, Attribute::RapidBlink),
    (Modifier::REVERSED, Attribute::Reverse),
    (Modifier::HIDDEN, Attribute::Hidden),
    (Modifier::CROSSED_OUT, Attribute::CrossedOut),
];
/// Modifiers that make the text colour visible in a space.
const VISIBLE_IN_A_SPACE: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// Writes these cells, which are sorted by row and column, from a terminal without colours and attributes and back to one.
/// Colours of underlines are left out: no view has any.
///
/// # Errors
/// Fails if `out` cannot be written to.
pub fn write_cells<'a>(out: &mut impl Write, cells: impl Iterator<Item = (u16, u16, &'a Cell)>) -> io::Result<()> {
    let mut pen = Pen::default();
    let mut next: Option<Position> = None;
    let mut codes = String::new();
    for (x, y, cell) in cells {
        if next != Some(Position { x, y }) {
            queue!(out, MoveTo(x, y))?;
        }
        next = Some(Position { x: x + 1, y });
        codes.clear();
        pen.change_for(cell, &mut codes);
        if !codes.is_empty() {
            write!(out, "\x1b[{codes}m")?;
        }
        out.write_all(cell.symbol().as_bytes())?;
    }
    out.write_all(b"\x1b[0m")
}

/// How the terminal draws the next character.
#[derive(Default)]
struct Pen {
    front: Color,
    back: Color,
    modifier: Modifier,
}

impl Pen {
    /// Changes what this cell needs and appends the codes for it.
    fn change_for(&mut self, cell: &Cell, codes: &mut String) {
        // Code 0 removes attributes and colours.
        if !self.modifier.difference(cell.modifier).is_empty() {
            append(codes, 0);
            *self = Self::default();
        }
        for (modifier, attribute) in ATTRIBUTES {
            if cell.modifier.difference(self.modifier).contains(modifier) {
                append(codes, attribute.sgr());
            }
        }
        self.modifier = cell.modifier;
        let shows_front = cell.symbol() != " " || cell.modifier.intersects(VISIBLE_IN_A_SPACE);
        if shows_front && self.front != cell.fg {
            append(codes, Colored::ForegroundColor(cell.fg.into_crossterm()));
            self.front = cell.fg;
        }
        if self.back != cell.bg {
            append(codes, Colored::BackgroundColor(cell.bg.into_crossterm()));
            self.back = cell.bg;
        }
    }
}

fn append(codes: &mut String, code: impl Display) {
    if !codes.is_empty() {
        codes.push(';');
    }
    codes.push_str(&code.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::style::force_color_output;
    use ratatui::backend::{Backend, CrosstermBackend};
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn written(buffer: &Buffer) -> Vec<u8> {
        force_color_output(true);
        let mut bytes = Vec::new();
        write_cells(&mut bytes, Buffer::empty(buffer.area).diff(buffer).into_iter()).unwrap();
        bytes
    }

    /// The cells as an emulator sees them: text, both colours and attributes.
    fn seen(bytes: &[u8]) -> Vec<String> {
        let mut emulator = vt100::Parser::new(4.try_into().unwrap(), 12.try_into().unwrap(), 0);
        emulator.process(bytes);
        let mut cells = Vec::new();
        for (row, column) in (0..4).flat_map(|row| (0..12).map(move |column| (row, column))) {
            let cell = emulator.screen().cell(row, column).unwrap();
            let is_blank = cell.contents().trim().is_empty() && !cell.underline() && !cell.inverse();
            let front = if is_blank { String::new() } else { format!("{:?}", cell.fgcolor()) };
            cells.push(format!(
                "{:?} {front} {:?} {} {} {} {}",
                cell.contents().trim(),
                cell.bgcolor(),
                cell.bold(),
                cell.italic(),
                cell.underline(),
                cell.inverse()
            ));
        }
        cells
    }

    /// Text, spaces and block characters in all kinds of styles, with gaps.
    fn many_styles() -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 4));
        let colours = [Color::Reset, Color::Rgb(1, 20, 200), Color::Indexed(200), Color::Red, Color::Rgb(7, 7, 7)];
        let modifiers =
            [Modifier::empty(), Modifier::BOLD, Modifier::BOLD.union(Modifier::UNDERLINED), Modifier::REVERSED];
        for place in 0..48 {
            if place % 7 == 3 {
                continue;
            }
            let style = Style::new()
                .fg(colours[place * 3 % 5])
                .bg(colours[place / 2 % 5])
                .add_modifier(modifiers[place / 5 % 4]);
            let symbol = ["a", " ", "▚", " "][place % 4];
            buffer.set_string((place % 12) as u16, (place / 12) as u16, symbol, style);
        }
        buffer
    }

    #[test]
    fn a_terminal_shows_the_same_as_with_ratatuis_own_backend() {
        let buffer = many_styles();
        let mut theirs = Vec::new();
        force_color_output(true);
        CrosstermBackend::new(&mut theirs).draw(Buffer::empty(buffer.area).diff(&buffer).into_iter()).unwrap();
        let ours = written(&buffer);
        assert_eq!(seen(&ours), seen(&theirs));
        assert!(ours.len() < theirs.len(), "{} of {}", ours.len(), theirs.len());
    }

    #[test]
    fn only_the_colour_that_changes_is_written() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 4));
        let grey = |value| Color::Rgb(value, value, value);
        for (x, symbol, front, back) in [(0, "▚", 1, 2), (1, "▚", 1, 3), (2, "▚", 4, 3), (3, "▞", 4, 3), (4, " ", 9, 3)]
        {
            buffer.set_string(x, 0, symbol, Style::new().fg(grey(front)).bg(grey(back)));
        }
        let expected = "\x1b[1;1H\x1b[38;2;1;1;1;48;2;2;2;2m▚\x1b[48;2;3;3;3m▚\x1b[38;2;4;4;4m▚▞ \x1b[0m";
        assert_eq!(String::from_utf8(written(&buffer)).unwrap(), expected);
    }
}
