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

/// A document found by either run, with its position in both.
struct Aligned {
    row: usize,
    a: Option<usize>,
    b: Option<usize>,
}

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
        if app.cases().evidence_differs() { "caption in A, else in B" } else { "caption" }
    );
    let aligned = align(a, b);
    let scrolls = aligned.len() + 2 > usize::from(area.height);
    let width = width.saturating_sub(if scrolls { usize::from(scrollbar::WIDTH) } else { 0 });
    lines.push(focus::heading(app, Focus::Hits, &text::fit(&heading, width)));
    // Keep the selected hit in view.
    let rows = usize::from(area.height).saturating_sub(lines.len());
    let at = aligned.iter().position(|document| document.a == Some(app.selection().hit())).unwrap_or(0);
    let first = (at + 1).saturating_sub(rows);
    // A's hits come first, each at its position; documents that only B found cannot be selected.
    let own = aligned.iter().skip(first).take(rows).take_while(|document| document.a.is_some()).count();
    let top = area.y + lines.len() as u16;
    app.drawn().set_hits(Rect { y: top, height: own as u16, ..area }, first);
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
        answers.fused().map_or_else(|| "…".to_owned(), |fused| app.answer_in_words(&fused.prediction))
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
    spans
}

/// A's hits in order, then those that only B found.
fn align(a: &PartialCaseAnswer, b: &PartialCaseAnswer) -> Vec<Aligned> {
    let (ours, theirs) = (a.hits().unwrap_or_default(), b.hits().unwrap_or_default());
    let mut aligned = Vec::new();
    for (place, hit) in ours.iter().enumerate() {
        let other = theirs.iter().position(|other| other.row == hit.row);
        aligned.push(Aligned { row: hit.row, a: Some(place), b: other });
    }
    for (place, hit) in theirs.iter().enumerate() {
        if !ours.iter().any(|other| other.row == hit.row) {
            aligned.push(Aligned { row: hit.row, a: None, b: Some(place) });
        }
    }
    aligned
}

fn document_line(
    app: &App,
    document: &Aligned,
    (a, b): (&PartialCaseAnswer, &PartialCaseAnswer),
    captions: &CaptionColumn,
    width: usize,
) -> Line<'static> {
    let theme = app.theme();
    let selected = document.a == Some(app.selection().hit());
    let known = app.dataset().corpus.get(document.row);
    let id = known.map_or("?", |document| document.id.as_str());
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
            format!("{} {}", verdict::letter(app, prediction.answer), text::probability(prediction.probability()))
        }
        None => "-".to_owned(),
    };
    let used = 2 + DOCUMENT + PLACE * 2 + ANSWER * 2 + 2;
    let room = width.saturating_sub(used);
    let given = match document.a {
        Some(slot) => app.given_at(slot),
        None => app.given_by_other(document.row),
    };
    let caption = given.map(|given| captions.line(app, &given, room)).unwrap_or_default();
    let mut spans = vec![
        Span::styled(if selected { "▸ " } else { "  " }, theme.style(Role::Accent)),
        Span::styled(text::column(&text::fit_end(id, DOCUMENT - 1), DOCUMENT), theme.style(Role::Text)),
        Span::styled(text::column(&place(document.a), PLACE), theme.style(Role::Muted)),
        Span::styled(text::column(&format!("{} {moved}", place(document.b)), PLACE), theme.style(Role::Muted)),
        Span::styled(text::column(&answer(&ours), ANSWER), theme.style(role)),
        Span::styled(text::column(&answer(&theirs), ANSWER), theme.style(role)),
        Span::styled(if flipped { "! " } else { "  " }, theme.style(Role::Differs)),
    ];
    spans.extend(caption);
    let style = if selected { theme.style(Role::SelectionResting) } else { Style::new() };
    Line::from(spans).style(style)
}
