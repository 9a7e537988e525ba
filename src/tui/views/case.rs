//! The case: its question, its images, its answers and its hits.

use super::super::action::Action;
use super::super::theme::Role;
use super::case_layout::{CaseLayout, CaseNeeds, TALL};
use super::{WIDE, answers_panel, comparison, evidence, hits, picture, text};
use crate::terminal::image_protocol::ImageMode;
use crate::tui::state::selection::Side;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

/// Draws the pane right of the queue.
pub fn draw(app: &App, frame: &mut Frame, area: Rect) {
    let Some((_, case)) = app.current() else {
        draw_no_case(app, frame, area);
        return;
    };
    // The user's own evidence is in neither run, so the table of this run's hits is shown while one is selected.
    let compares = app.is_comparing() && app.cases().compares_runs() && app.selection().hit() < app.hits().len().max(1);
    let question = app.dataset().question_of(case);
    let most = if area.height >= TALL { 3 } else { 2 };
    let asked = text::wrap_into(question, usize::from(area.width), most);
    // A model's answer has no image beside the case's own.
    let is_wide = frame.area().width >= WIDE && !app.cases().models_stand_in();
    let has_images = app.images().mode() != ImageMode::Off;
    let layout = CaseLayout::fit(
        area,
        CaseNeeds {
            question: asked.len().max(1) as u16,
            // A comparison has a line about both runs and up to twice as many documents.
            hits: app.hits().len().max(4) as u16 + if compares { 3 } else { 1 },
            own: own_rows(app),
            caption: longest_caption(app, area.width),
            images: u16::from(has_images) * if is_wide { 2 } else { 1 },
        },
    );
    draw_title(app, frame, layout.title);
    let lines: Vec<Line> = asked.into_iter().map(Line::from).collect();
    frame.render_widget(Paragraph::new(lines).style(app.theme().style(Role::Text)), layout.question);
    app.drawn().set_query(Rect::ZERO);
    app.drawn().set_document(Rect::ZERO);
    app.drawn().set_hits(Rect::ZERO, 0);
    if has_images {
        draw_images(app, frame, layout.images, is_wide);
    } else {
        picture::file_names(app, frame, layout.images[0]);
    }
    if layout.is_beside {
        answers_panel::beside(app, frame, layout.answers);
    } else {
        answers_panel::below(app, frame, layout.answers);
    }
    if has_images {
        hits::draw_caption(app, frame, layout.caption);
    } else {
        hits::draw_captions(app, frame, layout.caption);
    }
    if compares {
        comparison::draw(app, frame, layout.table);
    } else {
        hits::draw(app, frame, layout.table);
    }
}

/// Draws query and document side by side, or the one that keys act on.
fn draw_images(app: &App, frame: &mut Frame, [first, second]: [Rect; 2], are_both: bool) {
    let side = if app.cases().models_stand_in() { Side::Query } else { app.selection().side() };
    if are_both {
        picture::query(app, side == Side::Query, frame, first);
        picture::document(app, side == Side::Document, frame, second);
        return;
    }
    match side {
        Side::Query => picture::query(app, false, frame, first),
        Side::Document => picture::document(app, false, frame, first),
    }
}

/// Rows of the user's own evidence, with the line above it.
fn own_rows(app: &App) -> u16 {
    let answers = app.queue().current().and_then(|case| app.cases().answers_of(case));
    answers.map_or(0, |answers| hits::row_count(answers) - app.hits().len()) as u16
}

/// Rows of the longest caption of what was retrieved, with the line of its origin above it and, in a comparison, B's caption
/// below it: the layout stays as one goes from hit to hit.
fn longest_caption(app: &App, width: u16) -> u16 {
    let given = (0..app.hits().len()).filter_map(|slot| app.given_at(slot));
    let others = 1 + u16::from(app.is_comparing() && app.cases().evidence_differs());
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
