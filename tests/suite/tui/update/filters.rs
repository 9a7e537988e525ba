//! Cases in the queue, and their order.

use crate::support::annotations::annotation;
use crate::support::explorer;
use crate::support::explorer::{answer, app, app_with, hits, scores, screen};
use dissent::cases::filter::Filter;
use dissent::data::Label;
use dissent::pipeline::Event;
use dissent::tui::App;
use dissent::tui::action::{Action, Context};
use dissent::tui::effect::Effect;
use dissent::tui::state::overlay::{Notice, Overlay};
use dissent::tui::theme::Theme;
use dissent::worker::Request;
use std::sync::Arc;

#[test]
fn a_filter_on_what_is_right_tells_of_gold() {
    let looks = |line: &str| line.parse::<Filter>().unwrap().depends_on_gold();
    assert!(looks("task:x fused:wrong") && looks("-rescued-by:any"));
    assert!(!looks("verdict:inconsistent people:disputed mine:none entropy:>0.5"));
}

#[test]
fn the_filter_keeps_inconsistent_cases_and_takes_in_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 5);
    app.start();
    answer(&mut app, 0, &[0.9, 0.9, 0.9, 0.9]);
    answer(&mut app, 3, &[0.9, 0.2, 0.9, 0.9]);
    app.update(Action::OnlyInconsistent);
    assert_eq!((app.queue().shown(), app.queue().current()), ([3].as_slice(), Some(3)));
    answer(&mut app, 1, &[0.9, 0.9, 0.2, 0.9]);
    assert_eq!((app.queue().shown(), app.queue().current()), ([1, 3].as_slice(), Some(3)));
    app.update(Action::OnlyInconsistent);
    assert_eq!((app.queue().shown().len(), app.queue().current()), (5, Some(3)));
}

#[test]
fn with_the_filter_on_the_engine_gets_more_cases_when_it_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 30);
    app.start();
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    app.update(Action::OnlyInconsistent);
    for case in 1..10 {
        answer(&mut app, case, &[0.9, 0.9, 0.9, 0.9]);
    }
    app.on_worker_event(Event::Hits { case: 10, hits: hits() });
    let mut effects = Vec::new();
    for slot in 0..4 {
        effects = app.on_worker_event(Event::Prediction { case: 10, slot, prediction: scores(0.9).into() });
    }
    assert_eq!(effects, [Effect::Worker(Request::Ahead { cases: (11..=20).collect() })]);
}

#[test]
fn a_filter_that_no_case_passes_yet_waits_for_those_that_will() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 12);
    app.start();
    app.update(Action::Last);
    let ahead = |cases: Vec<usize>| Effect::Worker(Request::Ahead { cases });
    // Case 11 may pass itself; then from the first again.
    let cases = std::iter::once(11).chain(0..9).collect();
    assert_eq!(type_filter(&mut app, "retrieval:ruined"), [ahead(cases)]);
    assert_eq!((app.queue().shown().len(), app.queue().current(), app.notice()), (0, None, None));
    let shown = explorer::text(&screen(&mut app, 80, 24));
    assert!(shown.contains("No answered case matches retrieval:ruined. 12"), "{shown}");
    assert!(shown.contains("cases are not answered yet; they join this list if"), "{shown}");
    assert!(shown.contains("F removes the filter."), "{shown}");
    // Closed-book says No, and so does gold of the odd cases. The closed-book answer is the last to come.
    answer(&mut app, 0, &[0.9; 4]);
    answer(&mut app, 2, &[0.1; 4]);
    assert!(app.queue().shown().is_empty());
    app.on_worker_event(Event::Hits { case: 5, hits: hits() });
    for slot in 0..4 {
        app.on_worker_event(Event::Prediction { case: 5, slot, prediction: scores(0.9).into() });
    }
    let effects = app.on_worker_event(Event::ClosedBook { case: 5, prediction: scores(0.39).into() });
    assert_eq!(effects[0], Effect::Worker(Request::Open { case: 5 }), "the first that passes is opened");
    answer(&mut app, 3, &[0.9; 4]);
    assert_eq!((app.queue().shown(), app.queue().current()), ([3, 5].as_slice(), Some(5)));
    app.update(Action::ToggleFilter);
    assert_eq!((app.queue().shown().len(), app.queue().current()), (12, Some(5)));
}

#[test]
fn a_filter_that_no_case_can_pass_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    type_filter(&mut app, "id:other fused:wrong");
    let Some(Overlay::Filter(edit)) = app.overlay() else { panic!("the line is closed") };
    let reason = "no case matches id:other fused:wrong (0 of 3 are answered); the list stays as it is";
    assert_eq!(edit.outcome(), Err(reason));
    app.update(Action::Cancel);
    app.on_worker_event(Event::Failed { case: None, message: "no reader".into() });
    type_filter(&mut app, "fused:wrong");
    assert_eq!((app.queue().shown().len(), app.view().filter().is_empty()), (3, true), "nothing will be read any more");
}

#[test]
fn a_filter_of_yesterday_is_there_before_any_case_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut yesterday = app(folder.path(), 5);
    yesterday.start();
    answer(&mut yesterday, 3, &[0.9; 4]);
    type_filter(&mut yesterday, "fused:wrong");
    let mut today = app(folder.path(), 5);
    today.recall(yesterday.session_state());
    assert_eq!(today.start(), [Effect::Worker(Request::Ahead { cases: vec![3, 4, 0, 1, 2] })]);
    assert_eq!((today.queue().current(), today.session_state().place.unwrap().filter.as_str()), (None, "fused:wrong"));
    answer(&mut today, 3, &[0.9; 4]);
    assert_eq!(today.queue().current(), Some(3));
}

#[test]
fn only_cases_that_can_pass_are_read_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 6);
    app.start();
    answer(&mut app, 0, &[0.1; 4]);
    let effects = type_filter(&mut app, "label:yes fused:wrong");
    assert_eq!(effects, [Effect::Worker(Request::Ahead { cases: vec![2, 4] })]);
}

#[test]
fn an_unfinished_word_counts_the_words_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 4);
    app.start();
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    answer(&mut app, 1, &[0.9; 4]);
    app.update(Action::Filter);
    app.paste("verdict:inconsistent fused:wron");
    let Some(Overlay::Filter(edit)) = app.overlay() else { panic!("no line") };
    assert_eq!(edit.outcome(), Ok(1));
    assert!(explorer::text(&screen(&mut app, 80, 24)).contains("1 of 4 cases; 2 cases are not answered yet"));
}

/// The clipboard may hold a whole report, or a file.
#[test]
fn what_is_pasted_comes_where_the_cursor_is_and_too_much_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 4);
    app.start();
    app.update(Action::Filter);
    let line = |app: &App| match app.overlay() {
        Some(Overlay::Filter(edit)) => (edit.input().value().to_owned(), edit.input().cursor()),
        _ => panic!("no line"),
    };
    app.paste("é\tz");
    app.edit(tui_input::InputRequest::GoToPrevChar);
    app.paste("x\ny");
    assert_eq!(line(&app), ("é x yz".to_owned(), 5));
    app.paste(&"x".repeat(65_536));
    assert_eq!(line(&app), ("é x yz".to_owned(), 5));
    let Some(Notice::Error(message)) = app.notice() else { panic!("{:?}", app.notice()) };
    assert!(
        message.starts_with("nothing was pasted: expected a line of at most 65536 bytes, found 65543"),
        "{message}"
    );
}

fn type_filter(app: &mut App, line: &str) -> Vec<Effect> {
    app.update(Action::Filter);
    app.paste(line);
    app.update(Action::Accept)
}

#[test]
fn a_filter_is_completed_counted_and_applied() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 4);
    app.start();
    // Gold is Yes, No, Yes, No; the answers are Yes, Yes, No, No.
    for (case, yes) in
        [[0.9, 0.9, 0.9, 0.9], [0.99, 0.99, 0.2, 0.9], [0.2, 0.2, 0.3, 0.2], [0.1, 0.2, 0.9, 0.1]].iter().enumerate()
    {
        answer(&mut app, case, yes);
    }
    app.update(Action::Filter);
    app.paste("fused:w");
    let Some(Overlay::Filter(edit)) = app.overlay() else { panic!("no line") };
    assert_eq!(edit.completions()[0].count, None, "of so few cases the number would tell gold");
    app.update(Action::Cancel);
    app.update(Action::KeepGold);
    app.update(Action::Filter);
    app.paste("fused:w");
    let Some(Overlay::Filter(edit)) = app.overlay() else { panic!("no line") };
    assert_eq!((edit.completions()[0].word.as_str(), edit.completions()[0].count), ("fused:wrong", Some(2)));
    app.update(Action::Complete);
    app.paste("rescued-by:any");
    let Some(Overlay::Filter(edit)) = app.overlay() else { panic!("no line") };
    assert_eq!((edit.input().value(), edit.outcome()), ("fused:wrong rescued-by:any", Ok(1)));
    app.update(Action::Accept);
    assert_eq!(app.queue().shown(), [1]);
    app.update(Action::ToggleFilter);
    assert_eq!((app.queue().shown().len(), app.queue().current()), (4, Some(1)));
    app.update(Action::First);
    app.update(Action::NextMatch);
    assert_eq!(app.queue().current(), Some(1));
    let shown = |app: &App| app.queue().shown().to_vec();
    for (line, expected) in [
        ("verdict:inconsistent", vec![1, 3]),
        ("-fused:right", vec![1, 2]),
        ("retrieval:ruined", vec![1]),
        ("retrieval:rescued", vec![0]),
        ("ruined-by:3", vec![3]),
        ("entropy:>0.1", vec![1, 3]),
        ("label:yes answer:a", vec![2]),
        ("\"SPICULATED margin\" id:0003", vec![2]),
        ("mine:none source:south head:lexical", vec![0, 1, 2, 3]),
    ] {
        app.update(Action::ToggleFilter);
        app.set_filter(Filter::default());
        type_filter(&mut app, line);
        assert_eq!(shown(&app), expected, "{line}");
    }
}

#[test]
fn a_head_of_another_program_is_shown_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    answer(&mut app, 0, &[0.9, 0.9, 0.9, 0.9]);
    let mut given = hits();
    given[0].provenances[0].head = "ColPali".parse().unwrap();
    app.on_worker_event(Event::Hits { case: 1, hits: given });
    for slot in 0..4 {
        app.on_worker_event(Event::Prediction { case: 1, slot, prediction: scores(0.9).into() });
    }
    let names = app.cases().heads().as_ptr();
    type_filter(&mut app, "head:colpali");
    assert_eq!(app.cases().heads().as_ptr(), names, "the cases are not walked again for every key");
    assert_eq!((app.queue().shown(), app.queue().current()), ([1].as_slice(), Some(1)));
    assert!(explorer::text(&screen(&mut app, 100, 30)).contains("ColPali"));
    let unknown = "head:colbert".parse::<Filter>().unwrap().check(app.cases()).unwrap_err();
    assert_eq!(unknown, "head:colbert: expected image, caption, lexical, person, random, ColPali");
}

#[test]
fn a_label_goes_by_its_id_and_by_its_letter_only_where_no_label_has_that_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut dataset = explorer::dataset(folder.path(), 5);
    let ids = ["m", "n", "b"].map(str::to_owned).into_iter().chain((3..30).map(|label| format!("l{label}")));
    dataset.tasks[0].labels = ids.map(|id| Label::new(&id, format!("Finding {id}"))).collect();
    for (case, answer) in dataset.cases.iter_mut().zip(["m", "n", "b", "l25", "l26"]) {
        case.answer = answer.into();
    }
    let mut app = app_with(folder.path(), 5, |setting| setting.known.dataset = Arc::new(dataset));
    app.start();
    // The letters are A, B, C, Z and a.
    for (line, expected) in
        [("label:b", 2), ("label:n", 1), ("label:c", 2), ("label:\"finding b\"", 2), ("label:a", 0), ("label:z", 3)]
    {
        app.set_filter(Filter::default());
        type_filter(&mut app, &format!("{line} "));
        assert_eq!(app.queue().shown(), [expected], "{line}");
    }
}

#[test]
fn a_line_that_is_not_understood_stays_open_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    type_filter(&mut app, "verdikt:right");
    let Some(Overlay::Filter(edit)) = app.overlay() else { panic!("the line is gone") };
    assert!(edit.outcome().unwrap_err().starts_with("verdikt: no such field"));
}

#[test]
fn the_queue_is_sorted_and_a_view_is_kept_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    for (case, yes) in [[0.9, 0.9, 0.9, 0.9], [0.9, 0.9, 0.9, 0.2], [0.9, 0.9, 0.2, 0.2]].iter().enumerate() {
        answer(&mut app, case, yes);
    }
    app.update(Action::Order);
    app.paste("evenly split");
    app.update(Action::Accept);
    assert_eq!((app.queue().shown(), app.queue().current()), ([2, 1, 0].as_slice(), Some(0)));
    type_filter(&mut app, "verdict:inconsistent");
    app.update(Action::SaveView);
    app.paste("split");
    assert_eq!(app.update(Action::Accept), [Effect::Remember]);
    let memory = app.session_state();
    let mut later = explorer::app(folder.path(), 3);
    for (case, yes) in [[0.9, 0.9, 0.9, 0.9], [0.9, 0.9, 0.9, 0.2], [0.9, 0.9, 0.2, 0.2]].iter().enumerate() {
        answer(&mut later, case, yes);
    }
    later.recall(memory);
    assert_eq!((later.queue().shown(), later.queue().current()), ([2, 1].as_slice(), app.queue().current()));
    later.update(Action::ToggleFilter);
    later.update(Action::Views);
    later.update(Action::Accept);
    assert_eq!(later.queue().shown(), [2, 1]);
}

#[test]
fn a_sorted_list_says_what_was_read_since_and_the_same_order_sorts_it_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    answer(&mut app, 0, &[0.9, 0.9, 0.9, 0.2]);
    let sort = |app: &mut App| {
        app.update(Action::Order);
        app.paste("evenly split");
        app.update(Action::Accept);
    };
    sort(&mut app);
    answer(&mut app, 2, &[0.9, 0.9, 0.2, 0.2]);
    assert_eq!((app.queue().shown(), app.view().unsorted_count(app.queue())), ([0, 1, 2].as_slice(), 1));
    assert!(explorer::text(&screen(&mut app, 120, 40)).contains("1 newly answered: press o to sort again"));
    sort(&mut app);
    assert_eq!((app.queue().shown(), app.view().unsorted_count(app.queue())), ([2, 0, 1].as_slice(), 0));
}

#[test]
fn lists_open_on_what_is_on_and_offer_what_applies() {
    let folder = tempfile::tempdir().unwrap();
    let light = Theme::load("light").unwrap();
    let mut app = app_with(folder.path(), 2, |setting| setting.theme = light.clone());
    app.update(Action::Themes);
    app.update(Action::Accept);
    assert_eq!(*app.theme(), light);
    // A theme of one's own is not in the list.
    let mut app = app_with(folder.path(), 2, |setting| {
        setting.theme = Theme::load("dark").unwrap().without_full_backgrounds().unwrap();
        setting.themes.retain(|(name, _)| name == "light");
    });
    app.update(Action::Themes);
    app.update(Action::Accept);
    assert_eq!(*app.theme(), light, "what is marked is what Enter takes");
    let mut memory = app.session_state();
    let place = memory.place.as_mut().unwrap();
    place.columns = vec!["against".into(), "entropy".into()];
    place.order = "flips".into();
    app.recall(memory);
    assert_eq!((app.view().columns().len(), app.view().order()), (1, dissent::tui::state::order::Order::Dataset));
}

#[test]
fn the_palette_finds_a_command_by_its_words_and_a_theme_is_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    let dark = app.theme().clone();
    app.update(Action::Palette);
    app.paste("colours screen");
    app.update(Action::Accept);
    assert_eq!(app.context(), Context::Picker);
    app.update(Action::Down);
    assert_ne!(*app.theme(), dark);
    app.update(Action::Cancel);
    assert_eq!(*app.theme(), dark);
    app.update(Action::Columns);
    app.paste("entropy");
    app.update(Action::Accept);
    app.update(Action::Cancel);
    assert_eq!(app.view().columns(), [dissent::tui::state::queue_columns::Column::Entropy]);
}

#[test]
fn labelled_cases_are_counted_in_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 4);
    app.start();
    for (case, places) in [(0, &[0][..]), (2, &[1]), (3, &[])] {
        app.set_annotation(case, Some(annotation(places).into()));
    }
    app.update(Action::Down);
    assert_eq!(app.throughput().labelled, 2);
    type_filter(&mut app, "mine:none");
    assert_eq!(app.queue().shown(), [1, 3]);
    assert_eq!(app.throughput().labelled, 0);
}

#[test]
fn a_name_that_the_dataset_lacks_is_a_mistake_with_those_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.start();
    let check = |app: &App, line: &str| line.parse::<Filter>().unwrap().check(app.cases());
    for line in [
        "label:yes",
        "-label:NO answer:a",
        "answer:?",
        "task:Malignancy",
        "source:north,south",
        "mine:1 final:gone",
        "group:x",
    ] {
        assert_eq!(check(&app, line), Ok(()), "{line}");
    }
    for (line, message) in [
        ("label:malignant", "label:malignant: expected No, Yes"),
        ("label:yes,maybe", "label:maybe: expected No, Yes"),
        ("answer:d", "answer:d: expected No, Yes"),
        ("task:fundus", "task:fundus: expected malignancy"),
        ("source:west", "source:west: expected north, south"),
    ] {
        assert_eq!(check(&app, line), Err(message.to_owned()), "{line}");
    }
    assert!(check(&app, "mine:z").unwrap_err().starts_with("mine:z: expected none, any, skipped"));
    // A line with such a name stays open, with the reason.
    type_filter(&mut app, "label:malignant ");
    let Some(Overlay::Filter(edit)) = app.overlay() else { panic!("the line is closed") };
    assert_eq!(edit.outcome(), Err("label:malignant: expected No, Yes"));
}
