//! The answers to a case: closed-book, fused, verdict, gold, annotation.

use super::super::theme::Role;
use super::{evidence, label_sets, text, verdict};
use crate::annotation::{CaseAnnotation, Category, Staleness, remarks};
use crate::cases::given_evidence::GivenEvidence;
use crate::data::Answer;
use crate::evaluation::{Fused, PartialCaseAnswer};
use crate::run::Prediction;
use crate::terminal::image_protocol::ImageMode;
use crate::tui::state::selection::{Shown, Side};
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

/// Columns of a bar below the images.
const BAR: usize = 12;
/// Columns for the names before the answers.
const NAME: usize = 13;
/// Columns kept for the smallest flip beside the user's changes.
const LEAST_FLIP: usize = 24;
/// Rows for the user's changes beside an image.
const MOST_CHANGES: usize = 3;
/// Shown in place of an answer that has not come yet.
const TO_COME: &str = "…";
const NEVER: &str = "-";

/// Draws the answers right of the images.
pub fn beside(app: &App, frame: &mut Frame, area: Rect) {
    if area.width < 8 {
        return;
    }
    let width = usize::from(area.width);
    let narrow = frame.area().width < super::WIDE;
    // Without images, the caption stands where the image would.
    let has_images = app.images().mode() != ImageMode::Off;
    let lines = if narrow && has_images && app.selection().side() == Side::Document {
        document_lines(app, width, usize::from(area.height))
    } else {
        answer_lines(app, width, usize::from(area.height))
    };
    // The first row is level with the image's heading.
    frame.render_widget(Paragraph::new(lines), area);
}

fn answer_lines(app: &App, width: usize, rows: usize) -> Vec<Line<'static>> {
    let theme = app.theme();
    let heading = |text: &str| Line::styled(text::fit(text, width), theme.style(Role::Muted));
    let answers = app.queue().current().and_then(|case| app.cases().answers_of(case));
    let fused = app.fused_now();
    let bar_width = width.min(16);
    // Long changes take the room of the bars, which repeat a figure.
    let changes = fused_heading(app, width);
    let rows_of = |has_bar: bool| if has_bar { 2 } else { 1 };
    let mut lines = Vec::new();
    if !app.cases().models_stand_in() {
        lines.push(heading("closed-book"));
        let closed = answer_block(app, closed_book(app), width, bar_width);
        lines.extend(closed.into_iter().take(rows_of(changes.len() < 2)));
    }
    let fused_rows = rows_of(changes.len() < 3);
    lines.extend(changes);
    lines.extend(answer_block(app, fused_answer(app, fused.as_ref()), width, bar_width).into_iter().take(fused_rows));
    lines.push(Line::from(verdict::verdict(app, answers, width)));
    if let Some(fused) = &fused {
        lines.push(Line::from(verdict::label_shares(app, fused, bar_width)));
        lines.push(Line::from(verdict::smallest_flip(app, fused, width)));
    }
    lines.push(Line::from(gold(app, width)));
    // It is wrapped here, so it needs no shorter form.
    if let Some((line, role)) = verdict::oracle(app, usize::MAX) {
        lines.extend(text::wrap(&line, width).into_iter().map(|line| Line::styled(line, theme.style(role))));
    }
    lines.extend(annotation_lines(app, width, 4));
    let room = rows.saturating_sub(lines.len());
    if let Some(fused) = &fused {
        lines.extend(label_sets::label_lines(app, &fused.prediction, width, room));
    }
    let room = rows.saturating_sub(lines.len());
    if let Some(definition) = definition(app).filter(|_| room > 0) {
        let wrapped = text::wrap_into(&definition, width, room);
        lines.extend(wrapped.into_iter().map(|line| Line::styled(line, theme.style(Role::Muted))));
    }
    lines
}

/// "fused", or the user's changes to it.
fn fused_heading(app: &App, width: usize) -> Vec<Line<'static>> {
    let Some(words) = app.what_if_words() else {
        return vec![Line::styled("fused", app.theme().style(Role::Muted))];
    };
    let lines = text::wrap_into(&format!("what if {words}"), width, MOST_CHANGES);
    lines.into_iter().map(|line| Line::styled(line, app.theme().style(Role::Accent))).collect()
}

/// The answer without a document, or a sign that it is still to come or never will.
fn closed_book(app: &App) -> Result<&Prediction, &'static str> {
    let Some(answers) = app.queue().current().and_then(|case| app.cases().answers_of(case)) else {
        return Err(TO_COME);
    };
    let absent = if answers.failed.is_some() || answers.has_no_closed_book { NEVER } else { TO_COME };
    answers.closed_book.as_ref().ok_or(absent)
}

/// The fused answer on the screen, or a sign that it is still to come or never will: if every hit is dropped, none
/// will come.
pub fn fused_answer<'a>(app: &App, fused: Option<&'a Fused>) -> Result<&'a Prediction, &'static str> {
    let answers = app.queue().current().and_then(|case| app.cases().answers_of(case));
    let absent = if answers.is_some_and(PartialCaseAnswer::is_settled) { NEVER } else { TO_COME };
    fused.map(|fused| &fused.prediction).ok_or(absent)
}

fn answer_block(
    app: &App,
    prediction: Result<&Prediction, &'static str>,
    width: usize,
    bar_width: usize,
) -> [Line<'static>; 2] {
    let theme = app.theme();
    let prediction = match prediction {
        Ok(prediction) => prediction,
        Err(absent) => return [Line::styled(absent, theme.style(Role::Faint)), Line::default()],
    };
    let (answer, probability) = (prediction.answer, prediction.probability());
    let sign = if prediction.is_sampled() { " ≈" } else { prediction.probability_sign() };
    let mut spans = answer_text(app, answer, width.saturating_sub(4 + sign.width()));
    spans.push(Span::styled(format!("{sign}{}", text::probability(probability)), theme.style(Role::Muted)));
    let mut below = text::bar(theme, probability, bar_width).to_vec();
    let interval = text::interval(prediction);
    if bar_width + interval.len() < width {
        below.push(Span::styled(format!(" {interval}"), theme.style(Role::Muted)));
    }
    [Line::from(spans), Line::from(below)]
}

/// Rows from which the answers are written out under the caption.
const ROWS_FOR_ALL: usize = 14;

/// Draws what belongs to enlarged images: for a hit its answer and caption, for the query the question; then the answers.
pub fn enlarged(app: &App, side: Side, frame: &mut Frame, area: Rect) {
    let (width, rows) = (usize::from(area.width), usize::from(area.height));
    if width < 8 {
        return;
    }
    let has_room = rows >= ROWS_FOR_ALL;
    let mut lines = match side {
        Side::Query => question_lines(app, width, if has_room { 5 } else { 2 }),
        Side::Document => hit_lines(app, width, rows, has_room),
    };
    if has_room {
        lines.push(Line::default());
        lines.extend(answer_lines(app, width, rows.saturating_sub(lines.len())));
    } else if side == Side::Query {
        lines.push(Line::from(text::fit_spans(fused_spans(app), width)));
    }
    lines.truncate(rows);
    frame.render_widget(Paragraph::new(lines).style(app.theme().style(Role::Text)), area);
}

fn question_lines(app: &App, width: usize, rows: usize) -> Vec<Line<'static>> {
    let Some((_, case)) = app.current() else { return Vec::new() };
    text::wrap_into(app.dataset().question_of(case), width, rows).into_iter().map(Line::from).collect()
}

/// The hit's answer, its origin if there is room, and its caption; the fused answer beside the first if it has no row.
fn hit_lines(app: &App, width: usize, rows: usize, has_room: bool) -> Vec<Line<'static>> {
    let theme = app.theme();
    let Some(given) = app.given_evidence() else { return Vec::new() };
    let mut first = Vec::new();
    let answers = app.queue().current().and_then(|case| app.cases().answers_of(case));
    if let (Shown::Hit, Some(answers)) = (app.selection().shown(), answers) {
        let (slot, fused) = (app.selection().hit(), app.fused_now());
        first.push(Span::styled(
            app.cases().in_words_of_run(&format!("hit {} ", slot + 1)).into_owned(),
            theme.style(Role::Muted),
        ));
        let (signs, role) = verdict::signs(app, answers, fused.as_ref(), slot);
        first.extend(signs);
        if let Some(prediction) = answers.prediction_at(slot) {
            first.push(Span::styled(app.answer_in_words(prediction), theme.style(role)));
        }
        if !has_room {
            first.push(Span::raw("   "));
        }
    }
    if has_room {
        let mut lines = vec![Line::from(text::fit_spans(first, width))];
        lines.extend(origin_lines(app, &given, width));
        // The answers below need about twelve rows.
        let room = rows.saturating_sub(lines.len() + 12).max(4);
        lines.extend(evidence::caption_lines(app, &given, width, room));
        return lines;
    }
    first.extend(fused_spans(app));
    let mut lines = vec![Line::from(text::fit_spans(first, width))];
    let annotation = annotation_spans(app, width);
    let is_annotated = annotation.iter().any(|span| span.width() > 0);
    let room = rows.saturating_sub(lines.len() + usize::from(is_annotated));
    lines.extend(evidence::caption_lines(app, &given, width, room));
    if is_annotated {
        lines.push(Line::from(annotation));
    }
    lines
}

/// "fused B Yes 0.75  ! 1 of 4 differ", and the gold answer where it is shown.
fn fused_spans(app: &App) -> Vec<Span<'static>> {
    let theme = app.theme();
    let (name, role) = if app.what_if_words().is_some() { ("what if ", Role::Accent) } else { ("fused ", Role::Muted) };
    let mut spans = vec![Span::styled(name, theme.style(role))];
    let fused = app.fused_now();
    match fused_answer(app, fused.as_ref()) {
        Ok(prediction) => {
            spans.extend(answer_text(app, prediction.answer, app.longest_answer() + 3));
            let sign = prediction.probability_sign().trim();
            let probability = text::probability(prediction.probability());
            spans.push(Span::styled(format!(" {sign}{probability}  "), theme.style(Role::Muted)));
        }
        Err(absent) => spans.push(Span::styled(absent, theme.style(Role::Faint))),
    }
    let answers = app.queue().current().and_then(|case| app.cases().answers_of(case));
    spans.extend(verdict::verdict(app, answers, 40));
    if app.is_gold_visible() {
        spans.push(Span::raw("  "));
        spans.extend(gold(app, 40));
    }
    spans
}

/// How the selected hit was found, and the document's source.
fn origin_lines(app: &App, given: &GivenEvidence, width: usize) -> Vec<Line<'static>> {
    let mut words = match app.selection().shown() {
        Shown::Hit => evidence::origins(app, app.selection().hit()),
        Shown::Row(_) => evidence::origins_in_other_run(app),
    };
    words.extend(given.document.source.as_ref().map(|source| format!("source {source}")));
    let style = app.theme().style(Role::Muted);
    words.into_iter().map(|words| Line::styled(text::fit(&words, width), style)).collect()
}

/// Lines beside a document's image: the fused answer, then the hit and its answer.
fn document_lines(app: &App, width: usize, rows: usize) -> Vec<Line<'static>> {
    let Some(given) = app.given_evidence() else { return Vec::new() };
    // The fused answer shows the effect of changes to a hit, so the document must not hide it.
    let mut lines = fused_heading(app, width);
    let fused = app.fused_now();
    let [answer, _] = answer_block(app, fused_answer(app, fused.as_ref()), width, 0);
    lines.push(answer);
    if let Some(fused) = &fused {
        lines.push(Line::from(verdict::label_shares(app, fused, width.min(16))));
        lines.push(Line::from(verdict::smallest_flip(app, fused, width)));
    }
    lines.push(Line::default());
    lines.extend(origin_lines(app, &given, width));
    lines.push(Line::default());
    let room = rows.saturating_sub(lines.len());
    lines.extend(evidence::caption_lines(app, &given, width, room));
    lines
}

/// Draws rows under two images: closed-book, fused with verdict, shares of the labels, gold, annotation.
pub fn below(app: &App, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let width = usize::from(area.width);
    let answers = app.queue().current().and_then(|case| app.cases().answers_of(case));
    let fused = app.fused_now();
    // The letter, the star, a space and the longest label, so that the figures form one column close by.
    let label_width = (app.longest_answer() + 3).clamp(8, (width * 2 / 5).max(8));
    let closed = if app.cases().models_stand_in() {
        Vec::new()
    } else {
        answer_row(app, "closed-book", closed_book(app), label_width)
    };
    let mut second = answer_row(
        app,
        if app.what_if_words().is_some() { "what if" } else { "fused" },
        fused_answer(app, fused.as_ref()),
        label_width,
    );
    let used: usize = second.iter().map(Span::width).sum();
    second.push(Span::raw("  "));
    second.extend(verdict::verdict(app, answers, width.saturating_sub(used + 2)));
    let mut last = vec![Span::styled(text::column("gold", NAME), theme.style(Role::Muted))];
    // A gold set with unknown labels is long, and nothing is right or wrong beside it.
    let has_unknown = app.current().is_some_and(|(_, case)| !case.unknown.is_empty());
    last.extend(gold_answer(app, if has_unknown { width.saturating_sub(NAME) } else { label_width }));
    let used: usize = last.iter().map(Span::width).sum();
    if let Some((line, role)) = verdict::oracle(app, width.saturating_sub(used + 2)) {
        last.push(Span::raw("  "));
        last.push(Span::styled(text::fit(&line, width.saturating_sub(used + 2)), theme.style(role)));
    }
    // The probabilities of a set's labels take the place of the empty row above.
    let odds = fused.as_ref().map(|fused| &fused.prediction).filter(|prediction| prediction.odds.is_some());
    let odds = odds.map(|prediction| {
        let mut spans = vec![Span::styled(text::column("P(yes)", NAME), theme.style(Role::Muted))];
        spans.extend(label_sets::label_spans(app, prediction, width.saturating_sub(NAME)));
        Line::from(spans)
    });
    let mut lines = if odds.is_some() { Vec::new() } else { vec![Line::default()] };
    lines.extend([Line::from(closed), Line::from(second)]);
    lines.extend(odds);
    lines.extend([
        Line::from(shares_row(app, fused.as_ref(), width)),
        Line::from(last),
        Line::from(annotation_spans(app, width)),
    ]);
    frame.render_widget(Paragraph::new(lines), area);
}

/// The shares of the labels, the smallest flip, the user's changes.
fn shares_row(app: &App, fused: Option<&Fused>, width: usize) -> Vec<Span<'static>> {
    let theme = app.theme();
    let mut spans = vec![Span::styled(text::column("vote share", NAME), theme.style(Role::Muted))];
    if let Some(fused) = fused {
        spans.extend(verdict::label_shares(app, fused, BAR * 2));
        spans.push(Span::raw("  "));
        let changes = app.what_if_words().map_or(0, |words| words.width() + 2);
        let room = width.saturating_sub(NAME + BAR * 2 + 2);
        spans.push(verdict::smallest_flip(app, fused, room.saturating_sub(changes).max(room.min(LEAST_FLIP))));
    }
    if let Some(words) = app.what_if_words() {
        let used: usize = spans.iter().map(Span::width).sum();
        spans.push(Span::raw("  "));
        spans.push(Span::styled(text::fit(&words, width.saturating_sub(used + 2)), theme.style(Role::Accent)));
    }
    spans
}

fn answer_row(
    app: &App,
    name: &str,
    prediction: Result<&Prediction, &'static str>,
    label_width: usize,
) -> Vec<Span<'static>> {
    let theme = app.theme();
    let mut spans = vec![Span::styled(text::column(name, NAME), theme.style(Role::Muted))];
    let prediction = match prediction {
        Ok(prediction) => prediction,
        Err(absent) => {
            spans.push(Span::styled(absent, theme.style(Role::Faint)));
            return spans;
        }
    };
    let (answer, probability) = (prediction.answer, prediction.probability());
    let named = answer_text(app, answer, label_width);
    let used: usize = named.iter().map(Span::width).sum();
    spans.extend(named);
    spans.push(Span::raw(" ".repeat(label_width.saturating_sub(used)) + prediction.probability_sign()));
    spans.push(Span::styled(format!("{} ", text::probability(probability)), theme.style(Role::Text)));
    spans.extend(text::bar(theme, probability, BAR));
    if prediction.is_sampled() {
        spans.push(Span::styled(format!(" {}", text::interval(prediction)), theme.style(Role::Muted)));
    }
    spans
}

/// Letter and name of an answer in at most `width` columns.
fn answer_text(app: &App, answer: Option<Answer>, width: usize) -> Vec<Span<'static>> {
    let theme = app.theme();
    let name = label_sets::answer_name_within(app, answer, width.saturating_sub(3));
    let gold = app.current().and_then(|(_, case)| app.cases().gold_of(case));
    let right = app.is_gold_visible() && gold.is_some() && gold == answer;
    let star = if right { "*" } else { "" };
    vec![
        Span::styled(verdict::letter(app, answer).to_string(), theme.style(Role::Title)),
        Span::styled(star, theme.style(Role::Right)),
        Span::styled(format!(" {name}"), theme.style(Role::Title)),
    ]
}

fn gold(app: &App, width: usize) -> Vec<Span<'static>> {
    let mut spans = vec![Span::styled("gold ", app.theme().style(Role::Muted))];
    spans.extend(gold_answer(app, width.saturating_sub(5)));
    spans
}

fn gold_answer(app: &App, width: usize) -> Vec<Span<'static>> {
    let theme = app.theme();
    if !app.is_gold_visible() {
        return vec![Span::styled("hidden (g)", theme.style(Role::Faint))];
    }
    let gold = app.current().and_then(|(_, case)| app.cases().gold_of(case));
    match gold.zip(app.gold_name()) {
        Some((gold, name)) => {
            let name = format!("{} {name}", verdict::letter(app, Some(gold)));
            vec![Span::styled(text::fit(&name, width), theme.style(Role::Right))]
        }
        // Some labels of the gold set are unknown.
        None if app.current().is_some_and(|(_, case)| !case.unknown.is_empty()) => {
            vec![Span::styled(text::fit(&app.gold_name().unwrap_or_default(), width), theme.style(Role::Muted))]
        }
        None => vec![Span::styled("not among the labels", theme.style(Role::Error))],
    }
}

/// The annotation of the current case on one line.
fn annotation_spans(app: &App, width: usize) -> Vec<Span<'static>> {
    let line = text::fit(&annotation_text(app).join("  "), width);
    let room = width.saturating_sub(line.width() + 2);
    let mut spans = vec![Span::styled(line, app.theme().style(Role::Annotation))];
    if let Some(definition) = definition(app).filter(|_| room > 8) {
        spans.push(Span::styled(format!("  {}", text::fit(&definition, room)), app.theme().style(Role::Muted)));
    }
    spans
}

/// Definition of the current case's category, if it has exactly one, in the wording under which it was given.
fn definition(app: &App) -> Option<String> {
    let annotation = app.queue().current().and_then(|case| app.cases().annotation_of(case))?;
    let known: Vec<&Category> = app.cases().known_categories(&annotation.categories).collect();
    let [category] = known.as_slice() else { return None };
    let earlier = app.cases().definitions().earlier_definitions(annotation);
    match earlier.into_iter().find(|earlier| earlier.id == category.id) {
        // If that wording is lost, show none, because the current wording is different.
        Some(earlier) => earlier.then.map(|then| then.definition),
        None => Some(category.definition.clone()),
    }
}

fn annotation_lines(app: &App, width: usize, rows: usize) -> Vec<Line<'static>> {
    let style = app.theme().style(Role::Annotation);
    let lines: Vec<String> = annotation_text(app).iter().flat_map(|part| text::wrap(part, width)).collect();
    lines.into_iter().take(rows).map(|line| Line::styled(line, style)).collect()
}

fn annotation_text(app: &App) -> Vec<String> {
    let Some(case) = app.queue().current() else { return Vec::new() };
    let mut parts = Vec::new();
    if let Some(annotation) = app.cases().annotation_of(case) {
        // The changes come first: a reader of an old annotation must see them, however little room there is.
        parts.extend(what_changed(app, case, annotation));
        parts.extend(
            app.cases()
                .known_categories(&annotation.categories)
                .map(|category| format!("{} {}", category.key, category.name)),
        );
        parts.extend(remarks(annotation.skipped, annotation.unsure, annotation.flagged).map(str::to_owned));
        if let Some(note) = &annotation.note {
            parts.push(format!("“{note}”"));
        }
    }
    if let Some(standing) = app.cases().standing_shown(case) {
        parts.push(format!("all: {standing} (A)"));
    }
    parts
}

/// The changes since the case was annotated.
fn what_changed(app: &App, case: usize, annotation: &CaseAnnotation) -> Vec<String> {
    let mut parts = Vec::new();
    match app.cases().staleness_of(case) {
        Staleness::AnswersChanged => parts.push("answers changed since".to_owned()),
        Staleness::RunChanged => parts.push("annotated on another run".to_owned()),
        Staleness::Current | Staleness::Unknown => {}
    }
    let earlier = app.cases().definitions().earlier_definitions(annotation);
    if !earlier.is_empty() {
        let names: Vec<&str> = earlier.iter().map(|earlier| earlier.name.as_str()).collect();
        parts.push(format!("earlier definition: {} (D)", names.join(", ")));
    }
    parts
}
