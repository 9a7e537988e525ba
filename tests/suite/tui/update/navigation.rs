//! Moving between cases and hits, and what the engine is asked for.

use crate::support::annotations::category_id;
use crate::support::explorer;
use crate::support::explorer::{answer, app, hits, ready, screen};
use dissent::pipeline::Event;
use dissent::terminal::images::ViewChange;
use dissent::tui::action::{Action, Context};
use dissent::tui::effect::Effect;
use dissent::tui::state::overlay::Notice;
use dissent::tui::state::selection::{Focus, Side};
use dissent::tui::{App, views};
use dissent::worker::Request;

#[test]
fn the_first_case_is_opened_and_the_next_ten_are_read_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 15);
    let effects = app.start();
    assert_eq!(
        effects,
        [Effect::Worker(Request::Open { case: 0 }), Effect::Worker(Request::Ahead { cases: (1..=10).collect() })]
    );
}

#[test]
fn moving_opens_the_new_case_and_the_ends_ask_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    assert_eq!(app.update(Action::Down)[0], Effect::Worker(Request::Open { case: 1 }));
    assert_eq!(app.update(Action::Last)[0], Effect::Worker(Request::Open { case: 2 }));
    assert!(app.update(Action::PageDown).is_empty());
    assert_eq!(app.update(Action::First)[0], Effect::Worker(Request::Open { case: 0 }));
}

#[test]
fn tab_moves_in_the_hits_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    app.update(Action::SwitchFocus);
    assert_eq!((app.selection().focus(), app.selection().side()), (Focus::Hits, Side::Document));
    assert!(app.update(Action::Down).is_empty(), "moving in the hits asks nothing of the engine");
    assert_eq!((app.selection().hit(), app.queue().current()), (1, Some(0)));
    app.update(Action::Last);
    assert_eq!(app.selection().hit(), 3);
    app.update(Action::SwitchFocus);
    app.update(Action::Down);
    assert_eq!((app.selection().hit(), app.queue().current(), app.selection().side()), (0, Some(1), Side::Query));
}

#[test]
fn leaving_has_its_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    assert_eq!(app.update(Action::Quit), [Effect::Quit(0)]);
    for overlay in [Action::Cancel, Action::Help, Action::Cancel, Action::Note] {
        app.update(overlay);
        assert_eq!(app.update(Action::Interrupt), [Effect::Quit(130)]);
    }
}

#[test]
fn resizing_asks_nothing_of_the_engine_but_images_of_the_new_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.on_worker_event(ready());
    screen(&mut app, 80, 24);
    assert!(app.images().pictures().take_wanted().is_empty());
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(120, 40)).unwrap();
    terminal.draw(|frame| views::draw(&app, frame)).unwrap();
    assert!(!app.images().pictures().take_wanted().is_empty());
}

#[test]
fn the_engine_may_fail_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut app: App = app(folder.path(), 3);
    app.start();
    app.on_worker_event(Event::Failed { case: None, message: "no reader".into() });
    app.on_worker_event(Event::Failed { case: None, message: "no index".into() });
    assert_eq!(app.worker().failure(), Some("no reader"));
    assert_eq!(app.notice(), Some(&Notice::Error("no index".into())), "a search that failed");
    assert_eq!(app.update(Action::Annotate(category_id(0))).len(), 1);
    app.on_worker_event(Event::Failed { case: Some(0), message: "image is cut short".into() });
    assert!(explorer::text(&screen(&mut app, 80, 24)).contains("image is cut short"));
}

#[test]
fn a_hit_that_cannot_be_read_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut app: App = app(folder.path(), 1);
    app.start();
    app.on_worker_event(ready());
    answer(&mut app, 0, &[0.9, 0.8, 0.7]);
    assert!(explorer::text(&screen(&mut app, 120, 40)).contains("  4 lexical 0.377   …"));
    app.on_worker_event(Event::Failed { case: Some(0), message: "d4.png is missing".into() });
    let text = explorer::text(&screen(&mut app, 120, 40));
    assert!(text.contains("d4.png is missing") && text.contains("  4 lexical 0.377   x"), "{text}");
}

#[test]
fn the_remembered_hit_is_one_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.update(Action::Down);
    answer(&mut app, 1, &[0.9, 0.9, 0.9, 0.2]);
    (0..3).for_each(|_| drop(app.update(Action::NextHit)));
    let memory = app.session_state();
    let reopened = |case: usize, count: usize| {
        let mut later = explorer::app(folder.path(), 3);
        later.on_worker_event(Event::Hits { case, hits: hits().into_iter().take(count).collect() });
        later.recall(memory.clone());
        later.start();
        later
    };
    assert_eq!(reopened(1, 4).selection().hit(), 3);
    assert_eq!(reopened(1, 2).selection().hit(), 1, "there are fewer hits now");
    let mut live = reopened(0, 4);
    assert_eq!(live.selection().hit(), 3, "the hits of this case are still to come");
    live.on_worker_event(Event::Hits { case: 1, hits: hits().into_iter().take(2).collect() });
    assert_eq!(live.selection().hit(), 1);
    let mut gone = memory.clone();
    gone.place.as_mut().unwrap().case = Some("us-test-9999".into());
    let mut later = explorer::app(folder.path(), 3);
    later.recall(gone);
    later.start();
    assert_eq!(later.selection().hit(), 0, "another case than the remembered one");
}

#[test]
fn an_enlarged_image_pans_where_it_is_zoomed_and_steps_where_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.update(Action::Enlarge);
    assert_eq!(app.context(), Context::Image);
    app.update(Action::View(ViewChange::Down));
    assert_eq!(app.queue().current(), Some(1), "the next case");
    // An image of 64 pixels has room for one step there.
    screen(&mut app, 80, 24);
    app.update(Action::View(ViewChange::ZoomIn));
    let before = app.images().view();
    app.update(Action::View(ViewChange::Down));
    assert_eq!(app.queue().current(), Some(1));
    assert_ne!(app.images().view(), before);
    app.update(Action::SwitchImage);
    assert_eq!(app.selection().side(), Side::Document, "query and document share the view");
    app.update(Action::Cancel);
    assert_eq!(app.context(), Context::Explore);
}

#[test]
fn the_enlarged_image_is_opened_in_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.start();
    answer(&mut app, 0, &[0.9, 0.9, 0.9, 0.9]);
    app.update(Action::Enlarge);
    assert_eq!(app.context(), Context::Image);
    let opened = |app: &mut App| app.update(Action::OpenInViewer);
    assert_eq!(opened(&mut app), [Effect::OpenInViewer(folder.path().join("images/q0.png"))]);
    app.update(Action::SwitchImage);
    assert_eq!(opened(&mut app), [Effect::OpenInViewer(folder.path().join("images/d0.png"))]);
}
