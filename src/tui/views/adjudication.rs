//! Deciding a case: everybody's annotations side by side at the bottom of the body, so that the case stays in view.
//!
//! ```text
//! ╭ us-0007: disputed ────────────────────────────────────────────╮
//! │ ▸ ada (you)                   bob                             │
//! │ 1 Misleading look-alike       2 Caption against image         │
//! │ “margin copied”               unsure                          │
//! │ ───────────────────────────────────────────────────────────── │
//! │ decision   1 Misleading look-alike                            │
//! │ reason     the caption says so                                │
//! │ 1 Misleading look-alike  2 Caption against image  3 Evidence… │
//! ╰───────────────────────────────────────────────────────────────╯
//! ```

use super::super::theme::Role;
use super::{popup, text};
use crate::annotation::{AuthoredAnnotation, CaseReview, CategoryId, Decision, Standing, remarks};
use crate::tui::state::adjudication::Adjudication;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

/// Fewest columns for one annotator.
const LEAST: usize = 24;
/// Columns for the names before the decision.
const NAME: usize = 10;
/// Rows between annotations and taxonomy: a line, the standing decision, the new one, its reason.
const DECISION_ROWS: u16 = 4;

/// Draws annotations and decision over the lower part of the body.
pub fn draw(app: &App, adjudication: &Adjudication, frame: &mut Frame, area: Rect) {
    let review = app.cases().review_of(adjudication.case);
    let width = usize::from(area.width).saturating_sub(4);
    let (columns, hidden) = columns(app, adjudication, review, width);
    let is_chosen = |id: &CategoryId| adjudication.chosen.as_ref().is_some_and(|chosen| chosen.contains(id));
    let taxonomy = taxonomy_lines(app, width, is_chosen);
    let words = columns.iter().map(Vec::len).max().unwrap_or(1) as u16;
    let taxonomy_rows = taxonomy.len() as u16;
    let most = (area.height * 4 / 5).max(DECISION_ROWS + taxonomy_rows + 4).min(area.height);
    let height = (words + DECISION_ROWS + taxonomy_rows + 2).min(most);
    let foot = Rect { y: area.bottom().saturating_sub(height), height, ..area };
    let id = app.dataset().cases.get(adjudication.case).map(|case| case.id.as_str()).unwrap_or_default();
    let inner = popup::framed(app, &format!("{id}: {}{hidden}", standing(app, adjudication, review)), frame, foot);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let [said, decision, keys] =
        Layout::vertical([Constraint::Min(1), Constraint::Length(DECISION_ROWS), Constraint::Length(taxonomy_rows)])
            .areas(inner);
    let share = said.width / u16::try_from(columns.len().max(1)).unwrap_or(1);
    for (place, mut lines) in columns.into_iter().enumerate() {
        if lines.len() > usize::from(said.height) {
            lines.truncate(usize::from(said.height.saturating_sub(1)));
            lines.push(Line::styled("  …", app.theme().style(Role::Faint)));
        }
        let column = Rect { x: said.x + share * place as u16, width: share, ..said };
        frame.render_widget(Paragraph::new(lines), column);
    }
    draw_decision(app, adjudication, review, frame, decision);
    frame.render_widget(Paragraph::new(taxonomy), keys);
}

fn standing(app: &App, adjudication: &Adjudication, review: Option<&CaseReview>) -> String {
    let Some(review) = review else { return "nobody has annotated this case".to_owned() };
    if !adjudication.is_revealed {
        return format!("{} others annotated this case (hidden; s shows them)", app.cases().count_of_others(review));
    }
    match review.standing() {
        Standing::Decided { is_outdated: true } => "decided; annotated again since".to_owned(),
        standing => standing.word().to_owned(),
    }
}

/// One column of lines per annotator: as many as fit, including the selected one. Also says how many are hidden on
/// either side, such as ` · +1 →`.
fn columns(
    app: &App,
    open: &Adjudication,
    review: Option<&CaseReview>,
    width: usize,
) -> (Vec<Vec<Line<'static>>>, String) {
    let faint = app.theme().style(Role::Faint);
    let alone = |text: &'static str| (vec![vec![Line::styled(text, faint)]], String::new());
    let Some(review) = review else { return alone("no annotations") };
    let shown: Vec<(usize, &AuthoredAnnotation)> =
        review.annotations.iter().enumerate().filter(|_| open.is_revealed).collect();
    if shown.is_empty() {
        return alone("you have not annotated this case yet");
    }
    let beside = (width / LEAST).clamp(1, shown.len());
    let at = shown.iter().position(|(place, _)| *place == open.selected).unwrap_or(0);
    let first = (at + 1).saturating_sub(beside);
    let width = width / beside;
    let mut hidden = String::new();
    if first > 0 {
        hidden.push_str(&format!(" · ← +{first}"));
    }
    if shown.len() > first + beside {
        hidden.push_str(&format!(" · +{} →", shown.len() - first - beside));
    }
    let visible = shown.into_iter().skip(first).take(beside);
    let columns = visible.map(|(place, authored)| annotation_lines(app, authored, place == open.selected, width));
    (columns.collect(), hidden)
}

fn annotation_lines(app: &App, authored: &AuthoredAnnotation, selected: bool, width: usize) -> Vec<Line<'static>> {
    let AuthoredAnnotation { annotator, annotation } = authored;
    let theme = app.theme();
    let width = width.saturating_sub(2);
    let you = if *annotator == app.cases().annotator() { " (you)" } else { "" };
    let blind = if annotation.blind { " · blind" } else { "" };
    let style = if selected { theme.style(Role::Selection) } else { Style::new() };
    let marker = if selected { "▸ " } else { "  " };
    let name = text::fit(&format!("{marker}{annotator}{you}"), width);
    let mut lines = vec![Line::from(vec![
        Span::styled(name, theme.style(Role::Title).patch(style)),
        Span::styled(blind, theme.style(Role::Muted)),
    ])];
    let mut put = |text: &str, role: Role| {
        let wrapped = text::wrap(text, width.saturating_sub(2));
        lines.extend(wrapped.into_iter().map(|line| Line::styled(format!("  {line}"), theme.style(role))));
    };
    if !annotation.categories.is_empty() {
        put(&words(app, &annotation.categories), Role::Annotation);
    }
    for word in remarks(annotation.skipped, annotation.unsure, annotation.flagged) {
        put(word, Role::Muted);
    }
    if let Some(note) = &annotation.note {
        put(&format!("“{note}”"), Role::Text);
    }
    for earlier in app.cases().definitions().earlier_definitions(annotation) {
        put(&earlier.in_words(), Role::Muted);
    }
    for (document, given) in &annotation.hits {
        put(&format!("{document}: {}", words(app, given)), Role::Muted);
    }
    lines
}

/// Keys and names, such as "1 Misleading look-alike, 8 Other".
fn words(app: &App, ids: &BTreeSet<CategoryId>) -> String {
    let known = app.cases().known_categories(ids);
    let mut names: Vec<String> = known.map(|category| format!("{} {}", category.key, category.name)).collect();
    let unknown = ids.iter().filter(|id| !app.cases().categories().iter().any(|category| category.id == **id));
    names.extend(unknown.map(|id| format!("{id} (no longer in the taxonomy)")));
    if names.is_empty() { "no category".to_owned() } else { names.join(", ") }
}

fn draw_decision(app: &App, open: &Adjudication, review: Option<&CaseReview>, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let width = usize::from(area.width).saturating_sub(NAME);
    let row = |name: &str, text: &str, role: Role| {
        Line::from(vec![
            Span::styled(text::column(name, NAME), theme.style(Role::Muted)),
            Span::styled(text::fit(text, width), theme.style(role)),
        ])
    };
    let line = Block::new().borders(Borders::TOP).border_style(theme.style(Role::Faint));
    let decision = review.and_then(|review| review.decision.as_deref()).filter(|_| open.is_revealed);
    let stands = match decision {
        Some(decision) => row("decided", &decision_text(app, decision), Role::Text),
        None => row("decided", "-", Role::Faint),
    };
    let chosen = match &open.chosen {
        None => row("decision", "a category's key, Space for the selected annotator's, x for none", Role::Faint),
        Some(categories) => row("decision", &words(app, categories), Role::Annotation),
    };
    let reason = match (&open.typing, open.reason.as_str()) {
        (Some(_), _) => row("reason", "", Role::Text),
        (None, "") => row("reason", "press n to type one", Role::Faint),
        (None, reason) => row("reason", reason, Role::Text),
    };
    let inner = line.inner(area);
    frame.render_widget(line, area);
    frame.render_widget(Paragraph::new(vec![stands, chosen, reason]), inner);
    if let Some(input) = &open.typing {
        let name = NAME as u16;
        let edit = Rect { x: inner.x + name, y: inner.y + 2, width: inner.width.saturating_sub(name), height: 1 };
        popup::edit_line(app, input, frame, edit.intersection(area));
    }
}

fn decision_text(app: &App, decision: &Decision) -> String {
    let mut text = format!("{} by {}", words(app, &decision.categories), decision.adjudicator);
    if !decision.reason.is_empty() {
        text = format!("{text} “{}”", decision.reason);
    }
    text
}

/// The categories for cases with their keys, in a row.
pub fn taxonomy_lines(app: &App, width: usize, is_chosen: impl Fn(&CategoryId) -> bool) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    let mut used = 0;
    for category in app.cases().categories().iter().filter(|category| category.level.is_of_case()) {
        let chosen = is_chosen(&category.id);
        let name = text::fit(&category.name, width.saturating_sub(4));
        let columns = name.width() + 4;
        if used + columns > width && !spans.is_empty() {
            lines.push(Line::from(std::mem::take(&mut spans)));
            used = 0;
        }
        used += columns;
        spans.push(Span::styled(format!("{} ", category.key), app.theme().style(Role::Key)));
        spans.push(Span::styled(name, app.theme().style(if chosen { Role::Annotation } else { Role::Muted })));
        spans.push(Span::raw("  "));
    }
    lines.push(Line::from(spans));
    lines
}
