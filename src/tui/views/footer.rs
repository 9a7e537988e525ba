//! The footer: what the keys do now. Words come from the table of actions, changed by the state; the keys of categories
//! say what they label.

use super::super::action::{Action, Binding, Context, bindings};
use super::super::keymap;
use super::super::theme::Role;
use crate::annotation::Category;
use crate::run::Head;
use crate::tui::state::image_panes::Enlarged;
use crate::tui::state::overlay::Overlay;
use crate::tui::state::picker::PickerKind;
use crate::tui::state::selection::{Focus, Shown, Side};
use crate::tui::update::app::App;
use crate::tui::update::category_target::CategoryTarget;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// A key and what it does.
type Hint = (String, String);

/// Draws the keys of this context, as many as fit. Keys that label come first and are always shown; commands, help and
/// quit come last and are shown, too.
pub fn draw(app: &App, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let context = app.context();
    let mut others: Vec<Hint> = Vec::new();
    for binding in bindings().filter(|binding| binding.context == context) {
        let (Some(hint), Some(key)) = (hint_now(app, binding), app.keymap().shown_key(binding)) else { continue };
        others.push((keymap::shown(&key), app.cases().in_words_of_run(hint).into_owned()));
    }
    let last = if context == Context::Explore { 3 } else { 2 };
    let keep = others.split_off(others.len().saturating_sub(last));
    let labels = label_hints(app);
    let width_of = |(key, hint): &Hint| Span::raw(format!("{key} {hint}  ")).width();
    let used: usize = labels.iter().chain(&keep).map(width_of).sum();
    let mut room = usize::from(area.width).saturating_sub(used + 1);
    let mut shown = labels;
    for hint in others {
        let width = width_of(&hint);
        if width > room {
            break;
        }
        room -= width;
        shown.push(hint);
    }
    let mut spans = vec![Span::raw(" ")];
    for (key, hint) in shown.into_iter().chain(keep) {
        spans.push(Span::styled(key, theme.style(Role::Key)));
        spans.push(Span::styled(format!(" {hint}  "), theme.style(Role::Muted)));
    }
    frame.render_widget(Line::from(spans), area);
}

/// The keys of the categories with what they do now, one entry per target, such as `1-4 label HIT 2`.
fn label_hints(app: &App) -> Vec<Hint> {
    let mut groups: Vec<(CategoryTarget, Vec<&Category>)> = Vec::new();
    for category in app.cases().categories() {
        let Some(target) = app.category_target(category) else { continue };
        match groups.iter_mut().find(|(other, _)| *other == target) {
            Some((_, categories)) => categories.push(category),
            None => groups.push((target, vec![category])),
        }
    }
    let words = |target: &CategoryTarget| app.cases().in_words_of_run(&words_of(target)).into_owned();
    groups.into_iter().map(|(target, categories)| (keys_of(&categories), words(&target))).collect()
}

fn words_of(target: &CategoryTarget) -> String {
    match target {
        CategoryTarget::Case { goes_on: true } => "label CASE and go on".to_owned(),
        CategoryTarget::Case { goes_on: false } => "label CASE".to_owned(),
        CategoryTarget::Hit { slot, .. } => format!("label HIT {}", slot + 1),
        CategoryTarget::Choice => "choose".to_owned(),
    }
}

/// `1-8`, or the single keys if they do not form a range.
fn keys_of(categories: &[&Category]) -> String {
    let keys: Vec<char> = categories.iter().map(|category| category.key).collect();
    let in_order = keys.windows(2).all(|pair| u32::from(pair[1]) == u32::from(pair[0]) + 1);
    match keys.as_slice() {
        [first, .., last] if in_order => format!("{first}-{last}"),
        _ => keys.iter().collect(),
    }
}

/// The word for the action in the present state; `None` if the action would do nothing or has no word.
fn hint_now(app: &App, binding: &Binding) -> Option<&'static str> {
    let hint = binding.hint?;
    let enlarged = app.images().enlarged();
    match (&binding.action, app.overlay()) {
        (Action::SwitchFocus, _) => Some(if app.selection().focus() == Focus::Hits { "cases" } else { hint }),
        (Action::Cancel, Some(Overlay::Overview(_))) if app.reading_rest().is_some() => Some("stop"),
        (Action::ToggleGold, _) if app.is_gold_visible() => Some("hide gold"),
        (Action::DropHit, None) if app.selection().shown() != Shown::Hit => None,
        (Action::DropHit, None) => match (app.queue().current(), app.selected_hit()) {
            (Some(case), Some(hit)) => {
                let is_own = hit.provenances.iter().any(|found| found.head == Head::Person);
                let counts = app.what_if().counts(case, app.selection().hit(), hit);
                Some(match (counts, is_own) {
                    (true, false) => hint,
                    (false, false) => "put hit back",
                    (true, true) => "leave row out",
                    (false, true) => "count row in",
                })
            }
            _ => None,
        },
        (Action::SwitchImage, None) if enlarged == Some(Enlarged::ContactSheet) => Some("enlarge hit"),
        (Action::BothImages, None) if enlarged == Some(Enlarged::Both) => Some("one image"),
        (Action::ContactSheet, None) if enlarged == Some(Enlarged::ContactSheet) => None,
        (Action::SwitchImage, None) => Some(if app.selection().side() == Side::Query { "hit" } else { "query" }),
        (Action::OnlyInconsistent, None) if app.shows_only_inconsistent() => Some("agreeing, too"),
        (Action::Down, Some(Overlay::Adjudication(open))) => {
            let review = app.cases().review_of(open.case);
            let others = review.map_or(0, |review| review.annotations.len());
            (open.is_revealed && open.selected + 1 < others).then_some(hint)
        }
        (Action::Reveal, Some(Overlay::Adjudication(open))) => (!open.is_revealed).then_some(hint),
        (Action::Complete, Some(Overlay::Adjudication(_))) => app.categories_to_copy().is_ok().then_some(hint),
        (Action::Accept, Some(Overlay::Adjudication(open))) => {
            (open.is_revealed && open.chosen.is_some()).then_some(hint)
        }
        (Action::Accept, Some(Overlay::LabelMany(open))) => open.chosen.is_some().then_some(hint),
        (Action::Delete, Some(Overlay::Picker(picker))) => (*picker.kind() == PickerKind::View).then_some(hint),
        _ => Some(hint),
    }
}
