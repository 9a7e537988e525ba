//! The caption as the reader was given it: its own, one in its place, or the words that it was withheld.

use super::super::theme::Role;
use super::{caption_words, text};
use crate::cases::given_evidence::{CAPTION_WITHHELD, GivenCaption, GivenEvidence, IMAGE_WITHHELD, head_column};
use crate::tui::state::caption_names::NamedCaption;
use crate::tui::update::app::App;
use ratatui::text::{Line, Span};
use std::collections::HashSet;
use unicode_width::UnicodeWidthStr;

/// Stands before what the reader was given in place of the document's own.
const SWAPPED: &str = "⇄ ";
/// Columns below which a caption shows its beginning: two letters of a name ("…sp…") say nothing.
const LEAST_FOR_A_NAME: usize = 8;

/// How the captions of a table are cut and marked: the names of labels are not cut off, and words that the selected caption
/// lacks are marked.
pub struct CaptionColumn {
    /// `None` if no caption was shown with the selected document.
    selected_words: Option<HashSet<String>>,
}

impl CaptionColumn {
    /// For the current case and the selected document.
    pub fn new(app: &App) -> Self {
        let selected = app.given_evidence().and_then(|given| given.caption_text());
        Self { selected_words: selected.map(caption_words::words_of) }
    }

    /// Columns that this caption needs to keep each name that it has.
    pub fn columns_for(app: &App, given: &GivenEvidence) -> usize {
        let Some(named) = given.caption_document().and_then(|document| app.caption_names(document)) else { return 0 };
        let sign = if matches!(given.caption, GivenCaption::Swapped(_)) { SWAPPED.width() } else { 0 };
        match caption_words::columns_for(&named.text, &named.names) {
            0 => 0,
            columns => sign + columns,
        }
    }

    /// The caption on one line of at most `width` columns.
    pub fn line(&self, app: &App, given: &GivenEvidence, width: usize) -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        if !given.has_image && matches!(given.caption, GivenCaption::Withheld) {
            spans.push(Span::styled("image and caption withheld", app.theme().style(Role::Substituted)));
            return text::fit_spans(spans, width);
        }
        if !given.has_image {
            spans.push(Span::styled(format!("{IMAGE_WITHHELD} · "), app.theme().style(Role::Substituted)));
        }
        let Some(named) = given.caption_document().and_then(|document| app.caption_names(document)) else {
            let (words, role) = words(given);
            spans.push(Span::styled(words, app.theme().style(role)));
            return text::fit_spans(spans, width);
        };
        let is_swapped = matches!(given.caption, GivenCaption::Swapped(_));
        let role = if is_swapped { Role::Substituted } else { Role::Text };
        if is_swapped {
            spans.push(Span::styled(SWAPPED, app.theme().style(role)));
        }
        let mut spans = text::fit_spans(spans, width);
        let used: usize = spans.iter().map(Span::width).sum();
        spans.extend(self.cut_and_marked(app, &named, role, width.saturating_sub(used)));
        spans
    }

    fn cut_and_marked(&self, app: &App, named: &NamedCaption, role: Role, width: usize) -> Vec<Span<'static>> {
        let caption = &named.text;
        let names = if width >= LEAST_FOR_A_NAME { named.names.as_slice() } else { &[] };
        let parts = caption_words::cut(caption, names, width);
        let plain = app.theme().style(role);
        let unlike = plain.patch(app.theme().style(Role::Unlike));
        let pieces = caption_words::mark(caption, &parts, self.selected_words.as_ref());
        let styled =
            |(text, is_unlike): (&str, bool)| Span::styled(text.to_owned(), if is_unlike { unlike } else { plain });
        pieces.into_iter().map(styled).collect()
    }
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
        GivenCaption::Own => (given.document.caption.to_owned(), Role::Text),
        GivenCaption::Swapped(other) => (format!("{SWAPPED}{}", other.caption), Role::Substituted),
        GivenCaption::Withheld => (CAPTION_WITHHELD.to_owned(), Role::Substituted),
        GivenCaption::Awaited => (format!("{SWAPPED}…"), Role::Faint),
        GivenCaption::Failed(message) => (message.to_owned(), Role::Error),
    }
}

/// How the other run found the document shown and what its reader answered, if only that run found it.
pub fn origins_in_other_run(app: &App) -> Vec<String> {
    let Some((hit, prediction)) = app.other_hit_shown() else { return Vec::new() };
    let mut origins: Vec<String> = hit.provenances.iter().map(text::provenance).collect();
    if let Some(first) = origins.first_mut() {
        *first = format!("B: {first}");
    }
    origins.extend(prediction.map(|prediction| format!("B says {}", app.answer_in_words(prediction))));
    origins
}

/// How the document in this slot was found, a line per head; of the user's own row, what was done to it.
pub fn origins(app: &App, slot: usize) -> Vec<String> {
    let Some(answers) = app.queue().current().and_then(|case| app.cases().answers_of(case)) else { return Vec::new() };
    if let Some(own) = answers.user_hit_at(slot) {
        return vec![head_column(own).to_owned()];
    }
    if app.cases().models_stand_in() {
        return Vec::new();
    }
    answers.hit_at(slot).map(|hit| hit.provenances.iter().map(text::provenance).collect()).unwrap_or_default()
}
