//! The queue: one row per case with its answers and its annotation.

use super::super::theme::Role;
use super::{coverage, focus, text};
use crate::data::Answer;
use crate::evaluation::{PartialCaseAnswer, Verdict};
use crate::tui::state::order::Order;
use crate::tui::state::queue_columns::Column;
use crate::tui::state::selection::Focus;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

/// Columns right of the id: gold, fused, verdict, annotation.
const RIGHT_COLUMNS: usize = 11;
/// Columns for the number of cases that have a category.
pub const COUNT: usize = 4;
/// Fewest columns in which a task's id is readable, including the space before it.
const LEAST_TASK: usize = 5;
/// Fewest rows for which the taxonomy is listed under the queue.
const ROWS_FOR_CATEGORIES: u16 = 30;

/// Draws the queue, and under it the taxonomy if there is room.
pub fn draw(app: &App, frame: &mut Frame, area: Rect) {
    let wanted = u16::try_from(app.cases().categories().len() + 2).unwrap_or(0);
    let legend = if area.height >= ROWS_FOR_CATEGORIES && wanted * 2 < area.height { wanted } else { 0 };
    let answered = answered(app, usize::from(area.width));
    let [heading, said, list, categories] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::from(answered.is_some())),
        Constraint::Min(1),
        Constraint::Length(legend),
    ])
    .areas(area);
    frame.render_widget(head(app, usize::from(area.width)), heading);
    if let Some(answered) = answered {
        frame.render_widget(Line::styled(answered, app.theme().style(Role::Notice)), said);
    }
    draw_list(app, frame, list);
    if legend > 0 {
        draw_categories(app, frame, categories);
    }
}

fn head(app: &App, width: usize) -> Line<'static> {
    let what = if app.view().filter().is_empty() { "case".to_owned() } else { app.view().filter().to_string() };
    let what =
        if app.view().order() == Order::Dataset { what } else { format!("{what} ↓{}", app.view().order().name()) };
    let mut extra = String::new();
    for (name, columns) in app.view().columns().iter().map(|column| column.heading()) {
        extra.push_str(&format!("{name:>columns$}"));
    }
    let id = text::column(&format!("  {what}"), width.saturating_sub(RIGHT_COLUMNS + extra.len()));
    let gold = if app.is_gold_visible() { "g" } else { " " };
    focus::heading(app, Focus::Queue, &format!("{id}{extra} {gold} ans mine"))
}

/// That an order or a filter stands on a part of the cases only, and how the rest comes in.
fn answered(app: &App, width: usize) -> Option<String> {
    if !app.view_depends_on_answers() && app.reading_rest().is_none() {
        return None;
    }
    let coverage = app.coverage()?;
    Some(format!("  {}", coverage::words(app, coverage.answered, coverage.of, width.saturating_sub(2))))
}

fn draw_list(app: &App, frame: &mut Frame, area: Rect) {
    let cases = app.queue().shown();
    if cases.is_empty() {
        frame.render_widget(Paragraph::new("  no case").style(app.theme().style(Role::Muted)), area);
        return;
    }
    let rows = usize::from(area.height);
    // Keep the current case off the edges, so that the next ones are visible.
    let margin = (rows / 4).min(5);
    let first =
        app.queue().place().saturating_sub(rows.saturating_sub(margin + 1)).min(cases.len().saturating_sub(rows));
    app.drawn().set_queue(area, first);
    let visible = cases.iter().skip(first).take(rows);
    let widths = Widths::fit(app, visible.clone(), usize::from(area.width));
    for (offset, case) in visible.enumerate() {
        let line = Rect { y: area.y + offset as u16, height: 1, ..area };
        let selected = first + offset == app.queue().place();
        draw_row(app, *case, selected, &widths, frame, line);
    }
}

/// Columns for id and task; the task is left out if there is only one or no room.
struct Widths {
    id: usize,
    task: usize,
}

impl Widths {
    fn fit<'a>(app: &App, visible: impl Iterator<Item = &'a usize>, width: usize) -> Self {
        let extra: usize = app.view().columns().iter().map(|column| column.heading().1).sum();
        let room = width.saturating_sub(RIGHT_COLUMNS + 2 + extra);
        let longest_id = visible.filter_map(|case| app.dataset().cases.get(*case)).map(|case| case.id.width()).max();
        let left = room.saturating_sub(longest_id.unwrap_or(0));
        let task = if app.dataset().tasks.len() > 1 && left >= LEAST_TASK { left } else { 0 };
        Self { id: room - task, task }
    }
}

fn draw_row(app: &App, index: usize, selected: bool, widths: &Widths, frame: &mut Frame, area: Rect) {
    let Some(case) = app.dataset().cases.get(index) else { return };
    let theme = app.theme();
    let focused = app.selection().focus() == Focus::Queue;
    let row_style = match (selected, focused) {
        (true, true) => theme.style(Role::Selection),
        (true, false) => theme.style(Role::SelectionResting),
        (false, _) => Style::new(),
    };
    let marker = match (selected, app.is_marked(index)) {
        (true, true) => "▸•",
        (true, false) => "▸ ",
        (false, true) => " •",
        (false, false) => "  ",
    };
    let id = text::column(&text::fit_end(&case.id, widths.id), widths.id);
    let task = if widths.task > 0 { format!(" {}", text::column(&case.task, widths.task - 1)) } else { String::new() };
    let gold = app.cases().gold_of(case);
    let mut spans = vec![
        Span::styled(marker, theme.style(if focused { Role::Accent } else { Role::Muted })),
        Span::styled(id, theme.style(Role::Text)),
        Span::styled(task, theme.style(Role::Muted)),
        Span::styled(extra_cells(app, index), theme.style(Role::Muted)),
        Span::raw(" "),
        Span::styled(gold_cell(app, index, gold), theme.style(Role::Right)),
        Span::raw(" "),
    ];
    spans.extend(answer_cells(app, index, gold));
    spans.extend(annotation_cells(app, index));
    frame.render_widget(Line::from(spans).style(row_style), area);
}

/// The cells of the optional columns.
fn extra_cells(app: &App, index: usize) -> String {
    let answers = app.cases().answers_of(index);
    let mut cells = String::new();
    for column in app.view().columns() {
        let cell = match column {
            Column::ClosedBook => answers
                .and_then(|answers| answers.closed_book.as_ref())
                .map(|prediction| app.cases().letter_of(index, prediction.answer).to_string()),
            Column::Confidence => answers.and_then(|answers| answers.fused()).map(|fused| {
                let sign = if fused.prediction.is_sampled() { "≈" } else { "" };
                format!("{sign}{}", text::probability(fused.prediction.probability()))
            }),
            Column::Entropy => answers.and_then(PartialCaseAnswer::entropy).map(|entropy| format!("{entropy:.2}")),
            Column::Against => app
                .cases()
                .other_answers(index)
                .and_then(|answers| answers.final_answer())
                .map(|answer| app.cases().letter_of(index, answer.answer).to_string()),
            Column::Seen => (!app.cases().is_seen(index)).then(|| "·".to_owned()),
        };
        cells.push_str(&format!("{:>1$}", cell.unwrap_or_default(), column.heading().1));
    }
    cells
}

fn gold_cell(app: &App, index: usize, gold: Option<Answer>) -> String {
    match gold {
        Some(gold) if app.gold().is_visible_of(index) => app.cases().letter_of(index, Some(gold)).to_string(),
        _ => " ".to_owned(),
    }
}

/// Fused letter, `*` if gold is shown and the letter is right, verdict: six columns.
fn answer_cells(app: &App, index: usize, gold: Option<Answer>) -> Vec<Span<'static>> {
    let theme = app.theme();
    let Some(answers) = app.cases().answers_of(index) else { return vec![Span::raw("      ")] };
    if answers.failed.is_some() {
        return vec![Span::styled(" x    ", theme.style(Role::Error))];
    }
    let Some(answer) = answers.final_answer().map(|prediction| prediction.answer) else {
        return vec![Span::styled(" …    ", theme.style(Role::Faint))];
    };
    let right = app.gold().is_visible_of(index) && gold.is_some() && gold == answer;
    let (glyph, role) = match answers.verdict() {
        Some(Verdict::Inconsistent) => ("!", Role::Differs),
        Some(Verdict::Consistent) => ("=", Role::Same),
        // Without a document there is one answer.
        None => (" ", Role::Text),
    };
    vec![
        Span::styled(format!(" {}", app.cases().letter_of(index, answer)), theme.style(Role::Text)),
        Span::styled(if right { "*" } else { " " }, theme.style(Role::Right)),
        Span::styled(format!("{glyph}  "), theme.style(role)),
    ]
}

/// A sign and the category's key; `s` for skipped, `h` if only documents are annotated, `n` if there is only a note.
fn annotation_cells(app: &App, index: usize) -> [Span<'static>; 2] {
    let style = app.theme().style(Role::Annotation);
    let Some(annotation) = app.cases().annotation_of(index) else { return [Span::raw(" "), Span::raw(" ")] };
    let sign = if annotation.flagged {
        "#"
    } else if annotation.unsure {
        "?"
    } else if app.cases().staleness_of(index).is_stale() || app.cases().definitions().is_outdated(annotation) {
        "~"
    } else if app.cases().known_categories(&annotation.categories).count() > 1 {
        "+"
    } else {
        " "
    };
    let cell = match app.cases().known_categories(&annotation.categories).next() {
        Some(category) => Span::styled(category.key.to_string(), style),
        None if annotation.skipped => Span::styled("s", app.theme().style(Role::Muted)),
        None if !annotation.hits.is_empty() => Span::styled("h", style),
        None => Span::styled(if annotation.note.is_some() { "n" } else { " " }, style),
    };
    [Span::styled(sign, style), cell]
}

/// A number in [`COUNT`] columns, empty for 0.
pub fn count_cell(count: usize) -> String {
    if count == 0 { " ".repeat(COUNT) } else { format!("{count:>COUNT$}") }
}

fn draw_categories(app: &App, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let width = usize::from(area.width).saturating_sub(5 + COUNT);
    let pace = app.throughput().pace_in_words();
    let title = if pace.is_empty() { "  error categories".to_owned() } else { format!("  {pace}") };
    let mut lines = vec![Line::default(), Line::styled(title, theme.style(Role::Muted))];
    let current = app.queue().current().and_then(|case| app.cases().annotation_of(case));
    for category in app.cases().categories() {
        let chosen = current.is_some_and(|annotation| annotation.categories.contains(&category.id));
        let name = Span::styled(
            text::column(&category.name, width),
            theme.style(if chosen { Role::Annotation } else { Role::Muted }),
        );
        let count = Span::styled(count_cell(app.count_of_category(&category.id)), theme.style(Role::Muted));
        let key =
            Span::styled(category.key.to_string(), theme.style(if chosen { Role::Annotation } else { Role::Key }));
        lines.push(Line::from(vec![Span::raw(if chosen { "▸ " } else { "  " }), key, Span::raw("  "), name, count]));
    }
    frame.render_widget(Paragraph::new(lines), area);
}
