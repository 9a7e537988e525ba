//! The question before many requests to a server that may cost money.

use crate::support::explorer::{answer, app, ready, ready_at_a_hosted_server};
use dissent::pipeline::{Event, ServerUsage};
use dissent::run::TokenUsage;
use dissent::tui::App;
use dissent::tui::action::Action;
use dissent::tui::effect::Effect;
use dissent::tui::state::overlay::{Notice, Overlay};
use dissent::worker::Request;
use std::path::Path;

fn asks_for_answers(effects: &[Effect]) -> bool {
    let is_asked = |effect: &Effect| matches!(effect, Effect::Worker(Request::Ahead { cases }) if !cases.is_empty());
    effects.iter().any(is_asked)
}

/// Thirty cases, the first of which is answered.
fn at(root: &Path, ready: Event) -> App {
    let mut app = app(root, 30);
    app.start();
    app.on_worker_event(ready);
    answer(&mut app, 0, &[0.9; 4]);
    app
}

#[test]
fn many_requests_to_a_hosted_server_are_asked_about_and_esc_asks_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = at(folder.path(), ready_at_a_hosted_server());
    assert!(!asks_for_answers(&app.update(Action::ReadRest)));
    let Some(Overlay::Spend(question)) = app.overlay() else { panic!("no question") };
    assert_eq!(question.planned.requests, 29 * 5 * 2000);
    assert!(!asks_for_answers(&app.update(Action::Cancel)));
    assert!(app.overlay().is_none() && app.reading_rest().is_none());
}

#[test]
fn enter_has_them_all_answered_and_is_not_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = at(folder.path(), ready_at_a_hosted_server());
    app.update(Action::ReadRest);
    assert!(asks_for_answers(&app.update(Action::Accept)));
    assert!(app.reading_rest().is_some() && app.overlay().is_none());
    app.update(Action::Cancel);
    assert!(asks_for_answers(&app.update(Action::ReadRest)), "the person has agreed");
}

#[test]
fn what_was_asked_for_before_the_models_were_known_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 30);
    assert!(asks_for_answers(&app.start()));
    let effects = app.on_worker_event(ready_at_a_hosted_server());
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Worker(Request::Ahead { cases }) if cases.is_empty()))
    );
}

#[test]
fn a_reader_in_this_process_is_asked_without_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = at(folder.path(), ready());
    assert!(asks_for_answers(&app.update(Action::ReadRest)));
    assert!(app.overlay().is_none());
}

#[test]
fn no_case_is_answered_ahead_beyond_the_limit_and_that_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 30);
    app.start();
    let used = TokenUsage { requests: 990, prompt_tokens: 40, answer_tokens: 2, not_counted: 0 };
    app.on_worker_event(Event::Usage(ServerUsage { reader: Some(used), encoder: None }));
    app.on_worker_event(ready_at_a_hosted_server());
    let said = |app: &App| match app.notice() {
        Some(Notice::Said(words)) => words.clone(),
        other => format!("{other:?}"),
    };
    assert!(said(&app).contains("(990 so far) wait for R"), "{}", said(&app));
    app.update(Action::Down);
    assert!(!said(&app).contains("990"), "{}", said(&app));
}
