//! Short lines about the answers to a case: agreement, shares of the labels, smallest change that flips the answer,
//! and, once gold is shown, which hits lead to the right answer.

use super::super::theme::Role;
use super::text;
use crate::cases::given_evidence::head_column;
use crate::data::Answer;
use crate::evaluation::{CaseOutcome, Fused, PartialCaseAnswer, SmallestFlip};
use crate::tui::update::app::App;
use ratatui::text::Span;
use unicode_width::UnicodeWidthStr;

/// Share of the weights below which a label gets no part of the bar.
const LEAST_SHARE: f32 = 0.005;

/// `! 1 of 4 differ`, `= all 4 agree`, the number that are read, or the reason why no more come. It covers the answer
/// on the screen and what was retrieved; with the user's own evidence counted in, the line begins with "what if".
pub fn verdict(app: &App, answers: Option<&PartialCaseAnswer>, width: usize) -> Vec<Span<'static>> {
    let theme = app.theme();
    let Some(answers) = answers else { return Vec::new() };
    if let Some(message) = &answers.failed {
        return vec![Span::styled(text::fit(&format!("x {message}"), width), theme.style(Role::Error))];
    }
    let count = answers.hit_count();
    let read = app.counted_slots();
    let Some(fused) = app.fused_now() else {
        let line = match (answers.hits(), answers.fused()) {
            (Some([]), None) => "no hit".to_owned(),
            (_, None) if count == 0 => String::new(),
            (_, None) => format!("{} of {count} answered", answers.read_count()),
            (_, Some(_)) => "every hit is dropped".to_owned(),
        };
        let line = app.cases().in_words_of_run(&line);
        return vec![Span::styled(text::fit(&line, width), theme.style(Role::Muted))];
    };
    let differing = read.iter().filter(|(_, prediction)| prediction.answer != fused.prediction.answer).count();
    let role = if differing == 0 { Role::Same } else { Role::Differs };
    let line = match (differing, app.counts_own_evidence()) {
        (0, false) => format!("= all {} agree", read.len()),
        (0, true) => format!("what if all {} agree", read.len()),
        (_, false) => format!("! {differing} of {} differ", read.len()),
        (_, true) => format!("what if {differing} of {} differ", read.len()),
    };
    vec![Span::styled(text::fit(&line, width), theme.style(role))]
}

/// The letter of an answer to the current case.
pub fn letter(app: &App, answer: Option<Answer>) -> char {
    app.queue().current().map_or(' ', |case| app.cases().letter_of(case, answer))
}

/// `= B* ↑`: whether the hit's answer equals the fused one, its letter, `*` if gold is shown and it is right, rescued
/// or ruined; and the role of the first sign. Blank until the hit is read.
pub fn signs(app: &App, answers: &PartialCaseAnswer, fused: Option<&Fused>, slot: usize) -> ([Span<'static>; 3], Role) {
    let theme = app.theme();
    let Some(prediction) = answers.prediction_at(slot) else {
        return ([Span::raw(" …"), Span::raw(" "), Span::raw("  ")], Role::Faint);
    };
    let answer = prediction.answer;
    let (glyph, role) = match fused {
        None => (" ", Role::Text),
        Some(fused) if fused.prediction.answer == answer => ("=", Role::Same),
        Some(_) => ("!", Role::Differs),
    };
    let gold = app.current().and_then(|(_, case)| app.cases().gold_of(case));
    let right = app.is_gold_visible() && gold.is_some() && gold == answer;
    let (sign, sign_role) = rescue_sign(app, slot);
    let spans = [
        Span::styled(format!("{glyph} {}", letter(app, answer)), theme.style(role)),
        Span::styled(if right { "*" } else { " " }, theme.style(Role::Right)),
        Span::styled(format!("{sign} "), theme.style(sign_role)),
    ];
    (spans, role)
}

/// The shares of the weights by label, such as `B━━━━━━━━━A━━━`, the fused label first.
pub fn label_shares(app: &App, fused: &Fused, width: usize) -> Vec<Span<'static>> {
    let Some(answers) = app.queue().current().and_then(|case| app.cases().answers_of(case)) else { return Vec::new() };
    let mut shares: Vec<(Option<Answer>, f32)> = Vec::new();
    for (slot, weight) in fused.weights.iter().enumerate() {
        let Some(prediction) = answers.prediction_at(slot) else { continue };
        match shares.iter_mut().find(|(answer, _)| *answer == prediction.answer) {
            Some((_, share)) => *share += weight,
            None => shares.push((prediction.answer, *weight)),
        }
    }
    shares.retain(|(_, share)| *share >= LEAST_SHARE);
    shares.sort_by(|one, other| {
        let first = |answer: Option<Answer>| answer == fused.prediction.answer;
        first(other.0).cmp(&first(one.0)).then(other.1.total_cmp(&one.1))
    });
    let mut spans = Vec::new();
    let mut used = 0;
    for (place, (answer, share)) in shares.iter().enumerate() {
        let left = width.saturating_sub(used);
        let last = place + 1 == shares.len();
        let columns = if last { left } else { ((share * width as f32).round() as usize).clamp(1, left.max(1)) };
        if columns == 0 || left == 0 {
            break;
        }
        used += columns;
        let role = if *answer == fused.prediction.answer { Role::Same } else { Role::Differs };
        let piece = format!("{}{}", letter(app, *answer), "━".repeat(columns - 1));
        spans.push(Span::styled(piece, app.theme().style(role)));
    }
    spans
}

/// The smallest set of hits that flips the answer, such as "dropping hits 2 and 3 changes the answer", or how far the
/// search came.
pub fn smallest_flip(app: &App, fused: &Fused, width: usize) -> Span<'static> {
    if fused.weights.len() < 2 {
        return Span::raw("");
    }
    let line = match app.smallest_flip() {
        Some(SmallestFlip::Without(hits)) => longest_that_fits(
            in_words_of_run(
                app,
                [
                    format!("dropping {} changes the answer", named_places(&hits)),
                    format!("rests on {}", named_places(&hits)),
                    format!("rests on {}", places(&hits)),
                    format!("rests on {} hits", hits.len()),
                ],
            ),
            width,
        ),
        Some(SmallestFlip::NoneUpTo(1)) => {
            let forms = ["no single hit changes it".to_owned(), "no one hit changes it".to_owned()];
            longest_that_fits(in_words_of_run(app, forms), width)
        }
        Some(SmallestFlip::NoneUpTo(count)) => {
            app.cases().in_words_of_run(&format!("no {count} hits change it")).into_owned()
        }
        Some(SmallestFlip::Never) => "no removal changes it".to_owned(),
        None => String::new(),
    };
    Span::styled(text::fit(&line, width), app.theme().style(Role::Muted))
}

/// Texts about hits in the words for the run on the screen.
fn in_words_of_run<const N: usize>(app: &App, forms: [String; N]) -> [String; N] {
    forms.map(|form| app.cases().in_words_of_run(&form).into_owned())
}

/// The first of these that has room, else the last; they go from long to short.
pub fn longest_that_fits<const N: usize>(forms: [String; N], width: usize) -> String {
    let fitting = forms.iter().position(|form| form.width() <= width);
    let place = fitting.unwrap_or(N.saturating_sub(1));
    forms.into_iter().nth(place).unwrap_or_default()
}

/// With gold shown: whether the answer on the screen is right, which hits would give another, and what retrieval did
/// to the case with its hits as retrieved. In fewer than all columns it says less, but loses no end of a word.
pub fn oracle(app: &App, width: usize) -> Option<(String, Role)> {
    if !app.is_gold_visible() {
        return None;
    }
    let (index, case) = app.current()?;
    let gold = app.cases().gold_of(case)?;
    let answers = app.cases().answers_of(index)?;
    let (slots, outcome) = app.outcome_now()?;
    let as_found = answers.outcome(Some(gold)).map(|outcome| outcome.is_right());
    let closed_book = answers.closed_book.as_ref().map(|prediction| prediction.is_right(Some(gold)));
    let effect = match (closed_book, as_found) {
        (Some(true), Some(false)) => "retrieval ruined it",
        (Some(false), Some(true)) => "retrieval rescued it",
        (_, Some(false)) if outcome.is_right() => "wrong",
        (_, Some(true)) if !outcome.is_right() => "right",
        _ => "",
    };
    let is_as_found = as_found == Some(outcome.is_right());
    let (effect, short_effect) = match effect {
        "" => (String::new(), String::new()),
        effect if is_as_found => (format!("; {effect}"), format!("; {effect}")),
        effect => (format!("; before your changes: {effect}"), format!("; before: {effect}")),
    };
    let hits = |test: &dyn Fn(&CaseOutcome, usize) -> bool| -> Vec<usize> {
        (0..slots.len()).filter(|place| test(&outcome, *place)).map(|place| slots[place]).collect()
    };
    let rescuing = hits(&CaseOutcome::is_rescued_by);
    let ruining = hits(&CaseOutcome::is_ruined_by);
    let (line, role) = match (outcome.is_right(), rescuing.first().or(ruining.first())) {
        (true, None) => ("every hit is right".to_owned(), Role::Right),
        (true, Some(_)) => (format!("right; {}", alone(&ruining, "wrong")), Role::Right),
        (false, None) => ("wrong, and no hit is right".to_owned(), Role::Differs),
        (false, Some(first)) => {
            let how = match (answers.user_hit_at(*first), answers.hit_at(*first)) {
                (Some(own), _) => format!(" ({})", head_column(own)),
                (None, Some(hit)) if app.cases().models_stand_in() => format!(" ({})", hit.document),
                (None, Some(hit)) => format!(" ({} #{})", hit.first().head, hit.first().rank),
                (None, None) => String::new(),
            };
            (format!("wrong; {}{how}", alone(&rescuing, "right")), Role::Differs)
        }
    };
    let what_if = if app.counts_own_evidence() { "what if: " } else { "" };
    let verdict = if outcome.is_right() { "right" } else { "wrong" };
    let forms = [
        format!("{what_if}{line}{effect}"),
        format!("{what_if}{line}{short_effect}"),
        format!("{what_if}{verdict}{short_effect}"),
        format!("{what_if}{verdict}"),
    ];
    Some((longest_that_fits(in_words_of_run(app, forms), width), role))
}

/// `↑` beside a hit that is right while the fused answer is wrong, `↓` beside the reverse; only with gold shown.
fn rescue_sign(app: &App, slot: usize) -> (&'static str, Role) {
    let outcome = if app.is_gold_visible() { app.outcome_now() } else { None };
    let place = outcome.as_ref().and_then(|(slots, _)| slots.iter().position(|read| *read == slot));
    let Some(((_, outcome), place)) = outcome.zip(place) else { return (" ", Role::Text) };
    if outcome.is_rescued_by(place) {
        ("↑", Role::Right)
    } else if outcome.is_ruined_by(place) {
        ("↓", Role::Differs)
    } else {
        (" ", Role::Text)
    }
}

/// "hit 2 alone is right" or "hits 2 and 3 are right".
fn alone(hits: &[usize], what: &str) -> String {
    let verb = if hits.len() == 1 { "alone is" } else { "are" };
    format!("{} {verb} {what}", named_places(hits))
}

/// "hit 2" or "hits 2 and 3".
fn named_places(hits: &[usize]) -> String {
    format!("{} {}", if hits.len() == 1 { "hit" } else { "hits" }, places(hits))
}

/// "2", "2 and 3" or "1, 2 and 3", counted from one.
fn places(hits: &[usize]) -> String {
    let numbers: Vec<String> = hits.iter().map(|hit| (hit + 1).to_string()).collect();
    match numbers.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
