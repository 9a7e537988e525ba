//! Query and hits side by side, if the window is large enough for all of them.

use super::super::theme::Role;
use super::picture::{self, Content};
use super::{text, verdict};
use crate::evaluation::Fused;
use crate::tui::state::selection::Shown;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns between tiles.
const GAP: u16 = 2;

/// Draws the query and every hit with its answer, as large as fits; last, as far as there are cells, the user's own evidence
/// and a document found by search that is not among the hits:
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
    let fused = app.fused_now();
    let (retrieved, others) = (app.hits().len(), others(app));
    // One cell is kept for what was not retrieved: the images do not shrink with every row that a person adds.
    let (columns, side) = arrange(1 + retrieved + others.len().min(1), area);
    let cells = (1 + retrieved + others.len().min(1)).div_ceil(columns) * columns;
    let mut tiles = vec![Tile::Query];
    tiles.extend((0..retrieved).map(Tile::Slot));
    tiles.extend(in_view(app, &others, cells - tiles.len()));
    for (tile, content) in tiles.into_iter().enumerate() {
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
        match content {
            Tile::Query => {
                app.drawn().set_query(place);
                let heading = Line::styled("query", app.theme().style(Role::Muted));
                picture::pane(app, heading, Content::Image(&case.image), frame, place);
            }
            Tile::Found(row) => {
                let Some(document) = app.dataset().corpus.get(row) else { continue };
                app.drawn().set_document(place);
                let what = if app.selection().other_hit().is_some() { "only in B:" } else { "found" };
                let heading = Line::styled(format!("▸{what} {}", document.id), app.theme().style(Role::Accent));
                let content = app.given_evidence().map_or(Content::Awaited, |given| Content::of(&given));
                picture::pane(app, heading, content, frame, place);
            }
            Tile::Slot(slot) => {
                if is_selected(app, content) {
                    app.drawn().set_document(place);
                }
                draw_hit(app, fused.as_ref(), slot, frame, place);
            }
        }
    }
}

/// What stands in a tile.
#[derive(Clone, Copy)]
enum Tile {
    Query,
    Slot(usize),
    /// A document found by search: its row in the corpus.
    Found(usize),
}

/// The user's own evidence, then the document that was found by search.
fn others(app: &App) -> Vec<Tile> {
    let mut others: Vec<Tile> = (app.hits().len()..app.slots()).map(Tile::Slot).collect();
    if let Shown::Row(row) = app.selection().shown() {
        others.push(Tile::Found(row));
    }
    others
}

/// As many of these as there are cells, the selected one among them.
fn in_view(app: &App, others: &[Tile], cells: usize) -> Vec<Tile> {
    let selected = others.iter().position(|tile| is_selected(app, *tile)).unwrap_or(0);
    let first = (selected + 1).saturating_sub(cells);
    others.iter().skip(first).take(cells).copied().collect()
}

fn is_selected(app: &App, tile: Tile) -> bool {
    match (tile, app.selection().shown()) {
        (Tile::Slot(slot), Shown::Hit) => slot == app.selection().hit(),
        (Tile::Found(_), Shown::Row(_)) => true,
        _ => false,
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
    let Some(given) = app.given_at(slot) else { return };
    let selected = is_selected(app, Tile::Slot(slot));
    let name = format!("{}{} {} ", if selected { "▸" } else { "" }, slot + 1, given.document.id);
    let mut spans = vec![Span::styled(name, theme.style(if selected { Role::Accent } else { Role::Muted }))];
    let (signs, role) = verdict::signs(app, answers, fused, slot);
    spans.extend(signs);
    if let Some(prediction) = answers.prediction_at(slot) {
        spans.push(Span::styled(app.answer_in_words(prediction), theme.style(role)));
    }
    let heading = Line::from(text::fit_spans(spans, usize::from(area.width)));
    picture::pane(app, heading, Content::of(&given), frame, area);
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
