//! Gold is shown for one case; the header says who annotates, and whether blind.

use crate::support::annotations::{annotation, review};
use crate::support::explorer::{answer, app, app_with, screen, text};
use dissent::annotation::CaseAnnotation;
use dissent::tui::App;
use dissent::tui::action::Action;

fn header(app: &mut App) -> String {
    text(&screen(app, 120, 40)).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn gold_is_shown_for_one_case_and_the_header_says_what_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    assert!(header(&mut app).contains("ada · blind"));
    app.update(Action::ToggleGold);
    assert!(app.is_gold_visible() && header(&mut app).contains("ada · gold seen"));
    app.update(Action::Down);
    assert!(!app.is_gold_visible() && header(&mut app).contains("ada · blind"));
    app.update(Action::Up);
    assert!(!app.is_gold_visible(), "hidden again");
    assert!(header(&mut app).contains("ada · gold seen"), "what was seen is not forgotten");
}

#[test]
fn kept_gold_stays_and_the_header_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app_with(folder.path(), 3, |setting| setting.keep_gold = true);
    app.start();
    app.update(Action::Down);
    assert!(app.is_gold_visible() && header(&mut app).contains("ada · gold seen · gold stays shown"));
    assert_eq!(app.cases_revealed_by_figures(), [0, 1, 2], "the queue shows the gold of its rows");
    app.update(Action::KeepGold);
    assert!(!app.is_gold_visible() && !header(&mut app).contains("gold stays"));
}

#[test]
fn the_header_tells_of_others_and_of_earlier_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.set_review(0, review([("bob", annotation(&[1]))], None));
    app.set_annotation(0, Some(annotation(&[0]).into()));
    app.start();
    assert!(header(&mut app).contains("ada · others' labels seen"));
    app.update(Action::Down);
    app.set_blind(1, false);
    assert!(header(&mut app).contains("ada · gold or others' labels seen"));
}

#[test]
fn progress_and_pace_stand_where_one_labels() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 12);
    app.start();
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    for (case, seconds) in [(1, 20.0), (2, 40.0), (3, 30.0)] {
        let own = CaseAnnotation { seconds: Some(seconds), ..annotation(&[2]) };
        app.set_annotation(case, Some(own.into()));
    }
    let shown = text(&screen(&mut app, 120, 40));
    assert!(shown.contains("3 labelled · 9 left · 120 an hour · median 30 s"), "{shown}");
    let row = shown.lines().find(|line| line.starts_with("  3  Right evidence ignored")).unwrap();
    assert!(row.split('┃').next().unwrap().trim_end().ends_with(" 3"), "{row}");
    app.update(Action::Definitions);
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.contains("3 labelled · 9 left · 120 an hour · median 30 s"), "{shown}");
}
