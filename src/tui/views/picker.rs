//! A list to choose from.
//!
//! ```text
//! ╭ commands ────────────────────────────────────────────╮
//! │ : fus                                                │
//! │ ▸ next-fuser            m  Fuse by the next method … │
//! │   reset-fusion          r  Undo every change …       │
//! ╰──────────────────────────────────────────────────────╯
//! ```

use super::super::theme::Role;
use super::{popup, text};
use crate::tui::state::picker::{Picker, PickerKind};
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Columns for a name, and for a key.
const NAME: usize = 18;
const SIGN: usize = 7;

/// Draws the list over the body.
pub fn draw(app: &App, picker: &Picker, frame: &mut Frame, area: Rect) {
    let choices = app.choices(picker);
    let rows = u16::try_from(choices.len().max(1) + 3).unwrap_or(area.height);
    // A narrow list leaves the screen in view, by which one judges a theme.
    let widest = if matches!(picker.kind(), PickerKind::Theme { .. }) { 30 } else { 100 };
    let area = Rect { width: area.width.min(widest), height: rows.min(area.height), ..area };
    let inner = popup::framed(app, picker.title(), frame, area);
    let [line, list] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(inner);
    popup::input_line(app, ":", picker.input(), frame, line);
    if choices.is_empty() {
        let message = match picker.kind() {
            PickerKind::View if picker.input().value().is_empty() => "  no saved views yet: V saves one",
            _ => "  nothing matches",
        };
        frame.render_widget(Line::styled(message, app.theme().style(Role::Muted)), list);
        return;
    }
    let rows = usize::from(list.height);
    let first = (picker.selected() + 1).saturating_sub(rows);
    for (offset, (index, choice)) in choices.iter().enumerate().skip(first).take(rows).enumerate() {
        let selected = index == picker.selected();
        let row = Rect { y: list.y + offset as u16, height: 1, ..list };
        let room = usize::from(list.width).saturating_sub(2 + NAME + SIGN);
        let spans = vec![
            Span::styled(if selected { "▸ " } else { "  " }, app.theme().style(Role::Accent)),
            Span::styled(text::column(&choice.name, NAME), app.theme().style(Role::Text)),
            Span::styled(text::column(&choice.sign, SIGN), app.theme().style(Role::Key)),
            Span::styled(text::fit(&choice.detail, room), app.theme().style(Role::Muted)),
        ];
        let style = if selected { app.theme().style(Role::Selection) } else { Style::new() };
        frame.render_widget(Line::from(spans).style(style), row);
    }
}
