//! The hits, one per row: rank, head, score, prediction, caption.

use super::super::action::Action;
use super::super::theme::Role;
use super::evidence::CaptionColumn;
use super::{evidence, focus, label_sets, scrollbar, text, verdict};
use crate::cases::given_evidence::head_column;
use crate::evaluation::{Fused, PartialCaseAnswer, contributions};
use crate::run::Hit;
use crate::tui::state::selection::{Focus, Shown};
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

/// Columns for the head's name and for its score.
const HEAD: usize = 8;
const SCORE: usize = 6;
/// Columns for a hit's share of the weights.
const WEIGHT: usize = 7;

/// Columns of the name of a run before a caption: "A: ".
pub const RUN: usize = 3;

/// Column widths, which depend on the room.
struct Columns {
    /// Of the place in the list: more than 99 hits need three.
    place: usize,
    /// The label's name after its letter; 0 leaves it out.
    name: usize,
    bar: usize,
    /// The hit's push on the margin of the fused answer; 0 leaves it out.
    push: usize,
    caption: usize,
}

impl Columns {
    /// Divides the width. Answers in words have no probabilities, so their names get that room. Where the caption would have
    /// less than `caption_needs`, the bar goes, which repeats the probability, then the name, which repeats the letter, then
    /// the push.
    fn fit(width: usize, slots: usize, longest_label: usize, in_words: bool, caption_needs: usize) -> Self {
        // marker 2, place 3, head 8, score 6, glyph, letter and signs 6, probability 5, weight 7
        let (name, bar, push) = match width {
            0..60 => (0, 4, 0),
            60..76 => (6, 6, 6),
            76..110 => (10, 8, 6),
            _ => (24, 12, 6),
        };
        let (name, bar, push) = if in_words { (name + bar + push + 4, 0, 0) } else { (name, bar, push) };
        let name = longest_label.min(name);
        let place = slots.to_string().len().max(2);
        let mut columns = Self { place, name, bar, push, caption: 0 };
        for (name, bar, push) in [(name, bar, push), (name, 0, push), (0, 0, push), (0, 0, 0)] {
            columns = Self { place, name, bar, push, caption: 0 };
            columns.caption = width.saturating_sub(columns.fixed());
            if in_words || columns.caption >= caption_needs {
                break;
            }
        }
        columns
    }

    /// Columns of all but the caption.
    fn fixed(&self) -> usize {
        let name = if self.name > 0 { self.name + 1 } else { 0 };
        2 + self.place + 1 + HEAD + SCORE + 6 + name + self.bar + 1 + 5 + WEIGHT + self.push
    }
}

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Slot(usize),
    /// Between what was retrieved and the user's own evidence.
    Divider,
}

/// Rows of the table without its heading: the hits, then the user's own evidence in a block of its own.
pub fn row_count(answers: &PartialCaseAnswer) -> usize {
    answers.slots() + usize::from(!answers.user_hits.is_empty())
}

fn rows_of(answers: &PartialCaseAnswer) -> Vec<Row> {
    let found = answers.hit_count();
    let mut rows: Vec<Row> = (0..found).map(Row::Slot).collect();
    if !answers.user_hits.is_empty() {
        rows.push(Row::Divider);
    }
    rows.extend((found..answers.slots()).map(Row::Slot));
    rows
}

/// Draws the table, scrolled so that the selected hit is visible.
pub fn draw(app: &App, frame: &mut Frame, area: Rect) {
    let answers = app.queue().current().and_then(|case| app.cases().answers_of(case));
    let scrolls = answers.is_some_and(|answers| row_count(answers) > usize::from(area.height.saturating_sub(1)));
    let width = area.width.saturating_sub(if scrolls { scrollbar::WIDTH } else { 0 });
    let heading_row = Rect { height: 1, ..area };
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let rows = answers.map(rows_of).unwrap_or_default();
    let room = usize::from(body.height);
    let selected = rows.iter().position(|row| *row == Row::Slot(app.selection().hit())).unwrap_or(0);
    let first = (selected + 1).saturating_sub(room);
    let visible = &rows[first.min(rows.len())..(first + room).min(rows.len())];
    let captions = CaptionColumn::new(app);
    let caption_needs = caption_needs(app, visible);
    let columns = Columns::fit(usize::from(width), app.slots(), app.longest_answer(), app.is_in_words(), caption_needs);
    let heading = heading(&columns, app.cases().models_stand_in());
    frame.render_widget(focus::heading(app, Focus::Hits, &heading), heading_row);
    app.drawn().set_hits(body, 0);
    let Some(answers) = answers else {
        draw_message(app, "…", Role::Faint, frame, body);
        return;
    };
    if answers.hits().is_none() {
        // The reason why nothing is answered is more useful than a remark that this case is not.
        match app.worker().failure().or(answers.failed.as_deref()) {
            Some(message) => draw_message(app, message, Role::Error, frame, body),
            None => draw_message(app, "…", Role::Faint, frame, body),
        }
        return;
    }
    if answers.slots() == 0 {
        draw_message(app, "no document was retrieved for this case", Role::Muted, frame, body);
        return;
    }
    let fused = app.fused_now();
    let pushes = fused.as_ref().filter(|_| columns.push > 0);
    let pushes = pushes.and_then(|fused| contributions(&answers.found_with_user_hits()?, fused)).unwrap_or_default();
    let is_hit = |row: &&Row| matches!(row, Row::Slot(slot) if answers.user_hit_at(*slot).is_none());
    let hits_in_view = visible.iter().take_while(is_hit).count() as u16;
    app.drawn().set_hits(Rect { height: hits_in_view, ..body }, first);
    for (offset, row) in visible.iter().enumerate() {
        let line = Rect { y: body.y + offset as u16, height: 1, width, ..body };
        match row {
            Row::Divider => draw_divider(app, frame, line),
            Row::Slot(slot) => {
                if answers.user_hit_at(*slot).is_some() && (offset == 0 || visible[offset - 1] == Row::Divider) {
                    let below = Rect { y: line.y, height: (visible.len() - offset) as u16, ..body };
                    app.drawn().set_user_hits(below, *slot);
                }
                let Some(hit) = answers.hit_at(*slot) else { continue };
                let push = pushes.get(*slot).copied();
                draw_row(app, answers, fused.as_ref(), (*slot, hit, push), (&columns, &captions), frame, line);
            }
        }
    }
    if scrolls {
        draw_place(app, visible, answers.slots(), frame, heading_row);
        scrollbar::draw(app, first, rows.len(), frame, body);
    }
}

/// Columns that keep every label's name in these rows' captions.
fn caption_needs(app: &App, rows: &[Row]) -> usize {
    let needs = |row: &Row| match row {
        Row::Divider => 0,
        Row::Slot(slot) => app.given_at(*slot).map_or(0, |given| CaptionColumn::columns_for(app, &given)),
    };
    rows.iter().map(needs).max().unwrap_or(0)
}

/// "1-6 of 18" at the end of the heading.
fn draw_place(app: &App, visible: &[Row], slots: usize, frame: &mut Frame, heading: Rect) {
    let mut shown = visible.iter().filter_map(|row| if let Row::Slot(slot) = row { Some(slot + 1) } else { None });
    let Some(first) = shown.next() else { return };
    let last = shown.next_back().unwrap_or(first);
    let words = format!(" {first}-{last} of {slots}");
    let width = (words.len() as u16).min(heading.width);
    let place = Rect { x: heading.right() - width, width, ..heading };
    frame.render_widget(Line::styled(words, app.theme().style(Role::Text)), place);
}

/// What sets the user's own evidence apart from the hits, and how one of its rows comes into the figures.
fn draw_divider(app: &App, frame: &mut Frame, area: Rect) {
    let key = app.key_of(&Action::DropHit).map_or_else(String::new, |key| format!(": {key} counts a row in"));
    let words = text::fit(&format!("  ── what if{key} "), usize::from(area.width));
    let rest = usize::from(area.width).saturating_sub(words.width());
    frame.render_widget(Line::styled(format!("{words}{}", "─".repeat(rest)), app.theme().style(Role::Muted)), area);
}

fn draw_message(app: &App, message: &str, role: Role, frame: &mut Frame, area: Rect) {
    let lines: Vec<Line> =
        text::wrap_into(message, usize::from(area.width).saturating_sub(2), usize::from(area.height))
            .into_iter()
            .map(|line| Line::from(format!("  {line}")))
            .collect();
    frame.render_widget(Paragraph::new(lines).style(app.theme().style(role)), area);
}

fn heading(columns: &Columns, has_models: bool) -> String {
    let name = if columns.name > 0 { text::column("", columns.name + 1) } else { String::new() };
    let bar = text::column("", columns.bar + 1);
    let push = if columns.push > 0 { "push  " } else { "" };
    let place = " ".repeat(columns.place - 1);
    let (found, words) = if has_models { ("model        ", "says") } else { ("head    score", "caption") };
    format!("  {place}# {found} ans   {name}{bar}   p weight {push}{words}")
}

fn draw_row(
    app: &App,
    answers: &PartialCaseAnswer,
    fused: Option<&Fused>,
    (slot, hit, push): (usize, &Hit, Option<f32>),
    (columns, captions): (&Columns, &CaptionColumn),
    frame: &mut Frame,
    area: Rect,
) {
    let theme = app.theme();
    let selected = slot == app.selection().hit() && app.selection().shown() == Shown::Hit;
    let focused = app.selection().focus() == Focus::Hits;
    let row_style = match (selected, focused) {
        (true, true) => theme.style(Role::Selection),
        (true, false) => theme.style(Role::SelectionResting),
        (false, _) => Style::new(),
    };
    let marker = if selected { "▸ " } else { "  " };
    let (head, score) = match hit.provenances.as_slice() {
        _ if answers.user_hit_at(slot).is_some() => {
            (answers.user_hit_at(slot).map(head_column).unwrap_or_default().to_owned(), String::new())
        }
        _ if app.cases().models_stand_in() => (text::fit(&hit.document, HEAD + SCORE - 1), String::new()),
        [] => (String::new(), String::new()),
        [one] => (one.head.to_string(), text::score_column(one.score)),
        [one, ..] => ("several".to_owned(), text::score_column(one.score)),
    };
    // A document added by the user has no score, so its name may take that column, too.
    let head = if score.is_empty() {
        text::column(&head, HEAD + SCORE)
    } else {
        text::column(&head, HEAD) + &text::column(&score, SCORE)
    };
    let mut spans = vec![
        Span::styled(marker, theme.style(if focused { Role::Accent } else { Role::Muted })),
        Span::styled(format!("{:>1$} ", slot + 1, columns.place), theme.style(Role::Text)),
        Span::styled(head, theme.style(Role::Muted)),
    ];
    spans.extend(prediction(app, answers, fused, slot, columns));
    spans.extend(weight(app, fused, (slot, hit, push), columns));
    let keys = given_keys(app, &hit.document);
    let room = columns.caption.saturating_sub(keys.chars().count());
    spans.push(Span::styled(keys, theme.style(Role::Annotation)));
    if let Some(words) = words_of_model(app, slot) {
        spans.push(Span::styled(
            text::fit(&words.split_whitespace().collect::<Vec<_>>().join(" "), room),
            theme.style(Role::Text),
        ));
    } else if let Some(given) = app.given_at(slot) {
        spans.extend(captions.line(app, &given, room));
    }
    frame.render_widget(Line::from(spans).style(row_style), area);
}

/// What a model wrote that stands in the place of a document; `None` if it wrote nothing and in other runs.
fn words_of_model(app: &App, slot: usize) -> Option<&str> {
    let case = app.queue().current().filter(|_| app.cases().models_stand_in())?;
    app.cases().answers_of(case)?.prediction_at(slot)?.text.as_deref()
}

/// Keys of the categories given to the document in this case, such as "1+2 ".
fn given_keys(app: &App, document: &str) -> String {
    let annotation = app.queue().current().and_then(|case| app.cases().annotation_of(case));
    let Some(ids) = annotation.and_then(|annotation| annotation.hits.get(document)) else { return String::new() };
    let keys: Vec<String> = app.cases().known_categories(ids).map(|category| category.key.to_string()).collect();
    if keys.is_empty() { String::new() } else { format!("{} ", keys.join("+")) }
}

/// `=` or `!` against the fused answer, letter, `*` if gold is shown and the answer is right, name, bar, probability.
fn prediction(
    app: &App,
    answers: &PartialCaseAnswer,
    fused: Option<&Fused>,
    slot: usize,
    columns: &Columns,
) -> Vec<Span<'static>> {
    let theme = app.theme();
    let name_columns = if columns.name > 0 { columns.name + 1 } else { 0 };
    let Some(prediction) = answers.prediction_at(slot) else {
        let width = 6 + name_columns + columns.bar + 1 + 5;
        // After a failure nothing more comes for this case.
        let own_failed = answers.user_hit_at(slot).is_some_and(|own| matches!(own.outcome, Some(Err(_))));
        let (glyph, role) =
            if answers.failed.is_some() || own_failed { ("  x", Role::Error) } else { ("  …", Role::Faint) };
        return vec![Span::styled(text::column(glyph, width), theme.style(role))];
    };
    let (answer, probability) = (prediction.answer, prediction.probability());
    let (signs, role) = verdict::signs(app, answers, fused, slot);
    let mut spans = signs.to_vec();
    if columns.name > 0 {
        let name = label_sets::answer_name_within(app, answer, columns.name);
        spans.push(Span::styled(text::column(&name, columns.name + 1), theme.style(role)));
    }
    spans.extend(text::bar(theme, probability, columns.bar));
    let sign = prediction.probability_sign();
    spans.push(Span::styled(format!("{sign}{} ", text::probability(probability)), theme.style(Role::Muted)));
    spans
}

/// The hit's share of the weights, or `out` if it is dropped, and its push on the margin of the fused answer.
fn weight(
    app: &App,
    fused: Option<&Fused>,
    (slot, hit, push): (usize, &Hit, Option<f32>),
    columns: &Columns,
) -> Vec<Span<'static>> {
    let theme = app.theme();
    let Some(case) = app.queue().current() else { return Vec::new() };
    let mut spans = Vec::new();
    if !app.what_if().counts(case, slot, hit) {
        spans.push(Span::styled(text::column("   out", WEIGHT + columns.push), theme.style(Role::Accent)));
        return spans;
    }
    let share = fused.and_then(|fused| fused.weights.get(slot));
    let share = share.map_or_else(String::new, |share| format!("{:>5.0}%", share * 100.0));
    let by_hand = app.what_if().hit(case, slot).factor != 1.0;
    let role = if by_hand { Role::Accent } else { Role::Muted };
    spans.push(Span::styled(text::column(&share, WEIGHT), theme.style(role)));
    if columns.push > 0 {
        let role = if push.is_some_and(|push| push < 0.0) { Role::Differs } else { Role::Muted };
        let push = push.map_or_else(String::new, text::push_column);
        spans.push(Span::styled(text::column(&push, columns.push), theme.style(role)));
    }
    spans
}

/// Draws the whole caption of the shown document with its source.
pub fn draw_caption(app: &App, frame: &mut Frame, area: Rect) {
    let lines = caption_of_shown(app, usize::from(area.width), usize::from(area.height));
    frame.render_widget(Paragraph::new(lines).style(app.theme().style(Role::Text)), area);
}

/// Draws the same, and below it the captions of the other hits, as many as there are rows.
pub fn draw_captions(app: &App, frame: &mut Frame, area: Rect) {
    let (width, rows) = (usize::from(area.width), usize::from(area.height));
    let mut lines = caption_of_shown(app, width, rows);
    for slot in 0..app.slots() {
        let is_shown = slot == app.selection().hit() && app.selection().shown() == Shown::Hit;
        let Some(given) = app.given_at(slot).filter(|_| !is_shown) else { continue };
        // A name without a caption below it says nothing.
        if lines.len() + 3 > rows {
            break;
        }
        lines.push(Line::default());
        let name = app.cases().in_words_of_run(&format!("hit {}", slot + 1)).into_owned() + ": " + given.document.id;
        let name = text::fit(&name, width);
        lines.push(Line::styled(name, app.theme().style(Role::Muted)));
        lines.extend(match words_of_model(app, slot) {
            Some(words) => plain_lines(words, width, rows - lines.len()),
            None => evidence::caption_lines(app, &given, width, rows - lines.len()),
        });
    }
    frame.render_widget(Paragraph::new(lines).style(app.theme().style(Role::Text)), area);
}

/// Where the shown document comes from, then its caption, in at most `rows` lines.
fn caption_of_shown(app: &App, width: usize, rows: usize) -> Vec<Line<'static>> {
    let Some(given) = app.given_evidence() else { return Vec::new() };
    let theme = app.theme();
    let mut origin = given.document.id.to_owned();
    if let Some(source) = given.document.source {
        origin = format!("{origin} · {source}");
    }
    let origins = match app.selection().shown() {
        Shown::Hit => evidence::origins(app, app.selection().hit()),
        Shown::Row(_) => evidence::origins_in_other_run(app),
    };
    for found in origins {
        origin = format!("{origin} · {found}");
    }
    let mut lines = vec![Line::styled(text::fit(&origin, width), theme.style(Role::Muted))];
    let room = rows.saturating_sub(lines.len());
    if let Some(words) = words_of_model(app, app.selection().hit()).filter(|_| app.selection().shown() == Shown::Hit) {
        lines.extend(plain_lines(words, width, room));
        return lines;
    }
    let Some(other) = given_in_other_run(app, width) else {
        lines.extend(evidence::caption_lines(app, &given, width, room));
        return lines;
    };
    // Two captions stand below each other: each begins with its run.
    let own = evidence::caption_lines(app, &given, width.saturating_sub(RUN), room.saturating_sub(1));
    for (place, mut line) in own.into_iter().enumerate() {
        let run = if place == 0 { "A: " } else { "   " };
        line.spans.insert(0, Span::styled(run, theme.style(Role::Muted)));
        lines.push(line);
    }
    lines.push(other);
    lines
}

fn plain_lines(words: &str, width: usize, rows: usize) -> Vec<Line<'static>> {
    text::wrap_into(words, width, rows).into_iter().map(Line::from).collect()
}

/// What B's reader was given with the selected hit, where two runs are compared that treat documents differently.
fn given_in_other_run(app: &App, width: usize) -> Option<Line<'static>> {
    let compares = app.is_comparing() && app.cases().evidence_differs() && app.selection().shown() == Shown::Hit;
    let row = app.hits().get(app.selection().hit()).filter(|_| compares)?.row;
    let is_hit = app.cases().other_answers(app.queue().current()?)?.hits()?.iter().any(|hit| hit.row == row);
    let given = app.given_by_other(row).filter(|_| is_hit)?;
    let mut spans = vec![Span::styled("B: ", app.theme().style(Role::Muted))];
    spans.extend(CaptionColumn::new(app).line(app, &given, width.saturating_sub(RUN)));
    Some(Line::from(spans))
}
