//! The line editor for a note.

use super::super::app::App;
use super::super::theme::Role;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};
use tui_input::Input;

/// Draws the editor at the foot of the body, so that the case stays in view.
pub fn draw(app: &App, input: &Input, frame: &mut Frame, area: Rect) {
    let id = app.current().map(|(_, case)| case.id.as_str()).unwrap_or_default();
    let popup = Rect { y: area.bottom().saturating_sub(3), height: 3, ..area };
    frame.render_widget(Clear, popup);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(app.theme.style(Role::Accent))
        .title(Span::styled(format!(" note on {id} "), app.theme.style(Role::Title)));
    let inner = block.inner(popup);
    frame.render_widget(block, popup);
    edit_line(app, input, frame, inner);
}

/// The text being edited with the terminal's own cursor, scrolled so that the cursor is in view.
pub fn edit_line(app: &App, input: &Input, frame: &mut Frame, area: Rect) {
    let width = usize::from(area.width).max(1);
    let scroll = input.visual_scroll(width.saturating_sub(1));
    let line = Paragraph::new(input.value()).style(app.theme.style(Role::Text)).scroll((0, scroll as u16));
    frame.render_widget(line, area);
    let column = input.visual_cursor().saturating_sub(scroll).min(width - 1);
    frame.set_cursor_position((area.x + column as u16, area.y));
}
