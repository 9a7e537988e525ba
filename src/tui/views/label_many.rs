//! The question before many cases are labelled.
//!
//! ```text
//! ╭ label 50 cases: those that match fused:wrong ────────────────╮
//! │ Press a category's key to choose what all of them get.       │
//! │ 1 Misleading look-alike  2 Caption against image  3 …        │
//! │ Label 50 cases with 2 Caption against image? 4 of them have  │
//! │ another category, which is replaced. Enter labels, Esc does  │
//! │ not.                                                         │
//! ╰──────────────────────────────────────────────────────────────╯
//! ```

use super::super::theme::Role;
use super::{adjudication, popup, text};
use crate::annotation::CategoryId;
use crate::tui::state::label_many::LabelMany;
use crate::tui::update::app::App;
use crate::tui::update::label_many::cases_in_words;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// Draws the question over the lower part of the body, so that the queue stays in view.
pub fn draw(app: &App, open: &LabelMany, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let width = usize::from(area.width).saturating_sub(4);
    let chosen = |id: &CategoryId| open.chosen.as_ref() == Some(id);
    let mut lines = adjudication::taxonomy_lines(app, width, chosen);
    let role = if open.chosen.is_some() { Role::Accent } else { Role::Muted };
    lines.push(Line::default());
    lines.extend(text::wrap(&question(app, open), width).into_iter().map(|line| Line::styled(line, theme.style(role))));
    let height = (lines.len() as u16 + 2).min(area.height);
    let foot = Rect { y: area.bottom().saturating_sub(height), height, ..area };
    let which = if open.are_marked {
        "the marked ones".to_owned()
    } else {
        format!("those that match {}", app.view().filter())
    };
    let title = format!("label {}: {which}", cases_in_words(open.cases.len()));
    let inner = popup::framed(app, &title, frame, foot);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    frame.render_widget(Paragraph::new(lines), inner);
}

/// The question with the number of cases; what to press before a category is chosen.
fn question(app: &App, open: &LabelMany) -> String {
    let Some(category) = open.chosen.as_ref().and_then(|id| app.cases().category(id)) else {
        return "Press a category's key to choose what all of them get.".to_owned();
    };
    let count = cases_in_words(open.cases.len());
    let replaced = match app.count_to_replace(open) {
        0 => String::new(),
        1 => " One of them has another category, which is replaced.".to_owned(),
        some => format!(" {some} of them have another category, which is replaced."),
    };
    format!("Label {count} with {} {}?{replaced} Enter labels them, Esc does not.", category.key, category.name)
}
