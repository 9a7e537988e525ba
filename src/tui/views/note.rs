//! The editor for a note, which shows the whole text, and the line for the name of a view.

use super::super::theme::Role;
use super::popup;
use crate::text::printable::one_line;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use tui_input::Input;
use unicode_width::UnicodeWidthChar;

/// Draws the editor at the bottom of the body, so that the case stays in view. It grows with the text up to half of the body and
/// scrolls from there.
pub fn draw(app: &App, input: &Input, frame: &mut Frame, area: Rect) {
    let id = app.current().map(|(_, case)| case.id.as_str()).unwrap_or_default();
    let letters: Vec<char> = one_line(input.value()).chars().collect();
    let width = usize::from(area.width.saturating_sub(2)).max(2);
    let starts = row_starts(&letters, width);
    let height = (starts.len() as u16 + 2).min((area.height / 2).max(3));
    let inner = popup::framed(app, &format!("note on {id}"), frame, foot(area, height));
    let row = starts.partition_point(|start| *start <= input.cursor()) - 1;
    let first = (row + 1).saturating_sub(usize::from(inner.height));
    let rows = starts.iter().enumerate().skip(first).take(usize::from(inner.height));
    let lines: Vec<Line> = rows
        .map(|(row, start)| {
            let end = starts.get(row + 1).copied().unwrap_or(letters.len());
            Line::from(letters[*start..end].iter().collect::<String>())
        })
        .collect();
    frame.render_widget(Paragraph::new(lines).style(app.theme().style(Role::Text)), inner);
    let before = &letters[starts[row]..input.cursor().min(letters.len())];
    let column: usize = before.iter().map(|letter| columns_of(*letter)).sum();
    let column = column.min(usize::from(inner.width).saturating_sub(1));
    frame.set_cursor_position((inner.x + column as u16, inner.y + (row - first) as u16));
}

/// Draws the input line for the name of a view.
pub fn draw_name(app: &App, input: &Input, frame: &mut Frame, area: Rect) {
    let filter = if app.view().filter().is_empty() { "all cases".to_owned() } else { app.view().filter().to_string() };
    let title = format!("name of this view: {filter}, by {}", app.view().order().name());
    let inner = popup::framed(app, &title, frame, foot(area, 3));
    popup::edit_line(app, input, frame, inner);
}

/// The last rows of the body.
fn foot(area: Rect, height: u16) -> Rect {
    Rect { y: area.bottom().saturating_sub(height), height, ..area }
}

/// Where rows of at most `width` columns begin, as places of letters: after a space where there is one. A letter is left for the
/// cursor at the end of each row.
fn row_starts(letters: &[char], width: usize) -> Vec<usize> {
    let mut starts = vec![0];
    let (mut used, mut after_space) = (0, 0);
    for (place, letter) in letters.iter().enumerate() {
        let columns = columns_of(*letter);
        if used + columns >= width {
            let last = starts.last().copied().unwrap_or_default();
            let start = if after_space > last { after_space } else { place };
            if start > last {
                starts.push(start);
                used = letters[start..place].iter().map(|letter| columns_of(*letter)).sum();
            }
        }
        used += columns;
        if *letter == ' ' {
            after_space = place + 1;
        }
    }
    starts
}

fn columns_of(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, width: usize) -> Vec<String> {
        let letters: Vec<char> = text.chars().collect();
        let starts = row_starts(&letters, width);
        let ends = starts.iter().skip(1).copied().chain([letters.len()]);
        starts.iter().zip(ends).map(|(start, end)| letters[*start..end].iter().collect()).collect()
    }

    #[test]
    fn rows_break_after_spaces_and_no_letter_is_lost() {
        assert_eq!(rows("the margin is copied", 12), ["the margin ", "is copied"]);
        assert_eq!(rows("", 12), [""]);
        assert_eq!(rows("abcdefghij", 5), ["abcd", "efgh", "ij"], "a long word");
        let text = "超音波検査で 左側に少量の胸水を認める the end";
        for width in 4..20 {
            let rows = rows(text, width);
            assert_eq!(rows.concat(), text);
            for row in rows {
                let columns: usize = row.trim_end().chars().map(columns_of).sum();
                assert!(columns <= width, "{row:?} in {width}");
            }
        }
    }
}
