//! The case: its question, its images, its answers and its hits.

use super::super::action::Action;
use super::super::theme::Role;
use super::{WIDE, answers_panel, comparison, evidence, grid, hits, picture, text};
use crate::terminal::image_protocol::ImageMode;
use crate::tui::state::selection::Side;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

/// From this height, the answers stand below the images and the whole caption is shown.
const TALL: u16 = 33;
/// From this size of the pane, the images of all hits are shown.
const GRID: (u16, u16) = (150, 48);
/// Columns that the answers need beside an image.
const ANSWERS_WIDTH: u16 = 22;
/// Rows of the answers below the images.
const ANSWERS_ROWS: u16 = 5;
/// Rows of the selected hit's caption.
const CAPTION_ROWS: u16 = 7;

/// Draws the pane right of the queue.
pub fn draw(app: &App, frame: &mut Frame, area: Rect) {
    let Some((_, case)) = app.current() else {
        draw_no_case(app, frame, area);
        return;
    };
    let tall = area.height >= TALL;
    let question = app.dataset().question_of(case);
    let question_rows = text::wrap(question, usize::from(area.width)).len().clamp(1, if tall { 3 } else { 2 }) as u16;
    // The user's own evidence is in neither run, so the table of this run's hits is shown while one is selected.
    let compares = app.is_comparing() && app.cases().compares_runs() && app.selection().hit() < app.hits().len().max(1);
    // A comparison has a line about both runs and up to twice as many documents.
    let more = if compares { 3 } else { 1 };
    let table = TableRows::fit(app, area, more);
    let (hit_rows, caption_rows) = (table.hits, table.caption);
    let facts_rows = if tall { ANSWERS_ROWS + 1 } else { 0 };
    // Without images, the rows go to the caption, or below 33 rows to the answers.
    let without_images = app.images().mode() == ImageMode::Off;
    let (image_space, caption_space) = if without_images && tall {
        (Constraint::Length(1), Constraint::Min(caption_rows))
    } else {
        (Constraint::Min(1), Constraint::Length(caption_rows))
    };
    let [title, asked, images, facts_below, _, table, caption] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(question_rows + u16::from(tall)),
        image_space,
        Constraint::Length(facts_rows),
        Constraint::Length(u16::from(tall)),
        Constraint::Length(hit_rows),
        caption_space,
    ])
    .areas(area);
    draw_title(app, frame, title);
    let lines: Vec<Line> = text::wrap_into(question, usize::from(asked.width), usize::from(question_rows))
        .into_iter()
        .map(Line::from)
        .collect();
    frame.render_widget(Paragraph::new(lines).style(app.theme().style(Role::Text)), asked);
    app.drawn().set_query(Rect::ZERO);
    app.drawn().set_document(Rect::ZERO);
    app.drawn().set_hits(Rect::ZERO, 0);
    if tall {
        if without_images {
            picture::file_names(app, frame, images);
        } else if area.width >= GRID.0 && area.height >= GRID.1 {
            grid::draw(app, frame, images);
        } else {
            draw_images(app, frame, images, 0);
        }
        answers_panel::below(app, frame, facts_below);
        hits::draw_caption(app, frame, caption);
    } else if without_images {
        let below = picture::file_names(app, frame, images);
        answers_panel::beside(app, frame, below);
    } else {
        let beside = draw_images(app, frame, images, ANSWERS_WIDTH);
        answers_panel::beside(app, frame, beside);
    }
    if compares {
        comparison::draw(app, frame, table);
    } else {
        hits::draw(app, frame, table);
    }
}

/// Rows of the table of hits and of the caption below it.
struct TableRows {
    hits: u16,
    caption: u16,
}

impl TableRows {
    /// What was retrieved takes what it needs, up to a third of the pane. The user's own evidence below takes rows that the
    /// captions leave empty, so that no image shrinks for it; where no caption is written out it takes some of that third.
    fn fit(app: &App, area: Rect, more: u16) -> Self {
        let most = area.height / 3;
        let (found, own) = (app.hits().len().max(4) as u16, own_rows(app));
        let hits = (found + more).min(most);
        if area.height < TALL {
            return Self { hits: (hits + own).min(most.max(hits)), caption: 0 };
        }
        let caption = CAPTION_ROWS + 1;
        let free = if own > 0 { caption.saturating_sub(longest_caption(app, area.width)) } else { 0 };
        let taken = own.min(free);
        Self { hits: hits + taken, caption: caption - taken }
    }
}

/// Rows of the user's own evidence, with the line above it.
fn own_rows(app: &App) -> u16 {
    let answers = app.queue().current().and_then(|case| app.cases().answers_of(case));
    answers.map_or(0, |answers| hits::row_count(answers) - app.hits().len()) as u16
}

/// Rows of the longest caption of the case, with the blank line and the line of its origin above it and, in a comparison, B's
/// caption below it: the layout stays as one goes from hit to hit.
fn longest_caption(app: &App, width: u16) -> u16 {
    let given = (0..app.slots()).filter_map(|slot| app.given_at(slot));
    let others = 2 + u16::from(app.is_comparing() && app.cases().evidence_differs());
    given.map(|given| evidence::caption_height(&given, usize::from(width)) as u16 + others).max().unwrap_or(0)
}

/// Says why the list is empty and whether more cases may come.
fn draw_no_case(app: &App, frame: &mut Frame, area: Rect) {
    app.drawn().set_query(Rect::ZERO);
    app.drawn().set_document(Rect::ZERO);
    app.drawn().set_hits(Rect::ZERO, 0);
    if app.view().filter().is_empty() {
        return;
    }
    let line = match app.still_to_read(app.view().filter()) {
        0 => format!("No case matches {}.", app.view().filter()),
        unread => format!(
            "No answered case matches {}. {unread} cases are not answered yet; they join this list if they match.",
            app.view().filter()
        ),
    };
    let mut lines = text::wrap(&line, usize::from(area.width));
    if let Some(key) = app.key_of(&Action::ToggleFilter) {
        lines.push(String::new());
        lines.push(format!("{key} removes the filter."));
    }
    let lines: Vec<Line> = lines.into_iter().map(Line::from).collect();
    frame.render_widget(Paragraph::new(lines).style(app.theme().style(Role::Muted)), area);
}

fn draw_title(app: &App, frame: &mut Frame, area: Rect) {
    let Some((_, case)) = app.current() else { return };
    let theme = app.theme();
    let rest = format!(" · {} · {}", case.split, case.task);
    let spans = vec![
        Span::styled(
            text::fit_end(&case.id, usize::from(area.width).saturating_sub(rest.width())),
            theme.style(Role::Title),
        ),
        Span::styled(rest, theme.style(Role::Muted)),
    ];
    frame.render_widget(Line::from(spans), area);
}

/// Draws one image or two, each as wide as a square one would be, and returns the free area on the right, which has
/// at least `reserved` columns.
fn draw_images(app: &App, frame: &mut Frame, area: Rect, reserved: u16) -> Rect {
    // A cell is about twice as high as wide; one row is the heading.
    let square = area.height.saturating_sub(1) * 2;
    let free = area.width.saturating_sub(reserved + 2);
    let both = frame.area().width >= WIDE;
    let width = if both { square.min(free.saturating_sub(2) / 2) } else { square.min(free) };
    let first = Rect { width, ..area };
    let mut used = width + 2;
    if both {
        let second = Rect { x: area.x + width + 2, width, ..area };
        picture::query(app, app.selection().side() == Side::Query, frame, first);
        picture::document(app, app.selection().side() == Side::Document, frame, second);
        used += width + 2;
    } else {
        match app.selection().side() {
            Side::Query => picture::query(app, false, frame, first),
            Side::Document => picture::document(app, false, frame, first),
        }
    }
    Rect { x: area.x + used, width: area.width.saturating_sub(used), ..area }
}
