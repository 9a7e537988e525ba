//! Sets of labels on the screen: their names in little room, and the probability of each label.

use super::super::theme::Role;
use super::text;
use crate::cases::answer_names::joined_names;
use crate::data::{Answer, LabelIndex};
use crate::run::Prediction;
use crate::tui::update::app::App;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

/// Columns of the probability before a label's name.
const PROBABILITY: usize = 5;

/// Name of an answer to the current case in at most `width` columns. Of a set of labels, as many whole names are kept as fit,
/// with the number of the others: "Edema, Nodule +2".
pub fn answer_name_within(app: &App, answer: Option<Answer>, width: usize) -> String {
    let Some(case) = app.queue().current() else { return String::new() };
    let name = app.cases().answer_name(case, answer);
    let Some(Answer::Set(set)) = answer.filter(|_| name.width() > width) else { return text::fit(&name, width) };
    let names = app.cases().set_names(case, set);
    for kept in (1..names.len()).rev() {
        let short = format!("{} +{}", joined_names(&names[..kept]), names.len() - kept);
        if short.width() <= width {
            return text::fit(&short, width);
        }
    }
    let rest = if names.len() > 1 { format!(" +{}", names.len() - 1) } else { String::new() };
    let first = names.first().map_or("", |name| name);
    text::fit(&format!("{}{rest}", text::fit(first, width.saturating_sub(rest.width()))), width)
}

/// A line per label with its probability of yes, the likeliest first: at most `rows`. Labels of the answered set stand out.
/// Empty unless the reader answered each label with yes or no.
pub fn label_lines(app: &App, prediction: &Prediction, width: usize, rows: usize) -> Vec<Line<'static>> {
    let theme = app.theme();
    let mut lines = Vec::new();
    for (label, probability, is_bound) in ranked(prediction) {
        let role = if is_answered(prediction, label) { Role::Title } else { Role::Muted };
        let sign = if is_bound { "≈" } else { " " };
        let figure = text::column(&format!("{}{sign}", text::probability(Some(probability))), PROBABILITY);
        let name = text::fit(&label_name(app, label), width.saturating_sub(PROBABILITY));
        lines.push(Line::styled(format!("{figure}{name}"), theme.style(role)));
    }
    if lines.len() > rows && rows > 0 {
        let hidden = lines.len() + 1 - rows;
        lines.truncate(rows - 1);
        lines.push(Line::styled(text::fit(&format!("and {hidden} less likely"), width), theme.style(Role::Faint)));
    }
    lines.truncate(rows);
    lines
}

/// The probabilities of yes on one line, the likeliest first, as many as fit: "0.91 Edema  0.12 Nodule".
pub fn label_spans(app: &App, prediction: &Prediction, width: usize) -> Vec<Span<'static>> {
    let theme = app.theme();
    let mut spans = Vec::new();
    let mut used = 0;
    for (label, probability, is_bound) in ranked(prediction) {
        let sign = if is_bound { "≈" } else { "" };
        let piece = format!("{sign}{} {}  ", text::probability(Some(probability)), label_name(app, label));
        if used + piece.trim_end().width() > width {
            break;
        }
        used += piece.width();
        let role = if is_answered(prediction, label) { Role::Title } else { Role::Muted };
        spans.push(Span::styled(piece, theme.style(role)));
    }
    spans
}

/// Labels with their probability of yes and whether it is a bound, the likeliest first.
fn ranked(prediction: &Prediction) -> Vec<(LabelIndex, f32, bool)> {
    let Some(odds) = &prediction.odds else { return Vec::new() };
    let values = odds.log_odds();
    let mut labels: Vec<LabelIndex> = (0..values.len()).collect();
    labels.sort_by(|one, other| values[*other].total_cmp(&values[*one]));
    let of = |label: LabelIndex| Some((label, odds.probability_of_yes(label)?, odds.is_bound(label)));
    labels.into_iter().filter_map(of).collect()
}

fn is_answered(prediction: &Prediction, label: LabelIndex) -> bool {
    prediction.answer.and_then(Answer::label_set).is_some_and(|set| set.contains(label))
}

fn label_name(app: &App, label: LabelIndex) -> String {
    let task = app.current().and_then(|(_, case)| app.cases().task_of(case));
    task.and_then(|task| task.labels.get(label)).map_or_else(String::new, |label| label.name.clone())
}
