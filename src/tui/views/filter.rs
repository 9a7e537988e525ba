//! The filter while it is typed, with completions and the number of cases they leave.
//!
//! ```text
//! ╭ filter ──────────────────────────────────────────────╮
//! │ f fused:wrong rescued-by:                            │
//! │ 54 of 302 cases; 12 cases are not answered yet       │
//! │ ▸ rescued-by:any                                 31  │
//! │   rescued-by:1                                    9  │
//! ╰──────────────────────────────────────────────────────╯
//! ```

use super::super::theme::Role;
use super::{popup, text};
use crate::tui::state::filter_edit::FilterEdit;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

/// Columns for a completed word in the list.
const WORD: usize = 22;
/// Columns of the popup; more where a meaning needs them and there is room.
const WIDTH: u16 = 76;

/// Draws the line over the left of the body; the case stays in view if there is room.
pub fn draw(app: &App, edit: &FilterEdit, frame: &mut Frame, area: Rect) {
    let rows = u16::try_from(edit.completions().len() + 4).unwrap_or(area.height);
    let meanings = edit.completions().iter().filter(|completion| completion.count.is_none());
    let longest = meanings.map(|completion| completion.meaning.width()).max().unwrap_or(0);
    // The frame, the marker and the word stand beside a meaning.
    let wanted = u16::try_from(longest + WORD + 4).unwrap_or(u16::MAX).max(WIDTH);
    let area = Rect { width: area.width.min(wanted), height: rows.min(area.height), ..area };
    let inner = popup::framed(app, "filter", frame, area);
    let [line, said, list] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(0)]).areas(inner);
    popup::input_line(app, "f", edit.input(), frame, line);
    let (message, role) = match edit.outcome() {
        Ok(count) => {
            let unread = match app.unread_for(edit.counted()) {
                0 => String::new(),
                unread => format!("; {unread} cases are not answered yet"),
            };
            (format!("{count} of {} cases{unread}", app.queue().all().len()), Role::Muted)
        }
        Err(message) => (message.to_owned(), Role::Error),
    };
    frame.render_widget(Line::styled(text::fit(&message, usize::from(said.width)), app.theme().style(role)), said);
    let rows = usize::from(list.height);
    let first = (edit.selected().unwrap_or(0) + 1).saturating_sub(rows);
    for (offset, (index, completion)) in edit.completions().iter().enumerate().skip(first).take(rows).enumerate() {
        let selected = edit.selected() == Some(index);
        let row = Rect { y: list.y + offset as u16, height: 1, ..list };
        let width = usize::from(list.width);
        let mut spans = vec![Span::styled(if selected { "▸ " } else { "  " }, app.theme().style(Role::Accent))];
        if let Some(count) = completion.count {
            let room = width.saturating_sub(11);
            spans.push(Span::styled(text::column(&completion.word, room), app.theme().style(Role::Text)));
            spans.push(Span::styled(format!("{count:>8}"), app.theme().style(Role::Muted)));
        } else {
            spans.push(Span::styled(text::column(&completion.word, WORD), app.theme().style(Role::Text)));
            let room = width.saturating_sub(WORD + 2);
            spans.push(Span::styled(text::fit(&completion.meaning, room), app.theme().style(Role::Muted)));
        }
        let style = if selected { app.theme().style(Role::Selection) } else { ratatui::style::Style::new() };
        frame.render_widget(Line::from(spans).style(style), row);
    }
}
