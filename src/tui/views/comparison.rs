//! Two runs on one case: their documents side by side, changes of rank, flipped predictions, which run is right.
//!
//! ```text
//!   A: standard-test  B Yes 0.75    B: trained-test  A No 0.64    right: B
//!   document       A    B   A says     B says       caption
//!   us-doc-001     1    2 ↓ B Yes .91  B Yes .66    Irregular hypoechoic …
//!   us-doc-005     -    1   -          A No  .88 !  …
//! ```

use super::super::theme::Role;
use super::evidence::CaptionColumn;
use super::{focus, scrollbar, text, verdict};
use crate::cases::comparison::WhoIsRight;
use crate::evaluation::PartialCaseAnswer;
use crate::run::Prediction;
use crate::tui::state::selection::Focus;
use crate::tui::update::app::App;
use crate::tui::update::comparison::Aligned;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Columns of a document's id.
const DOCUMENT: usize = 14;
/// Columns of a position with its change, and of an answer.
const PLACE: usize = 5;
const ANSWER: usize = 9;

/// Draws the comparison in place of the hits.
pub fn draw(app: &App, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let Some(case) = app.queue().current() else { return };
    let (Some(a), Some(b)) = (app.cases().answers_of(case), app.cases().other_answers(case)) else {
        let name = app.cases().against().map_or("the other run", |run| run.name.as_str());
        let line = format!("  {name} has no answer to this case");
        frame.render_widget(Line::styled(line, theme.style(Role::Muted)), area);
        return;
    };
    let width = usize::from(area.width);
    let mut lines = vec![Line::from(text::fit_spans(summary(app, case, a, b), width))];
    let heading = format!(
        "  {}{}{}{}{}{}",
        text::column("document", DOCUMENT),
        text::column("A", PLACE),
        text::column("B", PLACE),
        text::column("A says", ANSWER),
        text::column("B says", ANSWER + 2),
        if app.cases().evidence_differs() { "caption as A's reader had it, else B's" } else { "caption" }
    );
    let aligned = app.aligned_hits();
    let scrolls = aligned.len() + 2 > usize::from(area.height);
    let width = width.saturating_sub(if scrolls { usize::from(scrollbar::WIDTH) } else { 0 });
    lines.push(focus::heading(app, Focus::Hits, &text::fit(&heading, width)));
    // Keep the selected hit in view.
    let rows = usize::from(area.height).saturating_sub(lines.len());
    let at = aligned.iter().position(|document| is_selected(app, document)).unwrap_or(0);
    let first = (at + 1).saturating_sub(rows);
    let visible = aligned.len().saturating_sub(first).min(rows);
    let top = area.y + lines.len() as u16;
    app.drawn().set_hits(Rect { y: top, height: visible as u16, ..area }, first);
    let captions = CaptionColumn::new(app);
    for document in aligned.iter().skip(first).take(rows) {
        lines.push(document_line(app, document, (a, b), &captions, width));
    }
    frame.render_widget(Paragraph::new(lines), area);
    let body = Rect { y: top, height: rows as u16, ..area };
    if scrolls && rows > 0 {
        let last = (first + rows).min(aligned.len());
        let words = format!(" {}-{last} of {}", first + 1, aligned.len());
        let columns = (words.len() as u16).min(area.width);
        let place = Rect { x: area.right() - columns, y: top - 1, width: columns, height: 1 };
        frame.render_widget(Line::styled(words, theme.style(Role::Text)), place);
        scrollbar::draw(app, first, aligned.len(), frame, body);
    }
}

fn summary(app: &App, case: usize, a: &PartialCaseAnswer, b: &PartialCaseAnswer) -> Vec<Span<'static>> {
    let theme = app.theme();
    let name = |name: &str| text::fit(name, 18);
    let said = |answers: &PartialCaseAnswer| {
        answers.final_answer().map_or_else(|| "…".to_owned(), |answer| app.answer_in_words(answer))
    };
    let flips = app.cases().fused_flips(case);
    let role = if flips { Role::Differs } else { Role::Same };
    let mut spans = vec![
        Span::styled(format!("A {} ", name(app.cases().stored_run().unwrap_or("this"))), theme.style(Role::Muted)),
        Span::styled(format!("{}  ", said(a)), theme.style(role)),
        Span::styled(
            format!("B {} ", name(app.cases().against().map_or("", |run| run.name.as_str()))),
            theme.style(Role::Muted),
        ),
        Span::styled(format!("{}  ", said(b)), theme.style(role)),
    ];
    let word = match (app.is_gold_visible(), app.cases().who_is_right(case)) {
        (true, Some(WhoIsRight::Both)) => "right: both",
        (true, Some(WhoIsRight::OnlyA)) => "right: A",
        (true, Some(WhoIsRight::OnlyB)) => "right: B",
        (true, Some(WhoIsRight::Neither)) => "right: none",
        _ if flips => "! they differ",
        _ => "= the same answer",
    };
    spans.push(Span::styled(word, theme.style(role)));
    if app.cases().against().is_some_and(|run| run.has_other_corpus) {
        spans.push(Span::styled("  other corpus", theme.style(Role::Error)));
    }
    spans
}

/// Whether this document is the one shown.
fn is_selected(app: &App, document: &Aligned) -> bool {
    match app.selection().other_hit() {
        Some(place) => document.a.is_none() && document.b == Some(place),
        None => document.a == Some(app.selection().hit()),
    }
}

fn document_line(
    app: &App,
    document: &Aligned,
    (a, b): (&PartialCaseAnswer, &PartialCaseAnswer),
    captions: &CaptionColumn,
    width: usize,
) -> Line<'static> {
    let theme = app.theme();
    let selected = is_selected(app, document);
    let known = app.dataset().corpus.get(document.row);
    let id = known.map_or("?", |document| document.id);
    let place = |place: Option<usize>| place.map_or_else(|| "-".to_owned(), |place| (place + 1).to_string());
    let moved = match (document.a, document.b) {
        (Some(a), Some(b)) if b < a => "↑",
        (Some(a), Some(b)) if b > a => "↓",
        (None, Some(_)) => "+",
        _ => " ",
    };
    let said = |answers: &PartialCaseAnswer, place: Option<usize>| -> Option<Prediction> {
        answers.prediction_at(place?).cloned()
    };
    let (ours, theirs) = (said(a, document.a), said(b, document.b));
    let flipped = matches!((&ours, &theirs), (Some(a), Some(b)) if a.answer != b.answer);
    let role = if flipped { Role::Differs } else { Role::Text };
    let answer = |prediction: &Option<Prediction>| match prediction {
        Some(prediction) => {
            let sign = if prediction.is_sampled() { "≈" } else { " " };
            let letter = verdict::letter(app, prediction.answer);
            format!("{letter}{sign}{}", text::probability(prediction.probability()))
        }
        None => "-".to_owned(),
    };
    let used = 2 + DOCUMENT + PLACE * 2 + ANSWER * 2 + 2;
    let room = width.saturating_sub(used);
    let given = match document.a {
        Some(slot) => app.given_at(slot),
        None => app.given_by_other(document.row),
    };
    // Where the readers were given different things, each caption says whose it is.
    let run = match (app.cases().evidence_differs(), document.a) {
        (false, _) => "",
        (true, Some(_)) => "A: ",
        (true, None) => "B: ",
    };
    let caption = given.map(|given| captions.line(app, &given, room.saturating_sub(run.len()))).unwrap_or_default();
    let mut spans = vec![
        Span::styled(if selected { "▸ " } else { "  " }, theme.style(Role::Accent)),
        Span::styled(text::column(&text::fit_end(id, DOCUMENT - 1), DOCUMENT), theme.style(Role::Text)),
        Span::styled(text::column(&place(document.a), PLACE), theme.style(Role::Muted)),
        Span::styled(text::column(&format!("{} {moved}", place(document.b)), PLACE), theme.style(Role::Muted)),
        Span::styled(text::column(&answer(&ours), ANSWER), theme.style(role)),
        Span::styled(text::column(&answer(&theirs), ANSWER), theme.style(role)),
        Span::styled(if flipped { "! " } else { "  " }, theme.style(Role::Differs)),
    ];
    spans.push(Span::styled(run, theme.style(Role::Muted)));
    spans.extend(caption);
    let style = if selected { theme.style(Role::SelectionResting) } else { Style::new() };
    Line::from(spans).style(style)
}
