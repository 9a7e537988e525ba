//! The question before many requests to a server that may cost money.
//!
//! ```text
//! ╭ many requests to a server ───────────────────────────────────╮
//! │ Answering 300 cases is up to 7500 requests to                │
//! │ https://api.example.org.                                     │
//! │ So far in this session: 40 requests, 61200 tokens read, 80   │
//! │ written.                                                     │
//! │ Enter asks them all, Esc asks none.                          │
//! ╰──────────────────────────────────────────────────────────────╯
//! ```

use super::super::theme::Role;
use super::{popup, text};
use crate::tui::state::spend::SpendQuestion;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// Draws the question over the lower part of the body.
pub fn draw(app: &App, question: &SpendQuestion, frame: &mut Frame, area: Rect) {
    let width = usize::from(area.width).saturating_sub(4);
    let mut lines = Vec::new();
    for (sentence, role) in sentences(app, question) {
        let style = app.theme().style(role);
        lines.extend(text::wrap(&sentence, width).into_iter().map(|line| Line::styled(line, style)));
    }
    let height = (lines.len() as u16 + 2).min(area.height);
    let foot = Rect { y: area.bottom().saturating_sub(height), height, ..area };
    let inner = popup::framed(app, "many requests to a server", frame, foot);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    frame.render_widget(Paragraph::new(lines), inner);
}

fn sentences(app: &App, question: &SpendQuestion) -> Vec<(String, Role)> {
    let mut sentences = vec![(format!("{}.", capitalised(&question.planned.in_words())), Role::Text)];
    let used = app.server_usage().and_then(|usage| usage.reader);
    if let Some(used) = used {
        sentences.push((format!("So far in this session: {}.", used.short()), Role::Muted));
    }
    sentences.push(("Enter asks them all, Esc asks none.".to_owned(), Role::Accent));
    sentences
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
