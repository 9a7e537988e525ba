//! The contact sheet: the query and all hits with their answers, in the body of the screen.

use super::super::theme::Role;
use super::evidence::CaptionColumn;
use super::image_places::GAP;
use super::picture::{self, Content};
use super::{answers_panel, text, verdict};
use crate::evaluation::Fused;
use crate::run::Prediction;
use crate::terminal::image_protocol::ImageMode;
use crate::tui::state::selection::{Shown, Side};
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

/// Rows of a tile around its image: the name above, the answer below.
const AROUND: u16 = 2;
/// Rows below which no image shrinks: then the sheet scrolls.
const LEAST_SIDE: u16 = 8;
/// Most tiles at a time; the cache of images holds a few more.
const MOST_TILES: usize = 48;

/// Draws the query, what was retrieved, the user's own evidence and a document found by search that is none of these, as
/// large as fits. The query stays while the others scroll; the last row has the caption of the selected one:
///
/// ```text
///  query                      ▸1 us-doc-001              2 us-doc-003
///  ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄       ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄        ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄
///  ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄       ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄        ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄
///  fused B Yes 0.75 right     = B* Yes 0.91 right        ! A  No 0.67 wrong
///  Irregular hypoechoic mass with spiculated margin …                   hits 1-2 of 4
/// ```
pub fn draw(app: &App, frame: &mut Frame, area: Rect) {
    let Some((_, case)) = app.current() else { return };
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let sheet = Rect { height: area.height.saturating_sub(1), ..area };
    let others = others(app);
    let grid = if app.images().mode() == ImageMode::Off {
        TileGrid::of_rows(AROUND + 1, 24, sheet)
    } else {
        TileGrid::fit(1 + others.len(), sheet)
    };
    // The tile of the query stays.
    let room = (grid.tiles() - 1).max(1);
    let selected = others.iter().position(|tile| is_selected(app, *tile)).unwrap_or(0);
    let first = grid.first_in_view(selected, room).min(others.len().saturating_sub(1));
    let visible = &others[first.min(others.len())..(first + room).min(others.len())];
    let fused = app.fused_now();
    let place = grid.place(0, sheet);
    app.drawn().set_document(Rect::ZERO);
    app.drawn().set_query(image_of(place));
    let role = if app.selection().side() == Side::Query { Role::Accent } else { Role::Muted };
    let heading = Line::styled("query", app.theme().style(role));
    picture::pane(app, heading, Content::Image(&case.image), frame, image_of(place));
    let (fused_name, answer) =
        (Span::styled("fused ", app.theme().style(Role::Muted)), answers_panel::fused_answer(app, fused.as_ref()).ok());
    let letter = answer.map(|answer| Span::raw(format!("{} ", verdict::letter(app, answer.answer))));
    draw_answer(app, [fused_name].into_iter().chain(letter).collect(), answer, frame, place);
    let mut tiles = Vec::new();
    for (offset, tile) in visible.iter().enumerate() {
        let place = grid.place(offset + 1, sheet);
        if is_selected(app, *tile) {
            app.drawn().set_document(image_of(place));
        }
        match *tile {
            Tile::Slot(slot) => {
                tiles.push((place, slot));
                draw_slot(app, fused.as_ref(), slot, frame, place);
            }
            Tile::Found(row) => {
                let Some(document) = app.dataset().corpus.get(row) else { continue };
                let what = if app.selection().other_hit().is_some() { "only in B:" } else { "found" };
                let name = text::fit(&format!("▸{what} {}", document.id), usize::from(place.width));
                let heading = Line::styled(name, app.theme().style(Role::Accent));
                let content = app.given_evidence().map_or(Content::Awaited, |given| Content::of(&given));
                picture::pane(app, heading, content, frame, image_of(place));
            }
        }
    }
    app.drawn().set_tiles(tiles);
    draw_last_row(app, (first, visible.len(), others.len()), frame, Rect { y: sheet.bottom(), height: 1, ..area });
}

/// What stands in a tile, apart from the query.
#[derive(Clone, Copy)]
enum Tile {
    Slot(usize),
    /// A document found by search: its row in the corpus.
    Found(usize),
}

/// What was retrieved, the user's own evidence, then the document that was found by search.
fn others(app: &App) -> Vec<Tile> {
    let mut others: Vec<Tile> = (0..app.slots()).map(Tile::Slot).collect();
    if let Shown::Row(row) = app.selection().shown() {
        others.push(Tile::Found(row));
    }
    others
}

fn is_selected(app: &App, tile: Tile) -> bool {
    match (tile, app.selection().shown()) {
        (Tile::Slot(slot), Shown::Hit) => slot == app.selection().hit(),
        (Tile::Found(_), Shown::Row(_)) => true,
        _ => false,
    }
}

/// A tile without its answer.
fn image_of(tile: Rect) -> Rect {
    Rect { height: tile.height.saturating_sub(1), ..tile }
}

/// How tiles are arranged; all are equally large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TileGrid {
    columns: u16,
    rows: u16,
    /// Rows of a tile.
    height: u16,
}

impl TileGrid {
    /// The grid with the largest square images for so many tiles; a cell is about twice as high as wide. If these would be too
    /// small, as many as fit.
    fn fit(tiles: usize, area: Rect) -> Self {
        let mut best = (0, Self { columns: 1, rows: 1, height: area.height });
        for columns in 1..=tiles.min(usize::from(area.width)) as u16 {
            let rows = tiles.div_ceil(usize::from(columns)) as u16;
            let high = (area.height / rows).saturating_sub(AROUND);
            let wide = (area.width / columns).saturating_sub(GAP) / 2;
            if high.min(wide) > best.0 {
                best = (high.min(wide), Self { columns, rows, height: high.min(wide) + AROUND });
            }
        }
        let (side, grid) = best;
        if side >= LEAST_SIDE && tiles <= MOST_TILES {
            return grid;
        }
        Self::of_rows(LEAST_SIDE + AROUND, LEAST_SIDE * 2 + GAP, area)
    }

    /// As many tiles of this size as fit.
    fn of_rows(height: u16, width: u16, area: Rect) -> Self {
        let columns = (area.width / width).max(1);
        let rows = (area.height / height).max(1).min((MOST_TILES as u16 / columns).max(1));
        Self { columns: columns.min(MOST_TILES as u16), rows, height: height.min(area.height) }
    }

    fn tiles(self) -> usize {
        usize::from(self.columns) * usize::from(self.rows)
    }

    /// The first of the scrolling tiles in view: whole rows are scrolled.
    fn first_in_view(self, selected: usize, room: usize) -> usize {
        let hidden = (selected + 1).saturating_sub(room);
        hidden.div_ceil(usize::from(self.columns)) * usize::from(self.columns)
    }

    fn place(self, tile: usize, area: Rect) -> Rect {
        let (column, row) = (tile as u16 % self.columns, tile as u16 / self.columns);
        let width = area.width / self.columns;
        let place = Rect {
            x: area.x + column * width,
            y: area.y + row * self.height,
            width: width.saturating_sub(GAP),
            height: self.height,
        };
        place.intersection(area)
    }
}

fn draw_slot(app: &App, fused: Option<&Fused>, slot: usize, frame: &mut Frame, place: Rect) {
    let theme = app.theme();
    let Some(answers) = app.queue().current().and_then(|case| app.cases().answers_of(case)) else { return };
    let Some(given) = app.given_at(slot) else { return };
    let is_selected = is_selected(app, Tile::Slot(slot));
    let name = format!("{}{} {}", if is_selected { "▸" } else { "" }, slot + 1, given.document.id);
    let role = if is_selected { Role::Accent } else { Role::Muted };
    let heading = Line::styled(text::fit(&name, usize::from(place.width)), theme.style(role));
    picture::pane(app, heading, Content::of(&given), frame, image_of(place));
    let (signs, _) = verdict::signs(app, answers, fused, slot);
    draw_answer(app, signs.to_vec(), answers.prediction_at(slot), frame, place);
}

/// Draws an answer after `spans` in the last row of its tile, and whether it is right where gold is shown.
fn draw_answer(app: &App, mut spans: Vec<Span<'static>>, answer: Option<&Prediction>, frame: &mut Frame, tile: Rect) {
    let theme = app.theme();
    if let Some(prediction) = answer {
        spans.push(Span::styled(app.answer_in_words(prediction), theme.style(Role::Text)));
        if let Some(is_right) = is_right(app, prediction) {
            let (word, role) = if is_right { (" right", Role::Right) } else { (" wrong", Role::Differs) };
            spans.push(Span::styled(word, theme.style(role)));
        }
    }
    let row = Rect { y: tile.bottom().saturating_sub(1), height: tile.height.min(1), ..tile };
    frame.render_widget(Line::from(text::fit_spans(spans, usize::from(tile.width))), row);
}

/// Whether the answer is right; `None` while gold is hidden, or if the gold answer is no label.
fn is_right(app: &App, prediction: &Prediction) -> Option<bool> {
    let (_, case) = app.current().filter(|_| app.is_gold_visible())?;
    let gold = app.cases().gold_of(case)?;
    Some(prediction.is_right(Some(gold)))
}

/// The caption of the selected document, and which hits are in view if not all are.
fn draw_last_row(app: &App, (first, visible, all): (usize, usize, usize), frame: &mut Frame, row: Rect) {
    let words = if visible < all { format!("hits {}-{} of {all}", first + 1, first + visible) } else { String::new() };
    let words = app.cases().in_words_of_run(&words);
    let width = words.width() as u16;
    let captions = CaptionColumn::new(app);
    if let Some(given) = app.given_evidence() {
        let room = row.width.saturating_sub(if width > 0 { width + GAP } else { 0 });
        frame.render_widget(Line::from(captions.line(app, &given, usize::from(room))), Rect { width: room, ..row });
    }
    let place = Rect { x: row.right().saturating_sub(width), width: width.min(row.width), ..row };
    frame.render_widget(Line::styled(words, app.theme().style(Role::Text)), place);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(tiles: usize, width: u16, height: u16) -> (u16, u16, u16) {
        let grid = TileGrid::fit(tiles, Rect::new(0, 0, width, height));
        (grid.columns, grid.rows, grid.height)
    }

    #[test]
    fn tiles_are_as_large_as_they_can_be() {
        assert_eq!(grid(5, 78, 20), (3, 2, 10));
        assert_eq!(grid(5, 118, 36), (3, 2, 18));
        assert_eq!(grid(5, 300, 20), (5, 1, 20));
        assert_eq!(grid(1, 100, 20), (1, 1, 20));
    }

    #[test]
    fn more_tiles_than_fit_scroll_by_rows_with_the_selected_one_in_view() {
        let area = Rect::new(0, 0, 78, 20);
        let grid = TileGrid::fit(19, area);
        assert_eq!((grid.columns, grid.rows, grid.height), (4, 2, 10));
        let room = grid.tiles() - 1;
        for selected in 0..18 {
            let first = grid.first_in_view(selected, room);
            assert!((first..first + room).contains(&selected), "{selected}: {first}");
        }
        assert_eq!([6, 7, 17].map(|selected| grid.first_in_view(selected, room)), [0, 4, 12]);
        let large = TileGrid::fit(400, Rect::new(0, 0, 1000, 500));
        assert!(large.tiles() <= MOST_TILES, "{large:?}");
    }
}
