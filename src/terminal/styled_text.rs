//! A buffer as lines with colour sequences, for commands that print instead of drawing a screen.

use ratatui::buffer::Buffer;
use ratatui::style::Color;

/// One line for each row, without a final line break. Of the style, only colours of 24 bits and of the 256 are kept.
pub fn styled_text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for (index, row) in buffer.content.chunks(usize::from(buffer.area.width).max(1)).enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let mut colours = (Color::Reset, Color::Reset);
        for cell in row {
            if colours != (cell.fg, cell.bg) {
                colours = (cell.fg, cell.bg);
                text.push_str(&format!("\x1b[0{}{}m", code(38, cell.fg), code(48, cell.bg)));
            }
            text.push_str(cell.symbol());
        }
        if colours != (Color::Reset, Color::Reset) {
            text.push_str("\x1b[m");
        }
    }
    text
}

/// The parameters that set the foreground (38) or the background (48).
fn code(ground: u8, color: Color) -> String {
    match color {
        Color::Rgb(red, green, blue) => format!(";{ground};2;{red};{green};{blue}"),
        Color::Indexed(index) => format!(";{ground};5;{index}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn a_colour_is_written_where_it_changes() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 2));
        buffer.set_string(0, 0, "▀▀", Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(16)));
        buffer.set_string(0, 1, "ab", Style::new());
        assert_eq!(styled_text(&buffer), "\x1b[0;38;2;1;2;3;48;5;16m▀▀\x1b[0m  \nab  ");
    }
}
