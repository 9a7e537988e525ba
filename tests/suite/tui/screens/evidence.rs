//! Rows made by withholding or swapping show what the reader was given, and stand apart from what was retrieved.

use super::{assert_screen, explorer, explorer_with};
use crate::support::explorer::{hits, scores, screen, text};
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use dissent::pipeline::Event;
use dissent::run::{Ablation, CaptionShown, Given, Shown};
use dissent::tui::App;
use dissent::tui::action::Action;
use dissent::tui::effect::Effect;
use dissent::tui::theme::{Role, Theme};
use dissent::worker::Request;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// Asks again with the first hit, which the reader answers with this probability of Yes.
fn ask_again(app: &mut App, action: Action, yes: f32) {
    app.update(Action::NextHit);
    app.update(Action::First);
    let effects = app.update(action);
    let [Effect::Worker(Request::Probe { case, probe })] = effects[..] else { panic!("not asked: {effects:?}") };
    let own = || Given::Document("us-doc-001".into());
    let image = if probe.ablation.without_image { Given::Withheld } else { own() };
    let caption = match probe.ablation.caption {
        CaptionShown::Own => own(),
        CaptionShown::None => Given::Withheld,
        CaptionShown::Swapped => Given::Document("us-doc-004".into()),
    };
    let shown = Some(Shown { image, caption });
    app.on_worker_event(Event::Probed { case, probe, shown, outcome: Ok(scores(yes).into()) });
}

fn asked_again(root: &std::path::Path) -> App {
    let mut app = explorer(root);
    app.update(Action::SwitchFocus);
    ask_again(&mut app, Action::WithoutImage, 0.62);
    ask_again(&mut app, Action::WithoutCaption, 0.44);
    ask_again(&mut app, Action::SwapCaption, 0.13);
    app
}

#[test]
fn a_swapped_caption() {
    for size in SIZES {
        let folder = tempfile::tempdir().unwrap();
        let mut app = asked_again(folder.path());
        assert_screen(&mut app, size, "swapped");
    }
}

#[test]
fn a_withheld_caption_that_is_put_in() {
    for size in SIZES {
        let folder = tempfile::tempdir().unwrap();
        let mut app = asked_again(folder.path());
        app.update(Action::Up);
        app.update(Action::DropHit);
        assert_screen(&mut app, size, "no-caption");
    }
}

#[test]
fn a_withheld_image() {
    for size in SIZES {
        let folder = tempfile::tempdir().unwrap();
        let mut app = asked_again(folder.path());
        app.update(Action::Up);
        app.update(Action::Up);
        assert_screen(&mut app, size, "no-image");
    }
}

/// No row of a person's own takes a row from the images while the captions leave some empty.
#[test]
fn rows_of_ones_own_shrink_no_image_while_rows_are_free() {
    let folder = tempfile::tempdir().unwrap();
    let rows_of_images = |app: &mut App| {
        screen(app, 120, 40);
        app.drawn().document().height
    };
    let mut app = explorer(folder.path());
    let before = rows_of_images(&mut app);
    let mut app = asked_again(folder.path());
    assert_eq!(rows_of_images(&mut app), before);
    let wide = |app: &mut App| {
        screen(app, 200, 60);
        app.drawn().query()
    };
    assert_eq!(wide(&mut app), wide(&mut explorer(folder.path())));
    for width in [60, 61, 79, 99, 100, 131, 220] {
        for height in [15, 16, 24, 30, 31, 60] {
            screen(&mut app, width, height);
        }
    }
}

#[test]
fn the_footer_says_what_space_does_to_such_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = asked_again(folder.path());
    let footer = |app: &mut App| text(&screen(app, 120, 40)).lines().last().unwrap_or_default().to_owned();
    assert!(footer(&mut app).contains("Space count row in"), "{}", footer(&mut app));
    app.update(Action::DropHit);
    assert!(footer(&mut app).contains("Space leave row out"), "{}", footer(&mut app));
    app.update(Action::First);
    assert!(footer(&mut app).contains("Space drop hit"), "{}", footer(&mut app));
    app.update(Action::DropHit);
    assert!(footer(&mut app).contains("Space put hit back"), "{}", footer(&mut app));
}

/// Without colours the sign before it tells a swapped caption, with colours its own colour does, too.
#[test]
fn a_substitute_has_a_style_of_its_own() {
    for name in Theme::names() {
        let theme = Theme::load(name).unwrap();
        for (role, other) in Role::ALL {
            assert!(
                role == Role::Substituted || theme.style(role) != theme.style(Role::Substituted),
                "{name}: {other}"
            );
        }
    }
}

/// A stored run whose reader was given other captions shows those, not the documents' own.
#[test]
fn a_run_with_captions_withheld_shows_none() {
    let folder = tempfile::tempdir().unwrap();
    let without = |caption, without_image| Ablation { caption, without_image, random_documents: false };
    let mut app = explorer_with(folder.path(), |setting| setting.known.ablation = without(CaptionShown::None, true));
    app.update(Action::NextHit);
    let shown = text(&screen(&mut app, 120, 40));
    assert_eq!(shown.matches("image and caption withheld").count(), hits().len(), "{shown}");
    let is_framed = |line: &str| line.contains("image withheld") && line.matches('│').count() == 2;
    assert!(shown.lines().any(is_framed) && shown.contains("┃ caption withheld"), "{shown}");
    assert!(!shown.contains("Irregular") && !shown.contains("Lobulated"), "{shown}");
}

#[test]
fn hits_beyond_the_window_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    let mut many: Vec<_> = hits().into_iter().cycle().take(118).collect();
    for (place, hit) in many.iter_mut().enumerate() {
        hit.provenances[0].score = Some(0.5 + place as f32 * 17.31);
    }
    app.on_worker_event(Event::Hits { case: 1, hits: many });
    for slot in 0..118 {
        let prediction = scores(if slot % 3 == 0 { 0.001 } else { 0.999 }).into();
        app.on_worker_event(Event::Prediction { case: 1, slot, prediction });
    }
    for _ in 0..105 {
        app.update(Action::NextHit);
    }
    for size in SIZES {
        assert_screen(&mut app, size, "many-hits");
    }
}

#[test]
fn a_click_below_the_divider_selects_the_row_under_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = asked_again(folder.path());
    app.update(Action::First);
    let shown = text(&screen(&mut app, 200, 60));
    let row_of = |words: &str| shown.lines().position(|line| line.contains(words)).unwrap() as u16;
    let click = |row| MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column: 60,
        row,
        modifiers: KeyModifiers::NONE,
    };
    assert!(app.on_mouse(click(row_of("── what if"))).is_none());
    for (words, slot) in [("5 no image", 4), ("3 caption 0.412", 2), ("6 no caption", 5)] {
        app.on_mouse(click(row_of(words))).unwrap();
        assert_eq!(app.selection().hit(), slot, "{words}");
        app.update(Action::First);
        screen(&mut app, 200, 60);
    }
}
