//! Frame and input line of overlays.

use super::super::theme::Role;
use crate::text::printable::one_line;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};
use tui_input::Input;

/// Clears the area, draws a frame and returns the area inside.
pub fn framed(app: &App, title: &str, frame: &mut Frame, area: Rect) -> Rect {
    frame.render_widget(Clear, area);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(app.theme().style(Role::Frame))
        .title(Span::styled(format!(" {title} "), app.theme().style(Role::Title)));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// Draws an input line after a sign.
pub fn input_line(app: &App, sign: &str, input: &Input, frame: &mut Frame, area: Rect) {
    let prompt = Rect { width: area.width.min(2), ..area };
    frame.render_widget(Line::styled(format!("{sign} "), app.theme().style(Role::Accent)), prompt);
    edit_line(app, input, frame, Rect { x: area.x + prompt.width, width: area.width - prompt.width, ..area });
}

/// Draws the text being edited with the terminal's own cursor, scrolled so that the cursor is in view.
pub fn edit_line(app: &App, input: &Input, frame: &mut Frame, area: Rect) {
    let width = usize::from(area.width).max(1);
    let scroll = input.visual_scroll(width.saturating_sub(1));
    let line = Paragraph::new(one_line(input.value())).style(app.theme().style(Role::Text)).scroll((0, scroll as u16));
    frame.render_widget(line, area);
    let column = input.visual_cursor().saturating_sub(scroll).min(width - 1);
    frame.set_cursor_position((area.x + column as u16, area.y));
}
