//! Lists and lines that lie over the screen.
#![allow(clippy::single_range_in_vec_init, reason = "one highlight is a list of one range")]

use super::{assert_screen, explorer};
use crate::support::annotations::category_id;
use crate::support::explorer::{ready_at_a_hosted_server, screen, text};
use dissent::index::CaptionResult;
use dissent::pipeline::{Event, ServerUsage};
use dissent::run::TokenUsage;
use dissent::tui::App;
use dissent::tui::action::Action;
use dissent::tui::effect::Effect;
use dissent::tui::state::session_state::SavedView;
use dissent::worker::Request;
use tui_input::InputRequest;

#[test]
fn the_caption_search() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Search);
    let mut effects = Vec::new();
    for character in "mass".chars() {
        effects = app.edit(InputRequest::InsertChar(character));
    }
    let [Effect::Worker(Request::SearchCaptions { ticket, .. })] = effects.as_slice() else {
        panic!("no search in {effects:?}")
    };
    let results = vec![
        CaptionResult { row: 4, score: 1.31, highlights: vec![11..15] },
        CaptionResult { row: 0, score: 1.02, highlights: vec![21..25] },
    ];
    app.on_worker_event(Event::SearchResults { ticket: *ticket, results });
    assert_screen(&mut app, (80, 24), "search");
}

#[test]
fn a_search_with_results_on_a_wide_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Search);
    let effects = app.paste("\"posterior shadowing\"");
    let [Effect::Worker(Request::SearchCaptions { ticket, .. })] = effects.as_slice() else {
        panic!("no search in {effects:?}")
    };
    let results = vec![CaptionResult { row: 0, score: 2.31, highlights: vec![52..61, 62..71] }];
    app.on_worker_event(Event::SearchResults { ticket: *ticket, results });
    assert_screen(&mut app, (120, 40), "search");
}

#[test]
fn an_open_quotation_mark_is_named_while_it_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Search);
    let shown = |app: &mut App, typed: &str| {
        let effects = app.paste(typed);
        let [Effect::Worker(Request::SearchCaptions { ticket, .. })] = effects.as_slice() else {
            panic!("{effects:?}")
        };
        let results = vec![CaptionResult { row: 0, score: 2.31, highlights: Vec::new() }];
        app.on_worker_event(Event::SearchResults { ticket: *ticket, results });
        text(&screen(app, 120, 40))
    };
    assert!(shown(&mut app, "\"posterior").contains("a quotation mark is not closed; 1 document"));
    assert!(!shown(&mut app, " shadowing\"").contains("not closed"));
}

#[test]
fn a_long_note_is_read_whole() {
    let words: Vec<String> = (0..60).map(|number| format!("word{number}")).collect();
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        app.update(Action::Note);
        app.paste(&format!(" {}", words.join(" ")));
        let shown = text(&screen(&mut app, width, height));
        for word in &words {
            assert!(shown.contains(word), "{word} at {width}x{height}:\n{shown}");
        }
    }
}

#[test]
fn the_note_editor() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Note);
    app.paste(", see hit\n3");
    assert_screen(&mut app, (80, 24), "note");
}

#[test]
fn a_filter_being_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Filter);
    app.paste("verdict:");
    assert_screen(&mut app, (80, 24), "filter");
    app.update(Action::Complete);
    app.update(Action::Accept);
    assert_screen(&mut app, (80, 24), "filtered");
}

#[test]
fn the_palette() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Palette);
    app.paste("hit");
    assert_screen(&mut app, (80, 24), "palette");
}

/// Every list and line that lies over the screen, at both sizes that people have.
#[test]
fn every_view_at_both_sizes() {
    let views: [(&str, &[Action], &str); 10] = [
        ("reading", &[Action::Down, Action::Down], ""),
        ("note", &[Action::Note], ", see hit 3"),
        ("filter", &[Action::Filter], "verdict:"),
        ("palette", &[Action::Palette], "hit"),
        ("orders", &[Action::Order], ""),
        ("columns", &[Action::Columns], ""),
        ("themes", &[Action::Themes], ""),
        ("views", &[Action::Views], ""),
        ("name", &[Action::SaveView], "rescued by the caption head"),
        ("images-search", &[Action::SearchImages], "scan.dcm"),
    ];
    for (name, actions, typed) in views {
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let folder = tempfile::tempdir().unwrap();
            let mut app = explorer(folder.path());
            let mut state = app.session_state();
            state.view.push(SavedView {
                name: "gap".into(),
                filter: "fused:wrong oracle:right".into(),
                order: "entropy".into(),
            });
            app.recall(state);
            app.start();
            for action in actions {
                app.update(action.clone());
            }
            app.paste(typed);
            assert_screen(&mut app, (width, height), name);
        }
    }
}

#[test]
fn many_cases_labelled_at_once() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        for _ in 0..3 {
            app.update(Action::Mark);
        }
        app.update(Action::LabelMany);
        app.update(Action::Annotate(category_id(2)));
        assert_screen(&mut app, size, "label-many");
    }
}

#[test]
fn a_case_found_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Palette);
    app.paste("1");
    assert_screen(&mut app, (80, 24), "go-to-case");
}

#[test]
fn the_question_before_many_requests_to_a_server() {
    let folder = tempfile::tempdir().unwrap();
    for size in [(80, 24), (120, 40)] {
        let mut app = explorer(folder.path());
        app.on_worker_event(ready_at_a_hosted_server());
        let used = TokenUsage { requests: 40, prompt_tokens: 61200, answer_tokens: 80, not_counted: 0 };
        app.on_worker_event(Event::Usage(ServerUsage { reader: Some(used), encoder: None }));
        app.update(Action::ReadRest);
        assert_screen(&mut app, size, "many-requests");
    }
}
