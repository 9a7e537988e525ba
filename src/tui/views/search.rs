//! The caption search: a line to type in and what matches.

use super::super::app::{App, Search};
use super::super::theme::{Role, Theme};
use super::{popup, text};
use crate::engine::CaptionResult;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

/// What can be typed.
const TITLE: &str = "search captions: words, \"a phrase\", -word, source:name, word~ for a misspelt one";
/// Columns of the document's id.
const ID: usize = 16;

/// Draws the search over the body.
pub fn draw(app: &App, search: &Search, frame: &mut Frame, area: Rect) {
    let inner = popup::framed(
        app,
        if search.images { "images like this one, or type the path of a file" } else { TITLE },
        frame,
        area,
    );
    let [line, gap, list] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(0)]).areas(inner);
    popup::input_line(app, "/", &search.input, frame, line);
    if let Some(trouble) = &search.trouble {
        let said = text::fit(trouble, usize::from(gap.width));
        frame.render_widget(Line::styled(said, app.theme.style(Role::Error)), gap);
        return;
    }
    if search.takes_the_best {
        let said = "searching; the best match is put in when it is found";
        frame.render_widget(Line::styled(said, app.theme.style(Role::Muted)), gap);
        return;
    }
    let Some(results) = &search.results else { return };
    let count = match results.len() {
        0 => "nothing matches".to_owned(),
        1 => "1 document".to_owned(),
        count => format!("{count} documents, best first; Enter puts one beside the hits"),
    };
    frame.render_widget(Line::styled(count, app.theme.style(Role::Muted)), gap);
    let rows = usize::from(list.height);
    let first = (search.selected + 1).saturating_sub(rows);
    for (offset, (index, result)) in results.iter().enumerate().skip(first).take(rows).enumerate() {
        let row = Rect { y: list.y + offset as u16, height: 1, ..list };
        draw_result(app, result, index == search.selected, frame, row);
    }
}

fn draw_result(app: &App, result: &CaptionResult, selected: bool, frame: &mut Frame, area: Rect) {
    let Some(document) = app.dataset.corpus.get(result.row) else { return };
    let theme = &app.theme;
    let mut spans = vec![
        Span::styled(if selected { "▸ " } else { "  " }, theme.style(Role::Accent)),
        Span::styled(text::column(&text::fit_end(&document.id, ID - 1), ID), theme.style(Role::Muted)),
        Span::styled(format!("{:>6.2}  ", result.score), theme.style(Role::Muted)),
    ];
    let room = usize::from(area.width).saturating_sub(2 + ID + 8);
    spans.extend(highlighted(theme, &document.caption, result, room));
    let style = if selected { theme.style(Role::Selection) } else { Style::new() };
    frame.render_widget(Line::from(spans).style(style), area);
}

/// The caption in at most `room` columns with matching words marked. Ranges that are not on character boundaries mark
/// whole characters.
fn highlighted(theme: &Theme, caption: &str, result: &CaptionResult, room: usize) -> Vec<Span<'static>> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut run = String::new();
    let mut run_matches = false;
    let mut used = 0;
    let style = |matches: bool| theme.style(if matches { Role::Match } else { Role::Text });
    for (index, character) in caption.char_indices() {
        let columns = character.width().unwrap_or(1);
        if used + columns > room {
            break;
        }
        used += columns;
        let matches = result.highlights.iter().any(|range| range.contains(&index));
        if matches != run_matches && !run.is_empty() {
            spans.push(Span::styled(std::mem::take(&mut run), style(run_matches)));
        }
        run_matches = matches;
        run.push(if character.is_control() { ' ' } else { character });
    }
    if !run.is_empty() {
        spans.push(Span::styled(run, style(run_matches)));
    }
    spans
}
