//! The footer tells the truth: in every context, its words for the keys of categories are what those keys do.

use crate::support::annotations::{annotation, review, written};
use crate::support::explorer::{answer, app_with, ready, ready_at_a_hosted_server, screen, text};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dissent::annotation::{AnnotationEdit, Category, Level};
use dissent::index::CaptionResult;
use dissent::pipeline::Event;
use dissent::terminal::image_protocol::ImageMode;
use dissent::tui::App;
use dissent::tui::action::{Action, Context};
use dissent::tui::effect::Effect;
use dissent::tui::keymap::Pressed;
use dissent::tui::state::overlay::{Notice, Overlay};
use dissent::tui::state::selection::Shown;
use std::collections::HashSet;
use std::path::Path;
use tui_input::InputRequest;

/// The actions that lead to each state, beginning with the queue in focus.
const STATES: [&[Action]; 34] = [
    &[],
    &[Action::SwitchFocus],
    &[Action::SwitchFocus, Action::NextHit, Action::NextHit],
    &[Action::NextHit],
    &[Action::Enlarge],
    &[Action::NextHit, Action::Enlarge],
    &[Action::SwitchFocus, Action::Enlarge],
    &[Action::SwitchFocus, Action::Enlarge, Action::BothImages],
    &[Action::ContactSheet],
    &[Action::SwitchFocus, Action::NextHit, Action::ContactSheet],
    &[Action::SwitchFocus, Action::NextHit, Action::Enlarge, Action::Cancel],
    &[Action::Definitions],
    &[Action::SwitchFocus, Action::Definitions],
    &[Action::Enlarge, Action::Note],
    &[Action::Adjudicate],
    &[Action::Adjudicate, Action::Reveal, Action::Note],
    &[Action::Agreement],
    &[Action::Why],
    &[Action::Overview],
    &[Action::Filter],
    &[Action::Order],
    &[Action::SaveView],
    &[Action::Search],
    &[Action::Help],
    &[Action::Help, Action::Search],
    &[Action::Mark, Action::LabelMany],
    &[Action::Why],
    // Documents that are no hits: read again without a part, and added.
    &[Action::SwitchFocus, Action::WithoutCaption],
    &[Action::SwitchFocus, Action::NextHit, Action::SwapCaption, Action::Enlarge],
    &[Action::SwitchFocus, Action::WithoutImage, Action::Definitions],
    &[Action::SwitchFocus, Action::SearchImages, Action::Accept],
    &[Action::SwitchFocus, Action::WithoutCaption, Action::PreviousHit],
    &[Action::WithoutCaption],
    // The reader is on a server that may cost money.
    &[Action::ReadRest],
];

fn app_in(root: &Path, several: bool, actions: &[Action]) -> App {
    let mut app = app_with(root, 3, |setting| {
        setting.images = ImageMode::Off;
        setting.known.several = several;
        setting.known.categories[1].level = Level::Hit;
        setting.known.reviews.insert(0, review([("bob", annotation(&[2]))], None));
    });
    app.start();
    app.on_worker_event(if actions == [Action::ReadRest] { ready_at_a_hosted_server() } else { ready() });
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    for action in actions {
        app.update(action.clone());
        if let Some(Overlay::Search(search)) = app.overlay() {
            // The only document of the corpus that is no hit.
            let results = vec![CaptionResult { row: 1, score: 0.9, highlights: Vec::new() }];
            app.on_worker_event(Event::SearchResults { ticket: search.ticket(), results });
        }
    }
    app
}

/// The footer's words for this key.
fn words_for(app: &mut App, key: char) -> Option<String> {
    let shown = text(&screen(app, 200, 50));
    let footer = shown.lines().last().unwrap_or_default().trim().to_owned();
    let hints = footer.split("  ").filter_map(|hint| hint.trim().split_once(' '));
    let has_key = |keys: &str| match keys.split_once('-') {
        Some((first, last)) if keys.len() == 3 => (first..=last).contains(&key.to_string().as_str()),
        _ => keys.chars().all(|sign| sign.is_ascii_digit()) && keys.contains(key),
    };
    let mut words = hints.filter(|(keys, _)| has_key(keys)).map(|(_, words)| words.to_owned());
    let found = words.next();
    assert!(words.next().is_none(), "two meanings of {key} in {footer}");
    found
}

/// What pressing the key does, in the words of the footer.
fn deed_of(app: &mut App, category: &Category) -> Option<String> {
    let key = KeyEvent::new(KeyCode::Char(category.key), KeyModifiers::NONE);
    let categories = app.cases().categories().to_vec();
    let case = app.queue().current().unwrap();
    let effects = match app.keymap().pressed(key, app.context(), &categories) {
        Pressed::Action(action) => app.update(action),
        Pressed::Edit(request) => {
            let before = app.context();
            app.edit(request);
            assert_eq!(app.context(), before);
            return None;
        }
        Pressed::Nothing => return None,
    };
    match effects.as_slice() {
        [Effect::Record(edit @ AnnotationEdit::ToggleCategory { .. })] => {
            app.recorded(edit, written(case, annotation(&[0])));
            let goes_on = app.queue().current() != Some(case);
            Some(if goes_on { "label CASE and go on".to_owned() } else { "label CASE".to_owned() })
        }
        [Effect::Record(AnnotationEdit::ToggleHitCategory { document, .. })] => {
            let slot = app.hits().iter().position(|hit| hit.document == *document).unwrap();
            Some(format!("label HIT {}", slot + 1))
        }
        [] => match app.overlay() {
            Some(Overlay::Adjudication(open)) => {
                open.chosen.as_ref().filter(|chosen| chosen.contains(&category.id)).map(|_| "choose".to_owned())
            }
            Some(Overlay::LabelMany(open)) => (open.chosen == Some(category.id.clone())).then(|| "choose".to_owned()),
            _ => None,
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_footer_says_what_a_digit_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut contexts = HashSet::new();
    let mut deeds = HashSet::new();
    for several in [false, true] {
        for actions in STATES {
            let categories = app_in(folder.path(), several, actions).cases().categories().to_vec();
            for category in &categories {
                let mut app = app_in(folder.path(), several, actions);
                contexts.insert(app.context());
                let words = words_for(&mut app, category.key);
                let deed = deed_of(&mut app, category);
                assert_eq!(words, deed, "{} after {actions:?}", category.key);
                deeds.extend(deed);
            }
        }
    }
    assert_eq!(contexts.len(), Context::ALL.len(), "a context is missing: {contexts:?}");
    let hits = ["label HIT 1", "label HIT 2", "label HIT 3", "label HIT 4"];
    let all = hits.into_iter().chain(["label CASE and go on", "label CASE", "choose"]);
    assert_eq!(deeds, all.map(str::to_owned).collect());
}

#[test]
fn a_digit_on_a_document_that_is_no_hit_labels_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let read_again = app_in(folder.path(), false, &[Action::SwitchFocus, Action::WithoutCaption]);
    let added = app_in(folder.path(), false, &[Action::SwitchFocus, Action::SearchImages, Action::Accept]);
    assert!(read_again.selection().hit() == 4 && added.selection().hit() == 4);
    // Without a model, the document is shown and not added.
    let mut found = app_with(folder.path(), 3, |_| {});
    for action in [Action::SwitchFocus, Action::Search] {
        found.update(action);
    }
    found.edit(InputRequest::InsertChar('c'));
    let results = vec![CaptionResult { row: 1, score: 1.0, highlights: Vec::new() }];
    found.on_worker_event(Event::SearchResults { ticket: 1, results });
    found.update(Action::Accept);
    assert_eq!(found.selection().shown(), Shown::Row(1));
    for mut app in [read_again, added, found] {
        for category in app.cases().categories().to_vec() {
            assert_eq!(words_for(&mut app, category.key), None);
            assert!(app.update(Action::Annotate(category.id.clone())).is_empty());
            let said = "this is not a hit, so it takes no label: select a hit or a case (Tab)";
            assert_eq!(app.notice(), Some(&Notice::Said(said.to_owned())));
        }
        app.update(Action::SwitchFocus);
        assert!(words_for(&mut app, '1').unwrap().starts_with("label CASE"));
    }
}

#[test]
fn closing_a_view_never_turns_a_key_that_shows_into_one_that_records() {
    let folder = tempfile::tempdir().unwrap();
    let opening = [Action::Enlarge, Action::Definitions, Action::Adjudicate, Action::Agreement, Action::Overview];
    for opened in opening.into_iter().chain([Action::Why, Action::Help]) {
        for code in (' '..='~').map(KeyCode::Char) {
            let key = KeyEvent::new(code, KeyModifiers::NONE);
            let records = |app: &mut App| match app.keymap().pressed(key, app.context(), app.cases().categories()) {
                Pressed::Action(action) => app.update(action).iter().any(|effect| matches!(effect, Effect::Record(_))),
                _ => false,
            };
            let mut app = app_in(folder.path(), false, &[]);
            let does_below = records(&mut app);
            let app = app_in(folder.path(), false, std::slice::from_ref(&opened));
            let shows = matches!(
                app.keymap().pressed(key, app.context(), app.cases().categories()),
                Pressed::Action(Action::View(_) | Action::NextHit | Action::PreviousHit | Action::Down | Action::Up)
            );
            assert!(!(shows && does_below), "{code:?} shows after {opened:?} and records after Esc");
        }
    }
}
