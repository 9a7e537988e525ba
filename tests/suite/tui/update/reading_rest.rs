//! Figures that stand on a part of the cases, and having the rest answered.

use crate::support::explorer;
use crate::support::explorer::{answer, app, ready, screen};
use dissent::pipeline::Event;
use dissent::tui::App;
use dissent::tui::action::Action;
use dissent::tui::effect::Effect;
use dissent::tui::state::order::Order;
use dissent::tui::state::overlay::{Notice, Overlay};
use dissent::tui::update::reading_rest::Coverage;
use dissent::worker::Request;
use std::time::Duration;

fn ahead(effects: &[Effect]) -> Vec<usize> {
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Worker(Request::Ahead { cases }) => Some(cases.clone()),
        _ => None,
    });
    asked.unwrap_or_else(|| panic!("nothing is asked: {effects:?}"))
}

/// Thirty cases with a model; the first two are answered.
fn two_of_thirty(root: &std::path::Path) -> App {
    let mut app = app(root, 30);
    app.on_worker_event(ready());
    app.start();
    answer(&mut app, 0, &[0.9; 4]);
    answer(&mut app, 1, &[0.2, 0.9, 0.9, 0.9]);
    app
}

#[test]
fn the_rest_is_read_from_here_on_and_esc_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = two_of_thirty(folder.path());
    assert_eq!(ahead(&app.update(Action::ReadRest)), (2..30).collect::<Vec<_>>());
    // The case one goes to is asked for by itself, its neighbours are next, and those left behind come at the end.
    app.update(Action::PageDown);
    let asked = ahead(&app.update(Action::PageDown));
    assert_eq!(asked, (21..30).chain(2..20).collect::<Vec<_>>());
    let effects = app.update(Action::Cancel);
    assert!(app.reading_rest().is_none());
    assert_eq!(ahead(&effects), (21..30).collect::<Vec<_>>(), "as without it");
    assert_eq!(app.coverage(), Some(Coverage { answered: 2, of: 30 }));
}

#[test]
fn esc_leaves_the_enlarged_image_before_it_stops_the_reading() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = two_of_thirty(folder.path());
    app.update(Action::ReadRest);
    app.update(Action::Enlarge);
    app.update(Action::Cancel);
    assert!(app.images().enlarged().is_none() && app.reading_rest().is_some());
    app.update(Action::Cancel);
    assert!(app.reading_rest().is_none());
}

#[test]
fn the_figures_of_the_overview_follow_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = two_of_thirty(folder.path());
    app.update(Action::Overview);
    let read = |app: &App| match app.overlay() {
        Some(Overlay::Overview(overview)) => overview.read,
        _ => panic!("no overview"),
    };
    let shown = explorer::text(&screen(&mut app, 80, 24));
    assert!(shown.contains("overview: all cases · 2 of 30 answered; R reads the rest"), "{shown}");
    app.update(Action::Down);
    app.update(Action::ReadRest);
    for case in 2..30 {
        app.set_clock(Duration::from_secs(3 * (case as u64 - 1)));
        answer(&mut app, case, &[0.9; 4]);
        assert_eq!(read(&app), case + 1);
        if case == 11 {
            let shown = explorer::text(&screen(&mut app, 80, 24));
            assert!(shown.contains("12 of 30 answered ━━━━──────── 54 s left"), "{shown}");
        }
    }
    assert!(app.reading_rest().is_none());
    assert_eq!(app.notice(), Some(&Notice::Said("every case of this view is answered".into())));
    let Some(Overlay::Overview(overview)) = app.overlay() else { panic!("no overview") };
    assert_eq!(overview.selected, (0, 1, 0), "the cell stays");
    let shown = explorer::text(&screen(&mut app, 80, 24));
    assert!(shown.contains("30 of 30 cases answered"), "{shown}");
    // In the overview Esc stops the reading first.
    assert!(app.update(Action::ReadRest).is_empty());
    app.update(Action::Cancel);
    assert!(app.overlay().is_none());
}

#[test]
fn an_order_or_a_filter_by_answers_says_how_many_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = two_of_thirty(folder.path());
    let says = |app: &mut App, line: &str| explorer::text(&screen(app, 120, 40)).contains(line);
    assert!(!says(&mut app, "answered; R"), "the order of the dataset stands on no answer");
    app.update(Action::Order);
    app.paste(Order::Disagreement.name());
    app.update(Action::Accept);
    assert!(says(&mut app, "  2 of 30 answered, R: rest"));
    app.update(Action::Order);
    app.paste(Order::Dataset.name());
    app.update(Action::Accept);
    app.set_filter("id:us-test-000 verdict:inconsistent".parse().unwrap());
    assert_eq!(app.coverage(), Some(Coverage { answered: 2, of: 9 }), "of those that could pass");
    assert!(says(&mut app, "  2 of 9 answered"));
    app.update(Action::ReadRest);
    assert!((2..9).all(|case| app.reading_rest().unwrap().wants(case)) && !app.reading_rest().unwrap().wants(9));
    for case in 2..9 {
        answer(&mut app, case, &[0.9; 4]);
    }
    assert_eq!((app.coverage(), app.reading_rest().is_none()), (None, true));
    assert!(!says(&mut app, "of 9 answered"));
}

#[test]
fn without_a_model_no_key_is_promised() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = two_of_thirty(folder.path());
    let mut without = explorer::app(folder.path(), 30);
    without.on_worker_event(Event::Failed { case: None, message: "no reader".into() });
    answer(&mut without, 0, &[0.9; 4]);
    without.update(Action::Overview);
    let shown = explorer::text(&screen(&mut without, 80, 24));
    assert!(shown.contains("1 of 30 answered ") && !shown.contains("reads the rest"), "{shown}");
    assert!(without.update(Action::ReadRest).is_empty() && without.reading_rest().is_none());
    app.update(Action::ReadRest);
    assert!(app.reading_rest().is_some());
}
