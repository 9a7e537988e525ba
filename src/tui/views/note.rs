//! The line editor for a note.

use super::popup;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use tui_input::Input;

/// Draws the editor at the bottom of the body, so that the case stays in view.
pub fn draw(app: &App, input: &Input, frame: &mut Frame, area: Rect) {
    let id = app.current().map(|(_, case)| case.id.as_str()).unwrap_or_default();
    let inner = popup::framed(app, &format!("note on {id}"), frame, foot(area));
    popup::edit_line(app, input, frame, inner);
}

/// Draws the input line for the name of a view.
pub fn draw_name(app: &App, input: &Input, frame: &mut Frame, area: Rect) {
    let filter = if app.view().filter().is_empty() { "all cases".to_owned() } else { app.view().filter().to_string() };
    let title = format!("name of this view: {filter}, by {}", app.view().order().name());
    let inner = popup::framed(app, &title, frame, foot(area));
    popup::edit_line(app, input, frame, inner);
}

/// The bottom three rows of the body.
fn foot(area: Rect) -> Rect {
    Rect { y: area.bottom().saturating_sub(3), height: 3, ..area }
}
