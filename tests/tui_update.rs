//! What keys do to the state, and what they ask of the world.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use dissent::analysis::SmallestFlip;
use dissent::annotation::agreement::{AgreementReport, RatedCases};
use dissent::annotation::{Level, Staleness, Taxonomy};
use dissent::data::Label;
use dissent::engine::{Ablation, CaptionResult, CaptionShown, Event, ImageLike, Probe, Request};
use dissent::tui::action::{Action, Context};
use dissent::tui::app::{Focus, Notice, Overlay, Shown, Side};
use dissent::tui::effect::Effect;
use dissent::tui::filter::Filter;
use dissent::tui::images::ViewChange;
use dissent::tui::mark::{Mark, Record, Recorded};
use dissent::tui::notebook::Notebook;
use dissent::tui::overview::Section;
use dissent::tui::people::{People, Voice, Words};
use dissent::tui::{App, views};
use std::sync::Arc;
use support::{answer, app, hits, ready, scores, screen};
use tui_input::InputRequest;

#[allow(clippy::unnecessary_wraps, reason = "what the journal answers")]
fn written(case: usize, mark: Mark) -> Result<Recorded, String> {
    Ok(Recorded::Changed { case, mark })
}

fn category(index: usize) -> Mark {
    Mark { categories: vec![index], ..Mark::default() }
}

#[test]
fn the_first_case_is_opened_and_the_next_ten_are_read_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 15);
    let effects = app.start();
    assert_eq!(
        effects,
        [Effect::Engine(Request::Open { case: 0 }), Effect::Engine(Request::Ahead { cases: (1..=10).collect() })]
    );
}

#[test]
fn moving_opens_the_new_case_and_the_ends_ask_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    assert_eq!(app.update(Action::Down)[0], Effect::Engine(Request::Open { case: 1 }));
    assert_eq!(app.update(Action::Last)[0], Effect::Engine(Request::Open { case: 2 }));
    assert!(app.update(Action::PageDown).is_empty());
    assert_eq!(app.update(Action::First)[0], Effect::Engine(Request::Open { case: 0 }));
}

#[test]
fn a_digit_writes_first_and_moves_on_when_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    let record = Record::Annotate { case: 0, category: 2 };
    assert_eq!(app.update(Action::Annotate(2)), [Effect::Record(record.clone())]);
    assert_eq!((app.queue.current(), app.marks.len()), (Some(0), 0), "nothing shows before it is on disk");
    app.recorded(&record, written(0, category(2)));
    assert_eq!((app.queue.current(), app.marks[&0].categories.as_slice()), (Some(1), [2].as_slice()));
    assert_eq!(app.marked_count(), 1);
}

#[test]
fn a_failed_write_neither_shows_nor_moves() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.recorded(&Record::Skip { case: 0 }, Err("disk full".into()));
    assert_eq!((app.queue.current(), app.marks.len()), (Some(0), 0));
    assert_eq!(app.notice, Some(Notice::Error("not saved: disk full".into())));
    app.recorded(&Record::Note { case: 0, text: "long thought".into() }, Err("disk full".into()));
    let Some(Overlay::Note(input)) = &app.overlay else { panic!("the note is gone") };
    assert_eq!(input.value(), "long thought");
}

#[test]
fn a_category_that_does_not_exist_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    assert!(app.update(Action::Annotate(99)).is_empty());
}

#[test]
fn undo_goes_back_to_the_case_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.recorded(&Record::Annotate { case: 0, category: 2 }, written(0, category(2)));
    assert_eq!(app.update(Action::Undo), [Effect::Record(Record::Undo)]);
    app.recorded(&Record::Undo, written(0, Mark::default()));
    assert_eq!((app.queue.current(), app.marked_count()), (Some(0), 0));
    app.recorded(&Record::Undo, Ok(Recorded::Nothing));
    assert_eq!(app.notice, Some(Notice::Said("nothing to undo".into())));
    app.recorded(&Record::Undo, Ok(Recorded::Elsewhere { id: "old-7".into() }));
    assert_eq!(app.notice, Some(Notice::Said("old-7: taken back; it is not in this dataset".into())));
}

#[test]
fn where_several_are_allowed_a_digit_stays_on_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.several = true;
    app.start();
    let record = Record::Annotate { case: 0, category: 2 };
    assert_eq!(app.update(Action::Annotate(2)), [Effect::Record(record.clone())]);
    app.recorded(&record, written(0, Mark { categories: vec![0, 2], ..Mark::default() }));
    assert_eq!(app.queue.current(), Some(0));
    let names = format!("us-test-0001: {}, {} (u takes it back)", app.categories[0].name, app.categories[2].name);
    assert_eq!(app.notice, Some(Notice::Said(names)));
}

#[test]
fn with_the_focus_on_the_hits_a_category_names_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    app.categories[0].level = Level::Both;
    app.categories[1].level = Level::Hit;
    app.categories[2].level = Level::Case;
    assert!(app.update(Action::Annotate(1)).is_empty());
    assert!(matches!(&app.notice, Some(Notice::Said(said)) if said.ends_with("Tab goes to the hits")));
    assert_eq!(app.update(Action::Annotate(0)), [Effect::Record(Record::Annotate { case: 0, category: 0 })]);
    app.update(Action::SwitchFocus);
    app.update(Action::Down);
    let hit = |category| Record::Hit { case: 0, document: "us-doc-003".into(), category };
    assert_eq!(app.update(Action::Annotate(0)), [Effect::Record(hit(0))]);
    assert_eq!(app.update(Action::Annotate(1)), [Effect::Record(hit(1))]);
    assert_eq!(app.update(Action::Annotate(2)), [Effect::Record(Record::Annotate { case: 0, category: 2 })]);
    let mark = Mark { hits: [("us-doc-003".to_owned(), vec![0])].into(), ..Mark::default() };
    app.recorded(&hit(0), written(0, mark));
    assert_eq!((app.queue.current(), app.hit), (Some(0), 1), "one stays with the document");
    assert!("mine:hit".parse::<Filter>().unwrap().passes(&app, 0));
}

#[test]
fn doubt_flag_and_redo_have_keys_and_filters() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    assert_eq!(app.update(Action::Unsure), [Effect::Record(Record::Unsure { case: 0 })]);
    app.recorded(&Record::Unsure { case: 0 }, written(0, Mark { unsure: true, ..Mark::default() }));
    assert_eq!(app.notice, Some(Notice::Said("us-test-0001: unsure (u takes it back)".into())));
    app.recorded(&Record::Flag { case: 1 }, written(1, Mark { flagged: true, ..Mark::default() }));
    app.recorded(&Record::Flag { case: 1 }, written(1, Mark::default()));
    assert_eq!(app.notice, Some(Notice::Said("us-test-0002: not flagged any more (u takes it back)".into())));
    app.recorded(&Record::Redo, written(1, Mark { flagged: true, ..Mark::default() }));
    assert_eq!((app.queue.current(), app.marked_count()), (Some(1), 2), "redo goes to its case");
    app.recorded(&Record::Redo, Ok(Recorded::Nothing));
    assert_eq!(app.notice, Some(Notice::Said("nothing to redo".into())));
    let shown = |filter: &str| {
        let filter: Filter = filter.parse().unwrap();
        (0..3).filter(|case| filter.passes(&app, *case)).collect::<Vec<_>>()
    };
    assert_eq!((shown("mine:unsure"), shown("mine:flagged")), (vec![0], vec![1]));
}

#[test]
fn an_annotation_on_other_answers_or_under_another_definition_is_stale() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    let on = |answers: &str| Mark { answers_fingerprint: Some(answers.into()), ..category(0) };
    app.marks.insert(0, on("of other answers"));
    app.marks.insert(
        1,
        Mark { earlier: vec![support::earlier_definition("other", "Other", "None of the above.")], ..category(7) },
    );
    app.start();
    assert_eq!(app.staleness_of(0), Staleness::Unknown, "nothing is read yet");
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    assert_eq!(app.staleness_of(0), Staleness::AnswersChanged);
    let stale: Filter = "mine:stale".parse().unwrap();
    assert_eq!([0, 1, 2].map(|case| stale.passes(&app, case)), [true, true, false]);
    let fingerprint = app.answers_fingerprint_of(0).unwrap();
    app.marks.insert(0, on(&fingerprint));
    assert_eq!((app.staleness_of(0), stale.passes(&app, 0)), (Staleness::Current, false));
}

/// Ada says the first category, bob the second; ada is at the keys.
fn disputed() -> People {
    let voice = |name: &str, category| Voice {
        annotator: name.into(),
        is_own: name == "ada",
        words: Words { categories: vec![category], unknown: Vec::new() },
        ..Voice::default()
    };
    People { voices: vec![voice("ada", 0), voice("bob", 1)], standing: "disputed", decision: None, final_words: None }
}

#[test]
fn a_disputed_case_is_decided_and_the_next_one_follows() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 4);
    for case in [1, 3] {
        app.people.insert(case, disputed());
        app.marks.insert(case, category(0));
    }
    app.start();
    app.set_filter("people:disputed".parse().unwrap());
    assert_eq!((app.queue.shown(), app.queue.current()), ([1, 3].as_slice(), Some(1)));
    app.update(Action::Adjudicate);
    assert_eq!((app.context(), app.case_with_people()), (Context::Adjudication, Some(1)));
    assert!(app.update(Action::Accept).is_empty(), "nothing is chosen yet");
    app.update(Action::Down);
    app.update(Action::Complete);
    app.update(Action::Note);
    assert_eq!(app.context(), Context::Reason);
    app.paste("the caption says so");
    app.update(Action::Accept);
    let record = Record::Decide { case: 1, categories: vec![1], reason: "the caption says so".into() };
    assert_eq!(app.update(Action::Accept), [Effect::Record(record.clone())]);
    app.recorded(&record, Err("disk full".into()));
    assert_eq!(app.case_with_people(), Some(1), "what was typed is still there");
    app.recorded(&record, written(1, category(0)));
    assert_eq!((app.queue.current(), app.case_with_people()), (Some(3), Some(3)));
    app.update(Action::Annotate(4));
    app.update(Action::Annotate(5));
    let record = Record::Decide { case: 3, categories: vec![5], reason: String::new() };
    assert_eq!(app.update(Action::Accept), [Effect::Record(record.clone())]);
    app.recorded(&record, written(3, category(0)));
    assert!(app.overlay.is_none(), "that was the last");
}

#[test]
fn others_words_are_hidden_until_one_has_spoken_or_asks() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.people.insert(0, disputed());
    app.start();
    app.update(Action::Adjudicate);
    assert_eq!(app.case_with_people(), None);
    app.update(Action::Annotate(1));
    assert!(app.update(Action::Accept).is_empty(), "nobody decides what they have not seen");
    app.update(Action::Reveal);
    assert_eq!(app.case_with_people(), Some(0));
    app.update(Action::Cancel);
    app.marks.insert(0, category(0));
    assert!(!app.hides_people(0));
    app.is_blind = true;
    assert!(app.hides_people(0));
}

#[test]
fn a_category_is_read_and_given_among_the_definitions() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.start();
    app.update(Action::Definitions);
    assert!(app.update(Action::Annotate(3)).is_empty(), "its key goes to a category and gives none");
    app.update(Action::Down);
    assert_eq!(app.update(Action::Accept), [Effect::Record(Record::Annotate { case: 0, category: 4 })]);
    assert!(app.overlay.is_none());
}

#[test]
fn agreement_is_asked_for_and_a_late_report_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    let [Effect::Agreement(first)] = app.update(Action::Agreement)[..] else { panic!("nothing is asked for") };
    app.update(Action::Cancel);
    let [Effect::Agreement(second)] = app.update(Action::Agreement)[..] else { panic!("nothing is asked for") };
    let report = AgreementReport::of("tiny", &RatedCases::default(), 0, &[]);
    app.on_agreement(first, report.clone());
    let is_there = |app: &App| matches!(&app.overlay, Some(Overlay::Agreement(screen)) if screen.report.is_some());
    assert!(!is_there(&app));
    app.on_agreement(second, report);
    assert!(is_there(&app));
}

fn notebook(root: &std::path::Path, taxonomy: Taxonomy) -> Notebook {
    let dataset = Arc::new(support::dataset(root, 3));
    Notebook::open(&root.join("annotations"), "ada", "here", dataset, taxonomy).unwrap().0
}

#[test]
fn the_journal_has_what_was_on_the_screen_and_for_how_long() {
    let folder = tempfile::tempdir().unwrap();
    let mut notebook = notebook(folder.path(), Taxonomy::default());
    notebook.shows(0, Some("0123".into()));
    notebook.record(&Record::Annotate { case: 0, category: 0 }).unwrap();
    notebook.reveal(1);
    notebook.shows(1, None);
    notebook.record(&Record::Annotate { case: 1, category: 0 }).unwrap();
    // A case that is not on the screen.
    notebook.record(&Record::Skip { case: 2 }).unwrap();
    let state = notebook.desk().state();
    let said = |case: &str| state.of("ada", case).unwrap();
    let first = said("us-test-0001");
    assert_eq!(
        (first.answers_fingerprint.as_deref(), first.blind, first.seconds.is_some()),
        (Some("0123"), true, true)
    );
    assert!(!said("us-test-0002").blind);
    assert_eq!(said("us-test-0003").seconds, None);
}

#[test]
fn sets_documents_and_decisions_are_kept_and_turned_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut notebook = notebook(folder.path(), Taxonomy { several: true, ..Taxonomy::default() });
    let mut mark_after = |record: Record| match notebook.record(&record).unwrap() {
        Recorded::Changed { mark, .. } => mark,
        other => panic!("{other:?}"),
    };
    let annotate = |category| Record::Annotate { case: 0, category };
    mark_after(annotate(2));
    assert_eq!(mark_after(annotate(0)).categories, [0, 2]);
    assert_eq!(mark_after(annotate(2)).categories, [0]);
    let hit = || Record::Hit { case: 0, document: "us-doc-003".into(), category: 1 };
    assert_eq!(mark_after(hit()).hits["us-doc-003"], [1]);
    assert!(mark_after(hit()).hits.is_empty());
    assert_eq!(mark_after(Record::Undo).hits["us-doc-003"], [1]);
    assert!(mark_after(Record::Redo).hits.is_empty());
    assert!(mark_after(Record::Unsure { case: 0 }).unsure);
    assert!(!mark_after(Record::Unsure { case: 0 }).unsure);
    mark_after(Record::Decide { case: 0, categories: vec![1], reason: "why".into() });
    let people = notebook.people_of(0).unwrap();
    assert!(people.stands("decided") && !people.stands("outdated"));
    assert_eq!(people.decision.unwrap().words.categories, [1]);
    notebook.record(&annotate(4)).unwrap();
    assert!(notebook.people_of(0).unwrap().stands("outdated"));
}

#[test]
fn a_filter_on_what_is_right_tells_of_gold() {
    let looks = |line: &str| line.parse::<Filter>().unwrap().looks_at_gold();
    assert!(looks("task:x fused:wrong") && looks("-rescued-by:any"));
    assert!(!looks("verdict:inconsistent people:disputed mine:none entropy:>0.5"));
}

#[test]
fn an_undo_for_a_case_of_another_dataset_is_written_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let open = |count| {
        let dataset = Arc::new(support::dataset(folder.path(), count));
        Notebook::open(&folder.path().join("annotations"), "ada", "here", dataset, Taxonomy::default()).unwrap().0
    };
    open(2).record(&Record::Skip { case: 1 }).unwrap();
    let mut smaller = open(1);
    assert_eq!(smaller.record(&Record::Undo).unwrap(), Recorded::Elsewhere { id: "us-test-0002".into() });
    assert_eq!(smaller.record(&Record::Undo).unwrap(), Recorded::Nothing);
}

#[test]
fn a_note_is_edited_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.marks.insert(0, Mark { note: Some("old".into()), ..Mark::default() });
    app.update(Action::Note);
    assert_eq!(app.context(), Context::Note);
    app.edit(InputRequest::InsertChar('!'));
    app.paste(" two\nlines");
    let text = "old! two lines".to_owned();
    assert_eq!(app.update(Action::Accept), [Effect::Record(Record::Note { case: 0, text })]);
    app.update(Action::Note);
    assert!(app.update(Action::Cancel).is_empty() && app.overlay.is_none());
}

#[test]
fn the_filter_keeps_inconsistent_cases_and_takes_in_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 5);
    app.start();
    answer(&mut app, 0, &[0.9, 0.9, 0.9, 0.9]);
    answer(&mut app, 3, &[0.9, 0.2, 0.9, 0.9]);
    app.update(Action::OnlyInconsistent);
    assert_eq!((app.queue.shown(), app.queue.current()), ([3].as_slice(), Some(3)));
    answer(&mut app, 1, &[0.9, 0.9, 0.2, 0.9]);
    assert_eq!((app.queue.shown(), app.queue.current()), ([1, 3].as_slice(), Some(3)));
    app.update(Action::OnlyInconsistent);
    assert_eq!((app.queue.shown().len(), app.queue.current()), (5, Some(3)));
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
    app.on_engine_event(Event::Hits { case: 10, hits: hits() });
    let mut effects = Vec::new();
    for slot in 0..4 {
        effects = app.on_engine_event(Event::Prediction { case: 10, slot, prediction: scores(0.9).into() });
    }
    assert_eq!(effects, [Effect::Engine(Request::Ahead { cases: (11..=20).collect() })]);
}

#[test]
fn tab_moves_in_the_hits_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    app.update(Action::SwitchFocus);
    assert_eq!((app.focus, app.side), (Focus::Hits, Side::Document));
    assert!(app.update(Action::Down).is_empty(), "moving in the hits asks nothing of the engine");
    assert_eq!((app.hit, app.queue.current()), (1, Some(0)));
    app.update(Action::Last);
    assert_eq!(app.hit, 3);
    app.update(Action::SwitchFocus);
    app.update(Action::Down);
    assert_eq!((app.hit, app.queue.current(), app.side), (0, Some(1), Side::Query));
}

#[test]
fn search_drops_late_results_and_shows_the_chosen_document() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.update(Action::Search);
    app.edit(InputRequest::InsertChar('c'));
    app.edit(InputRequest::InsertChar('y'));
    let result = |row| CaptionResult { row, score: 1.0, highlights: Vec::new() };
    app.on_engine_event(Event::SearchResults { ticket: 1, results: vec![result(0)] });
    let Some(Overlay::Search(search)) = &app.overlay else { panic!("the search is closed") };
    assert_eq!((search.ticket, &search.results), (2, &None));
    app.on_engine_event(Event::SearchResults { ticket: 2, results: vec![result(1), result(3)] });
    app.update(Action::Down);
    app.update(Action::Accept);
    assert_eq!((app.shown, app.side), (Shown::Row(3), Side::Document));
    assert_eq!(app.shown_document().unwrap().id, "us-doc-004");
    app.update(Action::NextHit);
    assert_eq!(app.shown, Shown::Hit);
}

#[test]
fn an_empty_query_asks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.update(Action::Search);
    app.edit(InputRequest::InsertChar('c'));
    assert!(app.edit(InputRequest::DeletePrevChar).is_empty());
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
    app.on_engine_event(ready());
    screen(&mut app, 80, 24);
    assert!(app.pictures.take_wanted().is_empty());
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(120, 40)).unwrap();
    terminal.draw(|frame| views::draw(&app, frame)).unwrap();
    assert!(!app.pictures.take_wanted().is_empty());
}

#[test]
fn the_engine_may_fail_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut app: App = app(folder.path(), 3);
    app.start();
    app.on_engine_event(Event::Failed { case: None, message: "no reader".into() });
    app.on_engine_event(Event::Failed { case: None, message: "no index".into() });
    assert_eq!(app.engine_failure.as_deref(), Some("no reader"));
    assert_eq!(app.notice, Some(Notice::Error("no index".into())), "a search that failed");
    assert_eq!(app.update(Action::Annotate(0)).len(), 1);
    app.on_engine_event(Event::Failed { case: Some(0), message: "image is cut short".into() });
    assert!(support::text(&screen(&mut app, 80, 24)).contains("image is cut short"));
}

#[test]
fn a_hit_that_cannot_be_read_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut app: App = app(folder.path(), 1);
    app.start();
    app.on_engine_event(ready());
    answer(&mut app, 0, &[0.9, 0.8, 0.7]);
    assert!(support::text(&screen(&mut app, 120, 40)).contains("  4 lexical 0.377   …"));
    app.on_engine_event(Event::Failed { case: Some(0), message: "d4.png is missing".into() });
    let text = support::text(&screen(&mut app, 120, 40));
    assert!(text.contains("d4.png is missing") && text.contains("  4 lexical 0.377   x"), "{text}");
}

#[test]
fn a_dropped_hit_changes_the_answer_in_the_same_frame_and_no_model_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    answer(&mut app, 0, &[0.99, 0.4, 0.4, 0.4]);
    let label = |app: &App| app.fused_now().unwrap().prediction.label;
    assert_eq!((label(&app), app.smallest_flip()), (Some(1), Some(SmallestFlip::Without(vec![0]))));
    assert!(app.update(Action::DropHit).is_empty());
    assert_eq!((label(&app), app.answers[&0].fused().unwrap().prediction.label), (Some(0), Some(1)));
    app.update(Action::DropHit);
    app.update(Action::NextFuser);
    app.update(Action::NextFuser);
    assert_eq!(label(&app), Some(0), "the majority says No");
    app.update(Action::WeighUp);
    let [Effect::Record(Record::Note { case: 0, text })] = &app.update(Action::KeepWhatIf)[..] else {
        panic!("no note")
    };
    assert_eq!(text, "what if majority, hit 1 ×1.5: No");
    app.update(Action::ResetFusion);
    assert_eq!(label(&app), Some(1));
    assert!(app.update(Action::KeepWhatIf).is_empty(), "nothing is changed");
}

#[test]
fn a_filter_that_no_case_passes_yet_waits_for_those_that_will() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 12);
    app.start();
    app.update(Action::Last);
    let ahead = |cases: Vec<usize>| Effect::Engine(Request::Ahead { cases });
    // Case 11 may pass itself; then from the first again.
    let cases = std::iter::once(11).chain(0..9).collect();
    assert_eq!(type_filter(&mut app, "retrieval:ruined"), [ahead(cases)]);
    assert_eq!((app.queue.shown().len(), app.queue.current(), &app.notice), (0, None, &None));
    let shown = support::text(&screen(&mut app, 80, 24));
    assert!(shown.contains("0 cases pass retrieval:ruined so far, 12 to read."), "{shown}");
    assert!(shown.contains("F lifts the filter."), "{shown}");
    // Closed-book says No, and so does gold of the odd cases. The closed-book answer is the last to come.
    answer(&mut app, 0, &[0.9; 4]);
    answer(&mut app, 2, &[0.1; 4]);
    assert!(app.queue.shown().is_empty());
    app.on_engine_event(Event::Hits { case: 5, hits: hits() });
    for slot in 0..4 {
        app.on_engine_event(Event::Prediction { case: 5, slot, prediction: scores(0.9).into() });
    }
    let effects = app.on_engine_event(Event::ClosedBook { case: 5, prediction: Some(scores(0.39).into()) });
    assert_eq!(effects[0], Effect::Engine(Request::Open { case: 5 }), "the first that passes is opened");
    answer(&mut app, 3, &[0.9; 4]);
    assert_eq!((app.queue.shown(), app.queue.current()), ([3, 5].as_slice(), Some(5)));
    app.update(Action::ToggleFilter);
    assert_eq!((app.queue.shown().len(), app.queue.current()), (12, Some(5)));
}

#[test]
fn a_filter_that_no_case_can_pass_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    type_filter(&mut app, "task:fundus fused:wrong");
    assert_eq!(app.notice, Some(Notice::Said("no case passes task:fundus fused:wrong (0 of 3 are read)".into())));
    app.on_engine_event(Event::Failed { case: None, message: "no reader".into() });
    type_filter(&mut app, "fused:wrong");
    assert_eq!((app.queue.shown().len(), app.filter.is_empty()), (3, true), "nothing will be read any more");
}

#[test]
fn a_filter_of_yesterday_is_there_before_any_case_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut yesterday = app(folder.path(), 5);
    yesterday.start();
    answer(&mut yesterday, 3, &[0.9; 4]);
    type_filter(&mut yesterday, "fused:wrong");
    let mut today = app(folder.path(), 5);
    today.recall(yesterday.memory());
    assert_eq!(today.start(), [Effect::Engine(Request::Ahead { cases: vec![3, 4, 0, 1, 2] })]);
    assert_eq!((today.queue.current(), today.memory().place.unwrap().filter.as_str()), (None, "fused:wrong"));
    answer(&mut today, 3, &[0.9; 4]);
    assert_eq!(today.queue.current(), Some(3));
}

#[test]
fn only_cases_that_can_pass_are_read_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 6);
    app.start();
    answer(&mut app, 0, &[0.1; 4]);
    let effects = type_filter(&mut app, "label:yes fused:wrong");
    assert_eq!(effects, [Effect::Engine(Request::Ahead { cases: vec![2, 4] })]);
}

fn put_in(app: &mut App, row: usize) -> Probe {
    app.update(Action::SearchImages);
    let Some(Overlay::Search(search)) = &app.overlay else { panic!("no search") };
    let results = vec![CaptionResult { row, score: 0.9, highlights: Vec::new() }];
    app.on_engine_event(Event::SearchResults { ticket: search.ticket, results });
    let probe = Probe { row, ablation: Ablation::default() };
    assert_eq!(app.update(Action::Accept), [Effect::Engine(Request::Probe { case: 0, probe })]);
    probe
}

#[test]
fn a_document_put_in_counts_and_is_named_only_once_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.start();
    app.on_engine_event(ready());
    // Two hits, so that two documents of the corpus are neither hits nor put in.
    app.on_engine_event(Event::Hits { case: 0, hits: hits()[..2].to_vec() });
    for slot in 0..2 {
        app.on_engine_event(Event::Prediction { case: 0, slot, prediction: scores(0.6).into() });
    }
    let first = put_in(&mut app, 1);
    let second = put_in(&mut app, 3);
    assert_eq!(app.what_if_words(), None);
    assert!(app.update(Action::KeepWhatIf).is_empty(), "nothing is changed yet");
    app.on_engine_event(Event::Probed { case: 0, probe: second, outcome: Ok(scores(0.001).into()) });
    let weights = app.fused_now().unwrap().weights;
    assert!(weights[2] == 0.0 && weights[3] > 0.0, "{weights:?}: the second does not wait for the first");
    assert_eq!(app.what_if_words().unwrap(), "with us-doc-004 as 4");
    app.on_engine_event(Event::Probed { case: 0, probe: first, outcome: Err("out of memory".into()) });
    assert_eq!(app.fused_now().unwrap().weights, weights, "a failed one changes nothing");
    // The same document again asks again.
    put_in(&mut app, 1);
    app.on_engine_event(Event::Probed { case: 0, probe: first, outcome: Ok(scores(0.001).into()) });
    assert_eq!(app.what_if_words().unwrap(), "with us-doc-002 as 3, with us-doc-004 as 4");
    assert!(app.fused_now().unwrap().weights[2] > 0.0);
}

#[test]
fn a_document_put_in_leaves_the_proportions_of_the_hits_of_one_head() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 1);
    app.start();
    app.on_engine_event(ready());
    let mut found = hits()[..2].to_vec();
    found[1].provenances.truncate(1);
    app.on_engine_event(Event::Hits { case: 0, hits: found });
    for slot in 0..2 {
        app.on_engine_event(Event::Prediction { case: 0, slot, prediction: scores(0.6).into() });
    }
    let before = app.fused_now().unwrap().weights;
    let probe = put_in(&mut app, 1);
    app.on_engine_event(Event::Probed { case: 0, probe, outcome: Ok(scores(0.4).into()) });
    let after = app.fused_now().unwrap().weights;
    assert!((after[1] / after[0] - before[1] / before[0]).abs() < 1e-6, "{before:?} {after:?}");
    assert_eq!(after[2], after[0], "as good as the best");
}

#[test]
fn what_is_said_of_the_answer_follows_the_answer_on_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.start();
    app.on_engine_event(ready());
    app.update(Action::Down);
    // Gold is No; closed-book says so.
    answer(&mut app, 1, &[0.999, 0.4, 0.4, 0.4]);
    app.update(Action::ToggleGold);
    let says = |app: &mut App, line: &str| {
        let shown = support::text(&screen(app, 170, 40));
        assert!(shown.contains(line), "{shown}");
    };
    says(&mut app, "wrong; right through hits 2, 3 and 4 (image #2); retrieval ruined it");
    let shown = support::text(&screen(&mut app, 120, 40));
    assert!(shown.contains("! 3 of 4 differ") && shown.contains("A*↑"), "{shown}");
    app.update(Action::DropHit);
    says(&mut app, "right; hit 1 alone would ruin it; as found, retrieval ruined it");
    let shown = support::text(&screen(&mut app, 120, 40));
    assert!(shown.contains("! 1 of 4 differ") && shown.contains("B ↓") && !shown.contains("↑"), "{shown}");
    app.update(Action::ResetFusion);
    // A document of a person's own that says No but does not carry the day would have rescued the case.
    app.update(Action::SearchImages);
    let Some(Overlay::Search(search)) = &app.overlay else { panic!("no search") };
    let results = vec![CaptionResult { row: 1, score: 0.9, highlights: Vec::new() }];
    app.on_engine_event(Event::SearchResults { ticket: search.ticket, results });
    app.update(Action::Accept);
    let probe = Probe { row: 1, ablation: Ablation::default() };
    app.on_engine_event(Event::Probed { case: 1, probe, outcome: Ok(scores(0.45).into()) });
    says(&mut app, "wrong; right through hits 2, 3, 4 and 5 (image #2); retrieval ruined it");
    let shown = support::text(&screen(&mut app, 120, 40));
    let row = shown.lines().find(|line| line.contains("5 person")).unwrap();
    assert!(row.contains("A*↑") && shown.contains("! 4 of 5 differ"), "{shown}");
}

#[test]
fn enter_in_the_search_waits_for_the_results_of_what_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 1);
    app.start();
    app.on_engine_event(ready());
    answer(&mut app, 0, &[0.6, 0.6, 0.6, 0.4]);
    let result = |row| CaptionResult { row, score: 1.0, highlights: Vec::new() };
    let ticket = |app: &App| match &app.overlay {
        Some(Overlay::Search(search)) => search.ticket,
        _ => panic!("no search"),
    };
    app.update(Action::Search);
    app.paste("ova");
    let event = Event::SearchResults { ticket: ticket(&app), results: vec![result(0)] };
    app.on_engine_event(event);
    app.paste("l");
    assert!(app.update(Action::Accept).is_empty(), "the results are those of \"ova\"");
    assert!(support::text(&screen(&mut app, 80, 24)).contains("the best match is put in when it is found"));
    let event = Event::SearchResults { ticket: ticket(&app), results: vec![result(1)] };
    let probe = Probe { row: 1, ablation: Ablation::default() };
    assert_eq!(app.on_engine_event(event), [Effect::Engine(Request::Probe { case: 0, probe })]);
    assert!(app.overlay.is_none());
    // A path that is only begun takes none of the images that are like the case's.
    app.update(Action::SearchImages);
    let event = Event::SearchResults { ticket: ticket(&app), results: vec![result(0)] };
    app.on_engine_event(event);
    app.paste("films/a");
    assert!(app.update(Action::Accept).is_empty() && app.overlay.is_some());
}

#[test]
fn keys_mean_the_document_that_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 1);
    app.start();
    answer(&mut app, 0, &[0.6, 0.6, 0.6, 0.4]);
    // Without a reader the document is only shown.
    app.update(Action::Search);
    app.paste("oval");
    let results = vec![CaptionResult { row: 1, score: 1.0, highlights: Vec::new() }];
    app.on_engine_event(Event::SearchResults { ticket: 1, results });
    app.update(Action::Accept);
    assert_eq!(app.shown, Shown::Row(1));
    let shown = support::text(&screen(&mut app, 200, 60));
    assert!(shown.contains("▸found us-doc-002"), "{shown}");
    assert!(app.update(Action::DropHit).is_empty());
    assert_eq!(app.what_if_words(), None, "the hit that is not shown stays as it is");
    let [Effect::Engine(Request::SearchImages { like, .. })] = &app.update(Action::SearchImages)[..] else {
        panic!("no search")
    };
    assert_eq!(*like, ImageLike::Document(1));
    app.update(Action::Cancel);
    app.on_engine_event(ready());
    let ablation = Ablation { without_image: true, ..Ablation::default() };
    let probe = Probe { row: 1, ablation };
    assert_eq!(app.update(Action::WithoutImage), [Effect::Engine(Request::Probe { case: 0, probe })]);
}

#[test]
fn a_document_is_put_in_where_nothing_was_found_and_not_before_it_is_known_what_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 1);
    app.start();
    app.on_engine_event(ready());
    app.update(Action::SearchImages);
    let results = vec![CaptionResult { row: 1, score: 1.0, highlights: Vec::new() }];
    app.on_engine_event(Event::SearchResults { ticket: 1, results });
    assert!(app.update(Action::Accept).is_empty());
    let Some(Notice::Said(said)) = &app.notice else { panic!("nothing is said") };
    assert!(said.starts_with("the hits of this case are not there yet"), "{said}");
    app.on_engine_event(Event::Hits { case: 0, hits: Vec::new() });
    let probe = put_in(&mut app, 1);
    app.on_engine_event(Event::Probed { case: 0, probe, outcome: Ok(scores(0.9).into()) });
    let shown = support::text(&screen(&mut app, 120, 40));
    assert!(shown.contains("1 person") && shown.contains("= all 1 agree"), "{shown}");
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
    let Some(Overlay::Filter(edit)) = &app.overlay else { panic!("no line") };
    assert_eq!(edit.outcome, Ok(1));
    assert!(support::text(&screen(&mut app, 80, 24)).contains("1 of 4 cases; 2 of all cases are not read yet"));
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
    let Some(Overlay::Filter(edit)) = &app.overlay else { panic!("no line") };
    assert_eq!(edit.completions[0].count, None, "of so few cases the number would tell gold");
    app.update(Action::Cancel);
    app.update(Action::ToggleGold);
    app.update(Action::Filter);
    app.paste("fused:w");
    let Some(Overlay::Filter(edit)) = &app.overlay else { panic!("no line") };
    assert_eq!((edit.completions[0].word.as_str(), edit.completions[0].count), ("fused:wrong", Some(2)));
    app.update(Action::Complete);
    app.paste("rescued-by:any");
    let Some(Overlay::Filter(edit)) = &app.overlay else { panic!("no line") };
    assert_eq!((edit.input.value(), &edit.outcome), ("fused:wrong rescued-by:any", &Ok(1)));
    app.update(Action::Accept);
    assert_eq!(app.queue.shown(), [1]);
    app.update(Action::ToggleFilter);
    assert_eq!((app.queue.shown().len(), app.queue.current()), (4, Some(1)));
    app.update(Action::First);
    app.update(Action::NextMatch);
    assert_eq!(app.queue.current(), Some(1));
    let shown = |app: &App| app.queue.shown().to_vec();
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
        app.filter = Filter::default();
        type_filter(&mut app, line);
        assert_eq!(shown(&app), expected, "{line}");
    }
}

#[test]
fn a_label_goes_by_its_id_and_by_its_letter_only_where_no_label_has_that_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 5);
    let mut dataset = support::dataset(folder.path(), 5);
    let ids = ["m", "n", "b"].map(str::to_owned).into_iter().chain((3..30).map(|label| format!("l{label}")));
    dataset.tasks[0].labels = ids.map(|id| Label::new(&id, format!("Finding {id}"))).collect();
    for (case, answer) in dataset.cases.iter_mut().zip(["m", "n", "b", "l25", "l26"]) {
        case.answer = answer.into();
    }
    app.dataset = Arc::new(dataset);
    app.start();
    // The letters are A, B, C, Z and a.
    for (line, expected) in
        [("label:b", 2), ("label:n", 1), ("label:c", 2), ("label:\"finding b\"", 2), ("label:a", 0), ("label:z", 3)]
    {
        app.set_filter(Filter::default());
        type_filter(&mut app, &format!("{line} "));
        assert_eq!(app.queue.shown(), [expected], "{line}");
    }
}

#[test]
fn a_line_that_is_not_understood_stays_open_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    type_filter(&mut app, "verdikt:right");
    let Some(Overlay::Filter(edit)) = &app.overlay else { panic!("the line is gone") };
    assert!(edit.outcome.as_ref().unwrap_err().starts_with("verdikt: no such field"));
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
    assert_eq!((app.queue.shown(), app.queue.current()), ([2, 1, 0].as_slice(), Some(0)));
    type_filter(&mut app, "verdict:inconsistent");
    app.update(Action::SaveView);
    app.paste("split");
    assert_eq!(app.update(Action::Accept), [Effect::Remember]);
    let memory = app.memory();
    let mut later = support::app(folder.path(), 3);
    for (case, yes) in [[0.9, 0.9, 0.9, 0.9], [0.9, 0.9, 0.9, 0.2], [0.9, 0.9, 0.2, 0.2]].iter().enumerate() {
        answer(&mut later, case, yes);
    }
    later.recall(memory);
    assert_eq!((later.queue.shown(), later.queue.current()), ([2, 1].as_slice(), app.queue.current()));
    later.update(Action::ToggleFilter);
    later.update(Action::Views);
    later.update(Action::Accept);
    assert_eq!(later.queue.shown(), [2, 1]);
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
    assert_eq!((app.queue.shown(), app.unsorted_count()), ([0, 1, 2].as_slice(), 1));
    assert!(support::text(&screen(&mut app, 120, 40)).contains("case 1 new ↓entropy"));
    sort(&mut app);
    assert_eq!((app.queue.shown(), app.unsorted_count()), ([2, 0, 1].as_slice(), 0));
}

#[test]
fn seen_and_marked_are_counted_in_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 4);
    app.start();
    app.marks.extend([(0, category(0)), (2, category(1)), (3, Mark::default())]);
    app.update(Action::Down);
    assert_eq!((app.seen_count(), app.marked_count()), (2, 2));
    type_filter(&mut app, "mine:none");
    assert_eq!(app.queue.shown(), [1, 3]);
    assert_eq!((app.seen_count(), app.marked_count()), (1, 0));
}

#[test]
fn where_every_hit_is_dropped_no_answer_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 1);
    app.start();
    let what_if = |app: &mut App| -> String {
        let shown = support::text(&screen(app, 120, 40));
        let row = shown.lines().find(|line| line.contains("│ what if") || line.contains("│ fused")).unwrap();
        row.split("  ").map(str::trim).filter(|part| !part.is_empty()).nth(1).unwrap_or_default().to_owned()
    };
    assert!(what_if(&mut app).starts_with('…'));
    answer(&mut app, 0, &[0.9; 4]);
    for slot in 0..4 {
        app.hit = slot;
        app.update(Action::DropHit);
    }
    assert!(app.fused_now().is_none());
    assert!(what_if(&mut app).starts_with('-'), "{}", what_if(&mut app));
}

#[test]
fn a_temperature_belongs_to_the_papers_fusion() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 1);
    app.start();
    answer(&mut app, 0, &[0.9; 4]);
    app.update(Action::Sharpen);
    assert_eq!(app.what_if_words().unwrap(), "T 0.5");
    app.update(Action::NextFuser);
    assert_eq!(app.what_if_words().unwrap(), "mean log-probability");
    app.update(Action::Sharpen);
    assert!(matches!(&app.notice, Some(Notice::Said(said)) if said.contains("no temperature")), "{:?}", app.notice);
}

#[test]
fn the_remembered_hit_is_one_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.update(Action::Down);
    answer(&mut app, 1, &[0.9, 0.9, 0.9, 0.2]);
    (0..3).for_each(|_| drop(app.update(Action::NextHit)));
    let memory = app.memory();
    let reopened = |case: usize, count: usize| {
        let mut later = support::app(folder.path(), 3);
        later.on_engine_event(Event::Hits { case, hits: hits().into_iter().take(count).collect() });
        later.recall(memory.clone());
        later.start();
        later
    };
    assert_eq!(reopened(1, 4).hit, 3);
    assert_eq!(reopened(1, 2).hit, 1, "there are fewer hits now");
    let mut live = reopened(0, 4);
    assert_eq!(live.hit, 3, "the hits of this case are still to come");
    live.on_engine_event(Event::Hits { case: 1, hits: hits().into_iter().take(2).collect() });
    assert_eq!(live.hit, 1);
    let mut gone = memory.clone();
    gone.place.as_mut().unwrap().case = Some("us-test-9999".into());
    let mut later = support::app(folder.path(), 3);
    later.recall(gone);
    later.start();
    assert_eq!(later.hit, 0, "another case than the remembered one");
}

#[test]
fn lists_open_on_what_is_on_and_offer_what_applies() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    let theme_of = |app: &App, name: &str| app.themes.iter().find(|(other, _)| other == name).unwrap().1.clone();
    app.theme = theme_of(&app, "light");
    app.update(Action::Themes);
    app.update(Action::Accept);
    assert_eq!(app.theme, theme_of(&app, "light"));
    // A theme of one's own is not in the list.
    app.theme = dissent::tui::theme::Theme::load("dark").unwrap().without_full_backgrounds().unwrap();
    app.themes.retain(|(name, _)| name == "light");
    app.update(Action::Themes);
    app.update(Action::Accept);
    assert_eq!(app.theme, theme_of(&app, "light"), "what is marked is what Enter takes");
    let mut memory = app.memory();
    let place = memory.place.as_mut().unwrap();
    place.columns = vec!["against".into(), "entropy".into()];
    place.order = "flips".into();
    app.recall(memory);
    assert_eq!((app.columns.len(), app.order), (1, dissent::tui::order::Order::Dataset));
}

#[test]
fn the_palette_finds_a_command_by_its_words_and_a_theme_is_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    let dark = app.theme.clone();
    app.update(Action::Palette);
    app.paste("colours seen");
    app.update(Action::Accept);
    assert_eq!(app.context(), Context::Picker);
    app.update(Action::Down);
    assert_ne!(app.theme, dark);
    app.update(Action::Cancel);
    assert_eq!(app.theme, dark);
    app.update(Action::Columns);
    app.paste("entropy");
    app.update(Action::Accept);
    app.update(Action::Cancel);
    assert_eq!(app.columns, [dissent::tui::column::Column::Entropy]);
}

#[test]
fn a_cell_of_the_overview_opens_its_cases() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    // Gold is Yes, No, Yes; this run says Yes, Yes, No; the other Yes, No, No.
    for (case, yes) in [0.9, 0.9, 0.1].iter().enumerate() {
        answer(&mut app, case, &[*yes; 4]);
    }
    for (case, yes) in [0.9, 0.1, 0.1].iter().enumerate() {
        support::compare_with(&mut app, case, &[*yes; 4]);
    }
    app.update(Action::Overview);
    let Some(Overlay::Overview(overview)) = &app.overlay else { panic!("no overview") };
    let texts: Vec<&str> = overview.sections[0].rows[0].cells.iter().map(|cell| cell.text.as_str()).collect();
    assert_eq!(texts, ["1", "0", "1", "1", "1.0000"]);
    assert_eq!(overview.sections[1].rows[1].cells[0].text, "0.333 [0.000, 1.000] n=3", "fused");
    for action in [Action::NextHit, Action::NextHit, Action::Accept] {
        app.update(action);
    }
    assert_eq!((app.filter.to_string().as_str(), app.queue.shown()), ("against:b", [1].as_slice()));
    assert!(app.overlay.is_none());
}

#[test]
fn the_overview_tells_which_category_explains_the_gap_unless_others_words_would_lead() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 6);
    app.start();
    // Gold is Yes, No, Yes: the first is right; the second wrong, and nothing right is retrieved; the third in the gap.
    answer(&mut app, 0, &[0.9; 4]);
    answer(&mut app, 1, &[0.9; 4]);
    answer(&mut app, 2, &[0.1, 0.1, 0.1, 0.6]);
    app.marks.insert(0, category(0));
    let words = |categories: &[usize]| Some(Words { categories: categories.to_vec(), unknown: Vec::new() });
    app.people.insert(1, People { standing: "single", final_words: words(&[0]), ..People::default() });
    app.people.insert(2, People { standing: "agreed", final_words: words(&[0, 7]), ..People::default() });
    let tables = |app: &mut App| {
        app.update(Action::Overview);
        let Some(Overlay::Overview(overview)) = app.overlay.take() else { panic!("no overview") };
        let of_categories = overview.sections.into_iter().filter(|section| section.title.contains("oracle gap;"));
        of_categories.collect::<Vec<_>>()
    };
    let [own, together] = tables(&mut app).try_into().unwrap();
    let row = |section: &Section, name: &str| {
        let row = section.rows.iter().find(|row| row.name == name).unwrap();
        row.cells.iter().map(|cell| cell.text.parse::<usize>().unwrap()).collect::<Vec<_>>()
    };
    // All, consistent and inconsistent cases: how many, fused wrong, in the gap.
    assert_eq!(row(&own, "Misleading look-alike"), [1, 0, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(row(&own, "(no category)"), [2, 2, 1, 1, 1, 0, 1, 1, 1]);
    assert_eq!(row(&together, "Misleading look-alike"), [2, 2, 1, 1, 1, 0, 1, 1, 1]);
    assert_eq!(row(&together, "Other"), [1, 1, 1, 0, 0, 0, 1, 1, 1]);
    assert!(!together.rows.iter().any(|row| row.name == "(annotators differ)"), "nobody does");
    // Of each figure the cases that it opens are as many as it says.
    let others = [
        ("disputed", None),
        ("single", words(&[])),
        ("decided", Some(Words { categories: vec![], unknown: vec!["gone".into()] })),
    ];
    for (case, (standing, final_words)) in (3..).zip(others) {
        answer(&mut app, case, &[0.9, 0.2, 0.9, 0.9]);
        app.people.insert(case, People { standing, final_words, ..People::default() });
    }
    let all = tables(&mut app);
    assert!(
        all[1].rows.iter().any(|row| row.name == "gone")
            && all[1].rows.iter().any(|row| row.name == "(annotators differ)")
    );
    for cell in
        all.iter().flat_map(|section| &section.rows).flat_map(|row| &row.cells).filter(|cell| !cell.filter.is_empty())
    {
        let filter: Filter = cell.filter.parse().unwrap();
        let passing = (0..6).filter(|case| filter.passes(&app, *case)).count();
        assert_eq!(passing.to_string(), cell.text, "{}", cell.filter);
    }
    let filter = &together.rows[0].cells[8].filter;
    assert_eq!(filter, "verdict:inconsistent final:1 fused:wrong oracle:right");
    app.filter = filter.parse().unwrap();
    assert!(app.filter.passes(&app, 2) && !app.filter.passes(&app, 1) && app.filter.looks_at_others_words());
    app.is_blind = true;
    assert_eq!(tables(&mut app).len(), 1, "what others say stays out of sight");
}

#[test]
fn choosing_the_same_category_again_is_no_choice_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.people.insert(0, disputed());
    app.marks.insert(0, category(0));
    app.update(Action::Adjudicate);
    for _ in 0..2 {
        app.update(Action::Annotate(7));
    }
    let decided = app.update(Action::Accept);
    let expected = Record::Decide { case: 0, categories: vec![7], reason: String::new() };
    assert_eq!(decided, [Effect::Record(expected)]);
}

#[test]
fn a_document_that_a_person_puts_in_is_read_and_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.on_engine_event(ready());
    answer(&mut app, 0, &[0.6, 0.6, 0.6, 0.4]);
    app.update(Action::SearchImages);
    let Some(Overlay::Search(search)) = &app.overlay else { panic!("no search") };
    let ticket = search.ticket;
    let result = CaptionResult { row: 1, score: 0.9, highlights: Vec::new() };
    app.on_engine_event(Event::SearchResults { ticket, results: vec![result] });
    let probe = Probe { row: 1, ablation: Ablation::default() };
    assert_eq!(app.update(Action::Accept), [Effect::Engine(Request::Probe { case: 0, probe })]);
    assert_eq!((app.hit, app.selected_hit().unwrap().document.as_str()), (4, "us-doc-002"));
    assert_eq!(app.fused_now().unwrap().prediction.label, Some(1), "not read yet");
    app.on_engine_event(Event::Probed { case: 0, probe, outcome: Ok(scores(0.001).into()) });
    assert_eq!(app.fused_now().unwrap().prediction.label, Some(0));
    assert_eq!(app.answers[&0].fused().unwrap().prediction.label, Some(1), "the case's own answer stays");
    assert_eq!(app.what_if_words().unwrap(), "with us-doc-002 as 5");

    // The first hit without its caption is read, and counts only when taken in.
    app.update(Action::PreviousHit);
    let effects = app.update(Action::WithoutCaption);
    let ablation = Ablation { caption: CaptionShown::None, ..Ablation::default() };
    let bare = Probe { row: 3, ablation };
    assert_eq!(effects, [Effect::Engine(Request::Probe { case: 0, probe: bare })]);
    app.on_engine_event(Event::Probed { case: 0, probe: bare, outcome: Ok(scores(0.9).into()) });
    assert_eq!(app.fused_now().unwrap().weights[5], 0.0);
    app.update(Action::DropHit);
    assert!(app.fused_now().unwrap().weights[5] > 0.0);
    app.update(Action::ResetFusion);
    assert_eq!((app.slots(), app.what_if_words()), (4, None));
}

#[test]
fn an_enlarged_image_pans_where_it_is_zoomed_and_steps_where_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.update(Action::Enlarge);
    assert_eq!(app.context(), Context::Image);
    app.update(Action::View(ViewChange::Down));
    assert_eq!(app.queue.current(), Some(1), "the next case");
    // An image of 64 pixels has room for one step there.
    screen(&mut app, 80, 24);
    app.update(Action::View(ViewChange::ZoomIn));
    let before = app.image_view;
    app.update(Action::View(ViewChange::Down));
    assert_eq!(app.queue.current(), Some(1));
    assert_ne!(app.image_view, before);
    app.update(Action::SwitchImage);
    assert_eq!(app.side, Side::Document, "query and document share the view");
    app.update(Action::Cancel);
    assert_eq!(app.context(), Context::Explore);
}
