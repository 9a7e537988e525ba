//! Query and hits side by side, if the window is large enough for all of them.

use super::super::theme::Role;
use super::{picture, text, verdict};
use crate::evaluation::Fused;
use crate::tui::state::selection::Shown;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns between tiles.
const GAP: u16 = 2;

/// Draws the query and every hit with its answer, as large as fits; last a document found by search that is not among
/// the hits:
///
/// ```text
///  query                      1 us-doc-001 = B Yes 0.91   2 us-doc-003 = B Yes 0.72
///  ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄       ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄        ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄
///  ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄       ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄        ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄
///  3 us-doc-005 ! A*↑ No 0.67 4 us-doc-004 = B Yes 0.86
///  ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄       ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄
/// ```
pub fn draw(app: &App, frame: &mut Frame, area: Rect) {
    let Some((_, case)) = app.current() else { return };
    let hits = app.slots();
    let found = match app.selection().shown() {
        Shown::Row(row) => app.dataset().corpus.get(row),
        Shown::Hit => None,
    };
    let fused = app.fused_now();
    let tiles = 1 + hits + usize::from(found.is_some());
    let (columns, side) = arrange(tiles, area);
    for tile in 0..tiles {
        let (column, row) = ((tile % columns) as u16, (tile / columns) as u16);
        let place = Rect {
            x: area.x + column * (area.width / columns as u16),
            y: area.y + row * (side + 1),
            width: (area.width / columns as u16).saturating_sub(GAP),
            height: side + 1,
        };
        let place = place.intersection(area);
        if place.height < 2 {
            return;
        }
        if tile == 0 {
            app.drawn().set_query(place);
            picture::pane(app, Line::styled("query", app.theme().style(Role::Muted)), Some(&case.image), frame, place);
            continue;
        }
        if let Some(document) = found.filter(|_| tile > hits) {
            app.drawn().set_document(place);
            let heading = Line::styled(format!("▸found {}", document.id), app.theme().style(Role::Accent));
            picture::pane(app, heading, Some(&document.image), frame, place);
            continue;
        }
        if tile - 1 == app.selection().hit() && app.selection().shown() == Shown::Hit {
            app.drawn().set_document(place);
        }
        draw_hit(app, fused.as_ref(), tile - 1, frame, place);
    }
}

/// The number of grid columns that gives the largest tiles, and the tiles' rows without heading. A cell is about
/// twice as high as wide.
fn arrange(tiles: usize, area: Rect) -> (usize, u16) {
    let mut best = (1, 0);
    for columns in 1..=tiles {
        let rows = tiles.div_ceil(columns) as u16;
        let high = (area.height / rows).saturating_sub(1);
        let wide = (area.width / columns as u16).saturating_sub(GAP) / 2;
        let side = high.min(wide);
        if side > best.1 {
            best = (columns, side);
        }
    }
    best
}

fn draw_hit(app: &App, fused: Option<&Fused>, slot: usize, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let Some(answers) = app.queue().current().and_then(|case| app.cases().answers_of(case)) else { return };
    let Some(document) = answers.hit_at(slot).and_then(|hit| app.dataset().corpus.get(hit.row)) else { return };
    let selected = slot == app.selection().hit() && app.selection().shown() == Shown::Hit;
    let name = format!("{}{} {} ", if selected { "▸" } else { "" }, slot + 1, document.id);
    let mut spans = vec![Span::styled(name, theme.style(if selected { Role::Accent } else { Role::Muted }))];
    let (signs, role) = verdict::signs(app, answers, fused, slot);
    spans.extend(signs);
    if let Some(prediction) = answers.prediction_at(slot) {
        spans.push(Span::styled(app.answer_in_words(prediction), theme.style(role)));
    }
    let heading = Line::from(text::fit_spans(spans, usize::from(area.width)));
    picture::pane(app, heading, Some(&document.image), frame, area);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_as_large_as_they_can_be() {
        assert_eq!(arrange(5, Rect::new(0, 0, 157, 34)), (3, 16));
        assert_eq!(arrange(5, Rect::new(0, 0, 300, 20)), (5, 19));
        assert_eq!(arrange(1, Rect::new(0, 0, 100, 20)), (1, 19));
    }
}
