//! What is said of a case: from the key to the journal and back.

use crate::marks::{category, written};
use crate::support;
use crate::support::{answer, app};
use dissent::annotation::{Level, Staleness, Taxonomy};
use dissent::tui::action::{Action, Context};
use dissent::tui::effect::Effect;
use dissent::tui::notebook::Notebook;
use dissent::tui::state::annotation_view::{AnnotationEdit, AnnotationView, EditOutcome};
use dissent::tui::state::filter::Filter;
use dissent::tui::update::app::{Notice, Overlay};
use std::sync::Arc;
use tui_input::InputRequest;

#[test]
fn a_digit_writes_first_and_moves_on_when_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    let record = AnnotationEdit::Annotate { case: 0, category: 2 };
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
    app.recorded(&AnnotationEdit::Skip { case: 0 }, Err("disk full".into()));
    assert_eq!((app.queue.current(), app.marks.len()), (Some(0), 0));
    assert_eq!(app.notice, Some(Notice::Error("not saved: disk full".into())));
    app.recorded(&AnnotationEdit::Note { case: 0, text: "long thought".into() }, Err("disk full".into()));
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
    app.recorded(&AnnotationEdit::Annotate { case: 0, category: 2 }, written(0, category(2)));
    assert_eq!(app.update(Action::Undo), [Effect::Record(AnnotationEdit::Undo)]);
    app.recorded(&AnnotationEdit::Undo, written(0, AnnotationView::default()));
    assert_eq!((app.queue.current(), app.marked_count()), (Some(0), 0));
    app.recorded(&AnnotationEdit::Undo, Ok(EditOutcome::Nothing));
    assert_eq!(app.notice, Some(Notice::Said("nothing to undo".into())));
    app.recorded(&AnnotationEdit::Undo, Ok(EditOutcome::Elsewhere { id: "old-7".into() }));
    assert_eq!(app.notice, Some(Notice::Said("old-7: undone; this case is not in this dataset".into())));
}

#[test]
fn where_several_are_allowed_a_digit_stays_on_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.several = true;
    app.start();
    let record = AnnotationEdit::Annotate { case: 0, category: 2 };
    assert_eq!(app.update(Action::Annotate(2)), [Effect::Record(record.clone())]);
    app.recorded(&record, written(0, AnnotationView { categories: vec![0, 2], ..AnnotationView::default() }));
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
    assert!(matches!(&app.notice, Some(Notice::Said(said)) if said.ends_with("press Tab and select a hit")));
    assert_eq!(app.update(Action::Annotate(0)), [Effect::Record(AnnotationEdit::Annotate { case: 0, category: 0 })]);
    app.update(Action::SwitchFocus);
    app.update(Action::Down);
    let hit = |category| AnnotationEdit::Hit { case: 0, document: "us-doc-003".into(), category };
    assert_eq!(app.update(Action::Annotate(0)), [Effect::Record(hit(0))]);
    assert_eq!(app.update(Action::Annotate(1)), [Effect::Record(hit(1))]);
    assert_eq!(app.update(Action::Annotate(2)), [Effect::Record(AnnotationEdit::Annotate { case: 0, category: 2 })]);
    let mark = AnnotationView { hits: [("us-doc-003".to_owned(), vec![0])].into(), ..AnnotationView::default() };
    app.recorded(&hit(0), written(0, mark));
    assert_eq!((app.queue.current(), app.hit), (Some(0), 1), "one stays with the document");
    assert!("mine:hit".parse::<Filter>().unwrap().passes(&app, 0));
}

#[test]
fn doubt_flag_and_redo_have_keys_and_filters() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    assert_eq!(app.update(Action::Unsure), [Effect::Record(AnnotationEdit::Unsure { case: 0 })]);
    app.recorded(
        &AnnotationEdit::Unsure { case: 0 },
        written(0, AnnotationView { unsure: true, ..AnnotationView::default() }),
    );
    assert_eq!(app.notice, Some(Notice::Said("us-test-0001: unsure (u takes it back)".into())));
    app.recorded(
        &AnnotationEdit::Flag { case: 1 },
        written(1, AnnotationView { flagged: true, ..AnnotationView::default() }),
    );
    app.recorded(&AnnotationEdit::Flag { case: 1 }, written(1, AnnotationView::default()));
    assert_eq!(app.notice, Some(Notice::Said("us-test-0002: no longer flagged (u takes it back)".into())));
    app.recorded(&AnnotationEdit::Redo, written(1, AnnotationView { flagged: true, ..AnnotationView::default() }));
    assert_eq!((app.queue.current(), app.marked_count()), (Some(1), 2), "redo goes to its case");
    app.recorded(&AnnotationEdit::Redo, Ok(EditOutcome::Nothing));
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
    let on = |answers: &str| AnnotationView { answers_fingerprint: Some(answers.into()), ..category(0) };
    app.marks.insert(0, on("of other answers"));
    app.marks.insert(
        1,
        AnnotationView {
            earlier: vec![support::earlier_definition("other", "Other", "None of the above.")],
            ..category(7)
        },
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

#[test]
fn a_category_is_read_and_given_among_the_definitions() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.start();
    app.update(Action::Definitions);
    assert!(app.update(Action::Annotate(3)).is_empty(), "its key goes to a category and gives none");
    app.update(Action::Down);
    assert_eq!(app.update(Action::Accept), [Effect::Record(AnnotationEdit::Annotate { case: 0, category: 4 })]);
    assert!(app.overlay.is_none());
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
    notebook.record(&AnnotationEdit::Annotate { case: 0, category: 0 }).unwrap();
    notebook.reveal(1).unwrap();
    notebook.shows(1, None);
    notebook.record(&AnnotationEdit::Annotate { case: 1, category: 0 }).unwrap();
    // A case that is not on the screen.
    notebook.record(&AnnotationEdit::Skip { case: 2 }).unwrap();
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
    let mut mark_after = |record: AnnotationEdit| match notebook.record(&record).unwrap() {
        EditOutcome::Changed { mark, .. } => mark,
        other => panic!("{other:?}"),
    };
    let annotate = |category| AnnotationEdit::Annotate { case: 0, category };
    mark_after(annotate(2));
    assert_eq!(mark_after(annotate(0)).categories, [0, 2]);
    assert_eq!(mark_after(annotate(2)).categories, [0]);
    let hit = || AnnotationEdit::Hit { case: 0, document: "us-doc-003".into(), category: 1 };
    assert_eq!(mark_after(hit()).hits["us-doc-003"], [1]);
    assert!(mark_after(hit()).hits.is_empty());
    assert_eq!(mark_after(AnnotationEdit::Undo).hits["us-doc-003"], [1]);
    assert!(mark_after(AnnotationEdit::Redo).hits.is_empty());
    assert!(mark_after(AnnotationEdit::Unsure { case: 0 }).unsure);
    assert!(!mark_after(AnnotationEdit::Unsure { case: 0 }).unsure);
    mark_after(AnnotationEdit::Decide { case: 0, categories: vec![1], reason: "why".into() });
    let people = notebook.people_of(0).unwrap();
    assert!(people.stands("decided") && !people.stands("outdated"));
    assert_eq!(people.decision.unwrap().words.categories, [1]);
    notebook.record(&annotate(4)).unwrap();
    assert!(notebook.people_of(0).unwrap().stands("outdated"));
}

#[test]
fn an_undo_for_a_case_of_another_dataset_is_written_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let open = |count| {
        let dataset = Arc::new(support::dataset(folder.path(), count));
        Notebook::open(&folder.path().join("annotations"), "ada", "here", dataset, Taxonomy::default()).unwrap().0
    };
    open(2).record(&AnnotationEdit::Skip { case: 1 }).unwrap();
    let mut smaller = open(1);
    assert_eq!(smaller.record(&AnnotationEdit::Undo).unwrap(), EditOutcome::Elsewhere { id: "us-test-0002".into() });
    assert_eq!(smaller.record(&AnnotationEdit::Undo).unwrap(), EditOutcome::Nothing);
}

#[test]
fn a_note_is_edited_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.marks.insert(0, AnnotationView { note: Some("old".into()), ..AnnotationView::default() });
    app.update(Action::Note);
    assert_eq!(app.context(), Context::Note);
    app.edit(InputRequest::InsertChar('!'));
    app.paste(" two\nlines");
    let text = "old! two lines".to_owned();
    assert_eq!(app.update(Action::Accept), [Effect::Record(AnnotationEdit::Note { case: 0, text })]);
    app.update(Action::Note);
    assert!(app.update(Action::Cancel).is_empty() && app.overlay.is_none());
}
