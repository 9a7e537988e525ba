//! What keys do to the state, and what they ask of the world.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use dissent::annotation::Taxonomy;
use dissent::engine::{Ablation, CaptionResult, CaptionShown, Event, Probe, Request};
use dissent::tui::action::{Action, Context};
use dissent::tui::app::{Focus, Notice, Overlay, Shown, Side};
use dissent::tui::effect::Effect;
use dissent::tui::images::ViewChange;
use dissent::tui::mark::{Mark, Record, Recorded};
use dissent::tui::notebook::Notebook;
use dissent::tui::{App, views};
use std::sync::Arc;
use support::{answer, app, hits, ready, scores, screen};
use tui_input::InputRequest;

#[allow(clippy::unnecessary_wraps, reason = "what the journal answers")]
fn written(case: usize, mark: Mark) -> Result<Recorded, String> {
    Ok(Recorded::Changed { case, mark })
}

fn category(index: usize) -> Mark {
    Mark { category: Some(index), ..Mark::default() }
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
    assert_eq!((app.queue.current(), app.marks[&0].category), (Some(1), Some(2)));
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
    app.update(Action::OnlyInconsistent);
    assert_eq!(app.notice, Some(Notice::Said("no case passes verdict:inconsistent (0 of 5 are read)".into())));
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
    assert_eq!((label(&app), app.smallest_flip()), (Some(1), Some(vec![0])));
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
        app.filter = dissent::tui::filter::Filter::default();
        type_filter(&mut app, line);
        assert_eq!(shown(&app), expected, "{line}");
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
