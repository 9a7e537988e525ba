//! The figures of the current view, one cell per set of cases.
//!
//! ```text
//! ╭ overview: fused:wrong · 54 of 54 cases answered ────────────╮
//! │ Accuracy [95 % interval]                                    │
//! │               all                  consistent   inconsist…  │
//! │ closed-book   0.600 [0.54, 0.65]   …                        │
//! │ fused         0.818 ━━━━━━━━──                              │
//! │ From closed-book to fused                                   │
//! ╰─────────────────────────────────────────────────────────────╯
//! ```

use super::super::theme::Role;
use super::{coverage, popup, text};
use crate::tui::state::overview::Overview;
use crate::tui::state::overview::table::{Cell, Section};
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

/// Widest name of a row.
const NAME: usize = 24;
/// Columns of a bar, if there is room.
const BAR: usize = 10;
/// Columns of a cell.
const LEAST_CELL: usize = 6;
const WIDEST_CELL: usize = 36;
/// Columns for the remark which columns of a table are shown.
const PLACE: usize = 12;

/// Draws the tables over the body, scrolled so that the selected cell is in view.
pub fn draw(app: &App, overview: &Overview, frame: &mut Frame, area: Rect) {
    let filter = if app.view().filter().is_empty() { "all cases".to_owned() } else { app.view().filter().to_string() };
    let title = format!("overview: {filter} · {}", answered(app, overview, usize::from(area.width), filter.width()));
    let inner = popup::framed(app, &title, frame, area);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let width = usize::from(inner.width);
    let mut lines: Vec<Line> = Vec::new();
    let mut selected_line = 0;
    for (index, section) in overview.sections.iter().enumerate() {
        lines.push(Line::styled(text::fit(&section.title, width), app.theme().style(Role::Title)));
        let (selected_section, selected_row, selected_column) = overview.selected;
        let selected_column = if selected_section == index { selected_column } else { 0 };
        let columns = Columns::fit(section, selected_column, width);
        let (name, cell) = (columns.name, columns.cell);
        let place = text::column(&columns.words(section.columns.len()), name);
        let mut heading = vec![Span::styled(place, app.theme().style(Role::Faint))];
        for column in columns.of(&section.columns) {
            heading
                .push(Span::styled(text::column(&text::fit(column, cell - 1), cell), app.theme().style(Role::Muted)));
        }
        lines.push(Line::from(heading));
        for (row_index, row) in section.rows.iter().enumerate() {
            let mut spans =
                vec![Span::styled(text::column(&text::fit(&row.name, name - 1), name), app.theme().style(Role::Muted))];
            let in_row = (selected_section, selected_row) == (index, row_index);
            if in_row {
                selected_line = lines.len();
            }
            for (column, content) in columns.of(&row.cells).iter().enumerate() {
                let selected = in_row && columns.first + column == selected_column;
                spans.extend(cell_spans(app, content, selected, cell));
            }
            lines.push(Line::from(spans));
        }
        lines.push(Line::default());
    }
    let rows = usize::from(inner.height);
    // Keep the title of the section in view.
    let first = (selected_line + 2).saturating_sub(rows).min(lines.len().saturating_sub(rows));
    let visible: Vec<Line> = lines.into_iter().skip(first).take(rows).collect();
    frame.render_widget(Paragraph::new(visible), inner);
}

/// How many cases the figures stand on, and how many are still to be answered.
fn answered(app: &App, overview: &Overview, width: usize, filter: usize) -> String {
    let (read, cases) = (overview.read, overview.cases);
    let Some(coverage) = app.coverage() else { return format!("{read} of {cases} cases answered") };
    let room = width.saturating_sub(filter + 17);
    if app.view().filter().is_empty() {
        return coverage::words(app, read, cases, room);
    }
    // What is not answered yet is not in a list that is filtered by answers.
    let so_far = format!("{read} so far; ");
    let room = room.saturating_sub(so_far.width());
    format!("{so_far}{}", coverage::words(app, coverage.answered, coverage.of, room))
}

/// The columns of a table that are shown, and their widths.
struct Columns {
    /// Width of the rows' names.
    name: usize,
    cell: usize,
    first: usize,
    count: usize,
}

impl Columns {
    /// Fits the columns without cutting a figure: if not all have room, the last one shown is the selected one.
    fn fit(section: &Section, selected: usize, width: usize) -> Self {
        let cells = section.rows.iter().flat_map(|row| &row.cells);
        let longest = cells.map(|cell| without_interval(&cell.text).width()).max().unwrap_or(0);
        let least = (longest + 2).clamp(LEAST_CELL, WIDEST_CELL);
        let all = section.columns.len().max(1);
        let mut name = section.rows.iter().map(|row| row.name.width()).max().unwrap_or(0).min(NAME) + 2;
        if all * least > width.saturating_sub(name) {
            name = name.max(PLACE);
        }
        let room = width.saturating_sub(name);
        let cell = (room / all).clamp(least, WIDEST_CELL);
        let count = (room / cell).clamp(1, all);
        Self { name, cell, first: (selected + 1).saturating_sub(count), count }
    }

    fn of<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        let first = self.first.min(all.len());
        &all[first..(first + self.count).min(all.len())]
    }

    /// "3-8 of 14" if some columns are left out.
    fn words(&self, all: usize) -> String {
        if self.count >= all {
            return String::new();
        }
        format!("{}-{} of {all}", self.first + 1, self.first + self.count)
    }
}

/// The figure and, if there is room, a bar of its share.
fn cell_spans(app: &App, cell: &Cell, selected: bool, width: usize) -> Vec<Span<'static>> {
    let theme = app.theme();
    let style = if selected { theme.style(Role::Selection) } else { Style::new() };
    let marker = if selected { "▸" } else { " " };
    let room = width.saturating_sub(2);
    let text_width = cell.text.width();
    let mut spans = vec![Span::styled(marker, theme.style(Role::Accent).patch(style))];
    let bar = room.saturating_sub(text_width + 1).min(BAR);
    let full = text_width <= room;
    // If an interval does not fit, keep the figure and its n.
    let shown = if full { cell.text.clone() } else { without_interval(&cell.text) };
    if let (Some(share), true) = (cell.share, full && bar >= 4) {
        spans.push(Span::styled(format!("{shown} "), theme.style(Role::Text).patch(style)));
        spans.extend(text::bar(theme, Some(share as f32), bar).map(|span| span.patch_style(style)));
        spans.push(Span::styled(" ".repeat(room.saturating_sub(text_width + bar)), style));
        return spans;
    }
    spans.push(Span::styled(text::column(&text::fit(&shown, room), room + 1), theme.style(Role::Text).patch(style)));
    spans
}

/// Turns "0.333 [0.000, 1.000] n=3" into "0.333 n=3".
fn without_interval(text: &str) -> String {
    match (text.split_once(" ["), text.split_once(']')) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => text.to_owned(),
    }
}
