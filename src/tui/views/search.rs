//! The caption search: an input line and its results.

use super::super::theme::{Role, Theme};
use super::{picture, popup, text};
use crate::index::CaptionResult;
use crate::text::printable::letters;
use crate::tui::state::search::Search;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthChar;

/// Title that explains the syntax.
const TITLE: &str = "search captions: words, \"a phrase\", -word, source:name, word~ (with typos)";
/// Columns of the document's id.
const ID: usize = 16;
/// From this width the selected document stands beside the list.
const WIDE_ENOUGH: u16 = 96;
/// Columns for words before the first match, if the caption is not shown from its start.
const BEFORE_MATCH: usize = 16;

/// Draws the search over the body.
pub fn draw(app: &App, search: &Search, frame: &mut Frame, area: Rect) {
    let inner = popup::framed(
        app,
        if search.is_for_images() { "images similar to this one; or type the path of an image file" } else { TITLE },
        frame,
        area,
    );
    let [line, gap, list] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(0)]).areas(inner);
    popup::input_line(app, "/", search.input(), frame, line);
    if let Some(failure) = search.failure() {
        let said = text::fit(failure, usize::from(gap.width));
        frame.render_widget(Line::styled(said, app.theme().style(Role::Error)), gap);
        return;
    }
    if search.takes_the_best() {
        let said = "searching; the best match will be added to the hits";
        frame.render_widget(Line::styled(said, app.theme().style(Role::Muted)), gap);
        return;
    }
    let Some(results) = search.results() else { return };
    let count = match results.len() {
        0 => "nothing matches".to_owned(),
        1 => "1 document".to_owned(),
        count => format!("{count} documents, best first; Enter adds one to the hits"),
    };
    let count = if has_open_quote(search) { format!("a quotation mark is not closed; {count}") } else { count };
    frame.render_widget(Line::styled(count, app.theme().style(Role::Muted)), gap);
    let list = draw_preview(app, results.get(search.selected()), frame, list);
    let rows = usize::from(list.height);
    let first = (search.selected() + 1).saturating_sub(rows);
    for (offset, (index, result)) in results.iter().enumerate().skip(first).take(rows).enumerate() {
        let row = Rect { y: list.y + offset as u16, height: 1, ..list };
        draw_result(app, result, index == search.selected(), frame, row);
    }
}

/// Draws the selected document right of the list where there is room for both; gives back what is left for the list.
fn draw_preview(app: &App, selected: Option<&CaptionResult>, frame: &mut Frame, area: Rect) -> Rect {
    let document = selected.and_then(|result| app.dataset().corpus.get(result.row));
    let Some(document) = document.filter(|_| area.width >= WIDE_ENOUGH) else { return area };
    let width = area.width / 3;
    let [list, _, preview] =
        Layout::horizontal([Constraint::Min(1), Constraint::Length(2), Constraint::Length(width)]).areas(area);
    let lines = text::wrap(document.caption, usize::from(width));
    let caption_rows = (lines.len() as u16).min(preview.height / 2);
    let [image, caption] = Layout::vertical([Constraint::Min(1), Constraint::Length(caption_rows)]).areas(preview);
    // A cell is about twice as high as wide; one row is the heading.
    let image = Rect { height: image.height.min(width.div_ceil(2) + 1), ..image };
    let heading = Line::styled(text::fit_end(document.id, usize::from(width)), app.theme().style(Role::Title));
    picture::pane_over(app, heading, picture::Content::Image(document.image), frame, image);
    let caption = Rect { y: image.bottom(), ..caption };
    let lines = text::wrap_into(document.caption, usize::from(width), usize::from(caption_rows));
    let lines: Vec<Line> = lines.into_iter().map(Line::from).collect();
    frame.render_widget(Paragraph::new(lines).style(app.theme().style(Role::Text)), caption);
    list
}

/// The words after a quotation mark that is not closed yet are searched one by one.
fn has_open_quote(search: &Search) -> bool {
    !search.is_for_images() && search.input().value().matches('"').count() % 2 == 1
}

fn draw_result(app: &App, result: &CaptionResult, selected: bool, frame: &mut Frame, area: Rect) {
    let Some(document) = app.dataset().corpus.get(result.row) else { return };
    let theme = app.theme();
    let mut spans = vec![
        Span::styled(if selected { "▸ " } else { "  " }, theme.style(Role::Accent)),
        Span::styled(text::column(&text::fit_end(document.id, ID - 1), ID), theme.style(Role::Muted)),
        Span::styled(format!("{:>6.2}  ", result.score), theme.style(Role::Muted)),
    ];
    let room = usize::from(area.width).saturating_sub(2 + ID + 8);
    spans.extend(highlighted(theme, document.caption, result, room));
    let style = if selected { theme.style(Role::Selection) } else { Style::new() };
    frame.render_widget(Line::from(spans).style(style), area);
}

/// The caption in at most `room` columns with matching words marked and the first of them in view. Ranges off
/// character boundaries mark whole characters.
fn highlighted(theme: &Theme, caption: &str, result: &CaptionResult, room: usize) -> Vec<Span<'static>> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut run = String::new();
    let mut run_matches = false;
    let mut used = 0;
    let style = |matches: bool| theme.style(if matches { Role::Match } else { Role::Text });
    let start = start_of_snippet(caption, result, room);
    if start > 0 {
        spans.push(Span::styled("…", theme.style(Role::Muted)));
        used = 1;
    }
    for (index, character) in letters(caption).skip_while(|(index, _)| *index < start) {
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
        run.push(character);
    }
    if !run.is_empty() {
        spans.push(Span::styled(run, style(run_matches)));
    }
    spans
}

/// The byte from which the caption is shown: 0 or, if the first match would then be out of view, the start of a word
/// a little before that match.
fn start_of_snippet(caption: &str, result: &CaptionResult, room: usize) -> usize {
    let Some(first) = result.highlights.iter().min_by_key(|range| range.start) else { return 0 };
    let columns = |up_to: usize| -> usize {
        let before = letters(caption).take_while(|(index, _)| *index < up_to);
        before.map(|(_, character)| character.width().unwrap_or(1)).sum()
    };
    if columns(first.end) <= room {
        return 0;
    }
    let from = columns(first.start).saturating_sub(BEFORE_MATCH);
    let spaces = caption.char_indices().filter(|(_, character)| character.is_whitespace());
    let starts = spaces.map(|(index, space)| index + space.len_utf8());
    starts.take_while(|start| *start <= first.start).find(|start| columns(*start) >= from).unwrap_or(first.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(caption: &str, matching: &str, room: usize) -> String {
        let start = caption.find(matching).unwrap();
        let highlights = std::iter::once(start..start + matching.len()).collect();
        let result = CaptionResult { row: 0, score: 1.0, highlights };
        let theme = Theme::load("monochrome").unwrap();
        let spans = highlighted(&theme, caption, &result, room);
        let marked: String =
            spans.iter().filter(|span| span.style == theme.style(Role::Match)).map(|span| &*span.content).collect();
        assert_eq!(marked, matching);
        let line: String = spans.iter().map(|span| &*span.content).collect();
        assert!(Span::raw(&line).width() <= room, "{line}");
        line
    }

    #[test]
    fn the_first_match_is_in_view_however_far_behind_it_stands() {
        let caption = "Oval circumscribed mass, homogeneous interior, with a small pleural effusion on the left side.";
        assert_eq!(shown(caption, "mass", 30), "Oval circumscribed mass, homog");
        assert_eq!(shown(caption, "effusion", 30), "…a small pleural effusion on t");
        assert_eq!(shown("超音波検査で左側に少量の胸水を認める", "胸水", 10), "…胸水を認");
    }
}
