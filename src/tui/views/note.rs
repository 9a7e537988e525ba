//! The line editor for a note.

use super::super::theme::Role;
use super::popup;
use crate::text::printable::one_line;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Paragraph;
use tui_input::Input;

/// Draws the editor at the foot of the body, so that the case stays in view.
pub fn draw(app: &App, input: &Input, frame: &mut Frame, area: Rect) {
    let id = app.current().map(|(_, case)| case.id.as_str()).unwrap_or_default();
    let inner = popup::framed(app, &format!("note on {id}"), frame, foot(area));
    edit_line(app, input, frame, inner);
}

/// Draws the line for the name of a view.
pub fn draw_name(app: &App, input: &Input, frame: &mut Frame, area: Rect) {
    let filter = if app.filter.is_empty() { "all cases".to_owned() } else { app.filter.to_string() };
    let title = format!("name of this view: {filter}, by {}", app.order.name());
    let inner = popup::framed(app, &title, frame, foot(area));
    edit_line(app, input, frame, inner);
}

/// Three rows at the foot of the body.
fn foot(area: Rect) -> Rect {
    Rect { y: area.bottom().saturating_sub(3), height: 3, ..area }
}

/// The text being edited with the terminal's own cursor, scrolled so that the cursor is in view.
pub fn edit_line(app: &App, input: &Input, frame: &mut Frame, area: Rect) {
    let width = usize::from(area.width).max(1);
    let scroll = input.visual_scroll(width.saturating_sub(1));
    let line = Paragraph::new(one_line(input.value())).style(app.theme.style(Role::Text)).scroll((0, scroll as u16));
    frame.render_widget(line, area);
    let column = input.visual_cursor().saturating_sub(scroll).min(width - 1);
    frame.set_cursor_position((area.x + column as u16, area.y));
}
