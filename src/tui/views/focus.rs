//! Signs of the pane that has the focus. They differ in form, not only in colour or brightness.

use super::super::theme::Role;
use crate::tui::state::selection::Focus;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Line;

/// The heading of a list. If the list has the focus, the heading begins with an arrow in place of its first space, bold
/// and underlined.
pub fn heading(app: &App, list: Focus, text: &str) -> Line<'static> {
    if app.selection().focus() != list {
        return Line::styled(text.to_owned(), app.theme().style(Role::Muted));
    }
    let text = text.strip_prefix(' ').unwrap_or(text);
    let style = app.theme().style(Role::Accent).add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
    Line::styled(format!("▶{text}"), style)
}

/// Draws the line between the queue and the case. It is heavy beside the list that has the focus.
pub fn separator(app: &App, frame: &mut Frame, area: Rect) {
    let hits = app.drawn().hits();
    // The heading stands above the rows.
    let hits_rows = hits.y.saturating_sub(1)..hits.bottom();
    for y in area.y..area.bottom() {
        let is_heavy = match app.selection().focus() {
            Focus::Queue => true,
            Focus::Hits => hits_rows.contains(&y),
        };
        let (sign, role) = if is_heavy { ("┃", Role::Accent) } else { ("│", Role::Faint) };
        frame.render_widget(Line::styled(sign, app.theme().style(role)), Rect { y, height: 1, ..area });
    }
}
