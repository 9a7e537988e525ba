//! The caption as the reader was given it: its own, one in its place, or the words that it was withheld.

use super::super::theme::Role;
use super::text;
use crate::cases::given_evidence::{CAPTION_WITHHELD, GivenCaption, GivenEvidence, IMAGE_WITHHELD, head_column};
use crate::tui::update::app::App;
use ratatui::text::{Line, Span};

/// Stands before what the reader was given in place of the document's own.
const SWAPPED: &str = "⇄ ";

/// The caption on one line of at most `width` columns.
pub fn caption_line(app: &App, given: &GivenEvidence, width: usize) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    if !given.has_image && matches!(given.caption, GivenCaption::Withheld) {
        spans.push(Span::styled("image and caption withheld", app.theme().style(Role::Substituted)));
        return text::fit_spans(spans, width);
    }
    if !given.has_image {
        spans.push(Span::styled(format!("{IMAGE_WITHHELD} · "), app.theme().style(Role::Substituted)));
    }
    let (words, role) = words(given);
    spans.push(Span::styled(words, app.theme().style(role)));
    text::fit_spans(spans, width)
}

/// The caption written out in at most `rows` lines, after what was withheld or where it comes from.
pub fn caption_lines(app: &App, given: &GivenEvidence, width: usize, rows: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut say = |sentence: &str| {
        let style = app.theme().style(Role::Substituted);
        lines.extend(text::wrap(sentence, width).into_iter().map(|line| Line::styled(line, style)));
    };
    if !given.has_image {
        say(IMAGE_WITHHELD);
    }
    if let Some(source) = given.caption_source() {
        say(&source);
    }
    let (words, role) = words(given);
    let room = rows.saturating_sub(lines.len());
    let style = app.theme().style(role);
    lines.extend(text::wrap_into(&words, width, room).into_iter().map(|line| Line::styled(line, style)));
    lines.truncate(rows);
    lines
}

/// How many lines [`caption_lines`] takes where there is room.
pub fn caption_height(given: &GivenEvidence, width: usize) -> usize {
    let said = usize::from(!given.has_image) + usize::from(matches!(given.caption, GivenCaption::Swapped(_)));
    said + text::wrap(&words(given).0, width).len()
}

fn words(given: &GivenEvidence) -> (String, Role) {
    match given.caption {
        GivenCaption::Own => (given.document.caption.clone(), Role::Text),
        GivenCaption::Swapped(other) => (format!("{SWAPPED}{}", other.caption), Role::Substituted),
        GivenCaption::Withheld => (CAPTION_WITHHELD.to_owned(), Role::Substituted),
        GivenCaption::Awaited => (format!("{SWAPPED}…"), Role::Faint),
        GivenCaption::Failed(message) => (message.to_owned(), Role::Error),
    }
}

/// How the document in this slot was found, a line per head; of the user's own row, what was done to it.
pub fn origins(app: &App, slot: usize) -> Vec<String> {
    let Some(answers) = app.queue().current().and_then(|case| app.cases().answers_of(case)) else { return Vec::new() };
    if let Some(own) = answers.user_hit_at(slot) {
        return vec![head_column(own).to_owned()];
    }
    answers.hit_at(slot).map(|hit| hit.provenances.iter().map(text::provenance).collect()).unwrap_or_default()
}
