//! Where the visible rows of a list stand among all of them.

use super::super::theme::Role;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Paragraph;

/// Columns that the bar takes from the rows, with the space before it.
pub const WIDTH: u16 = 2;

/// Draws a bar in the last column of the area, whose rows show `total` rows from `first` on. Draws nothing where all of them
/// are visible.
pub fn draw(app: &App, first: usize, total: usize, frame: &mut Frame, area: Rect) {
    let rows = usize::from(area.height);
    if total <= rows || area.width == 0 || rows == 0 {
        return;
    }
    let (start, length) = thumb(first, rows, total);
    let bar = Rect { x: area.right() - 1, width: 1, ..area };
    for row in 0..area.height {
        let is_thumb = (start..start + length).contains(&usize::from(row));
        let (sign, role) = if is_thumb { ("█", Role::Muted) } else { ("│", Role::Faint) };
        let cell = Rect { y: bar.y + row, height: 1, ..bar };
        frame.render_widget(Paragraph::new(Span::styled(sign, app.theme().style(role))), cell);
    }
}

/// First row and length of the part of the bar that stands for the visible rows. It reaches an end of the bar only where the
/// list does.
fn thumb(first: usize, rows: usize, total: usize) -> (usize, usize) {
    let length = (rows * rows / total).clamp(1, rows.saturating_sub(1).max(1));
    let (free, hidden) = (rows - length, total - rows);
    let start = match first {
        0 => 0,
        first if first >= hidden => free,
        first => (first * free / hidden).clamp(1.min(free), free.saturating_sub(1).max(1.min(free))),
    };
    (start, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_touches_an_end_only_where_the_list_does() {
        assert_eq!(thumb(0, 6, 18), (0, 2));
        assert_eq!(thumb(12, 6, 18), (4, 2));
        for first in 1..12 {
            let (start, length) = thumb(first, 6, 18);
            assert!(start > 0 && start + length < 6, "{first}: {start}");
        }
        assert_eq!(thumb(3, 1, 9), (0, 1));
    }
}
