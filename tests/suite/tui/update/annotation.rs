//! Annotations: from the key to the edit, and from its result to the screen.

use crate::support::annotations::{annotation, case_id, category_id, category_ids, reworded, toggle, written};
use crate::support::explorer::{answer, app, app_with};
use dissent::annotation::{AnnotationEdit, CaseAnnotation, Level, Staleness};
use dissent::cases::filter::Filter;
use dissent::tui::action::{Action, Context};
use dissent::tui::effect::Effect;
use dissent::tui::state::overlay::{Notice, Overlay};
use dissent::tui::update::edit_result::EditOutcome;
use tui_input::InputRequest;

#[test]
fn a_digit_writes_first_and_moves_on_when_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    let edit = toggle(0, 2);
    assert_eq!(app.update(Action::Annotate(category_id(2))), [Effect::Record(edit.clone())]);
    assert_eq!(
        (app.queue().current(), app.cases().annotations().count()),
        (Some(0), 0),
        "nothing shows before it is on disk"
    );
    app.recorded(&edit, written(0, annotation(&[2])));
    assert_eq!(
        (app.queue().current(), &app.cases().annotation_of(0).unwrap().categories),
        (Some(1), &category_ids(&[2]))
    );
    assert_eq!(app.throughput().labelled, 1);
}

#[test]
fn a_failed_write_neither_shows_nor_moves() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.recorded(&AnnotationEdit::Skip { case: case_id(0) }, Err("disk full".into()));
    assert_eq!((app.queue().current(), app.cases().annotations().count()), (Some(0), 0));
    assert_eq!(app.notice(), Some(&Notice::Error("not saved: disk full".into())));
    app.recorded(&AnnotationEdit::Note { case: case_id(0), text: "long thought".into() }, Err("disk full".into()));
    let Some(Overlay::Note(input)) = app.overlay() else { panic!("the note is gone") };
    assert_eq!(input.value(), "long thought");
}

#[test]
fn a_category_that_does_not_exist_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    assert!(app.update(Action::Annotate("gone".into())).is_empty());
}

#[test]
fn undo_goes_back_to_the_case_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.recorded(&toggle(0, 2), written(0, annotation(&[2])));
    assert_eq!(app.update(Action::Undo), [Effect::Record(AnnotationEdit::Undo)]);
    app.recorded(&AnnotationEdit::Undo, written(0, CaseAnnotation::default()));
    assert_eq!((app.queue().current(), app.throughput().labelled), (Some(0), 0));
    app.recorded(&AnnotationEdit::Undo, Ok(EditOutcome::Nothing));
    assert_eq!(app.notice(), Some(&Notice::Said("nothing to undo".into())));
    app.recorded(&AnnotationEdit::Undo, Ok(EditOutcome::Elsewhere { id: "old-7".into() }));
    assert_eq!(app.notice(), Some(&Notice::Said("old-7: undone; this case is not in this dataset".into())));
}

#[test]
fn where_several_are_allowed_a_digit_stays_on_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app_with(folder.path(), 3, |setting| setting.known.several = true);
    app.start();
    let edit = toggle(0, 2);
    assert_eq!(app.update(Action::Annotate(category_id(2))), [Effect::Record(edit.clone())]);
    app.recorded(&edit, written(0, annotation(&[0, 2])));
    assert_eq!(app.queue().current(), Some(0));
    let names = format!(
        "us-test-0001: {}, {} (u takes it back)",
        app.cases().categories()[0].name,
        app.cases().categories()[2].name
    );
    assert_eq!(app.notice(), Some(&Notice::Said(names)));
}

#[test]
fn with_the_focus_on_the_hits_a_category_names_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app_with(folder.path(), 3, |setting| {
        for (category, level) in setting.known.categories.iter_mut().zip([Level::Both, Level::Hit, Level::Case]) {
            category.level = level;
        }
    });
    app.start();
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    assert!(app.update(Action::Annotate(category_id(1))).is_empty());
    assert!(matches!(app.notice(), Some(Notice::Said(said)) if said.ends_with("press Tab and select a hit")));
    assert_eq!(app.update(Action::Annotate(category_id(0))), [Effect::Record(toggle(0, 0))]);
    app.update(Action::SwitchFocus);
    app.update(Action::Down);
    let hit = |place| AnnotationEdit::ToggleHitCategory {
        case: case_id(0),
        document: "us-doc-003".into(),
        category: category_id(place),
    };
    assert_eq!(app.update(Action::Annotate(category_id(0))), [Effect::Record(hit(0))]);
    assert_eq!(app.update(Action::Annotate(category_id(1))), [Effect::Record(hit(1))]);
    assert_eq!(app.update(Action::Annotate(category_id(2))), [Effect::Record(toggle(0, 2))]);
    let own = CaseAnnotation { hits: [("us-doc-003".to_owned(), category_ids(&[0]))].into(), ..annotation(&[]) };
    app.recorded(&hit(0), written(0, own));
    assert_eq!((app.queue().current(), app.selection().hit()), (Some(0), 1), "one stays with the document");
    assert!("mine:hit".parse::<Filter>().unwrap().passes(app.cases(), 0));
}

#[test]
fn doubt_flag_and_redo_have_keys_and_filters() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    assert_eq!(app.update(Action::Unsure), [Effect::Record(AnnotationEdit::ToggleUnsure { case: case_id(0) })]);
    app.recorded(
        &AnnotationEdit::ToggleUnsure { case: case_id(0) },
        written(0, CaseAnnotation { unsure: true, ..annotation(&[]) }),
    );
    assert_eq!(app.notice(), Some(&Notice::Said("us-test-0001: unsure (u takes it back)".into())));
    app.recorded(
        &AnnotationEdit::ToggleFlag { case: case_id(1) },
        written(1, CaseAnnotation { flagged: true, ..annotation(&[]) }),
    );
    app.recorded(&AnnotationEdit::ToggleFlag { case: case_id(1) }, written(1, CaseAnnotation::default()));
    assert_eq!(app.notice(), Some(&Notice::Said("us-test-0002: no longer flagged (u takes it back)".into())));
    app.recorded(&AnnotationEdit::Redo, written(1, CaseAnnotation { flagged: true, ..annotation(&[]) }));
    assert_eq!((app.queue().current(), app.throughput().labelled), (Some(1), 0), "redo goes to its case");
    app.recorded(&AnnotationEdit::Redo, Ok(EditOutcome::Nothing));
    assert_eq!(app.notice(), Some(&Notice::Said("nothing to redo".into())));
    let shown = |filter: &str| {
        let filter: Filter = filter.parse().unwrap();
        (0..3).filter(|case| filter.passes(app.cases(), *case)).collect::<Vec<_>>()
    };
    assert_eq!((shown("mine:unsure"), shown("mine:flagged")), (vec![0], vec![1]));
}

#[test]
fn an_annotation_on_other_answers_or_under_another_definition_is_stale() {
    let folder = tempfile::tempdir().unwrap();
    let (history, definitions) = reworded(&category_id(7), "None of these.");
    let mut app = app_with(folder.path(), 3, |setting| setting.known.definitions = history);
    let on = |answers: &str| CaseAnnotation { answers_fingerprint: Some(answers.into()), ..annotation(&[0]) };
    app.set_annotation(0, Some(on("of other answers").into()));
    app.set_annotation(1, Some(CaseAnnotation { definitions, ..annotation(&[7]) }.into()));
    app.start();
    assert_eq!(app.cases().staleness_of(0), Staleness::Unknown, "nothing is read yet");
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    assert_eq!(app.cases().staleness_of(0), Staleness::AnswersChanged);
    let stale: Filter = "mine:stale".parse().unwrap();
    assert_eq!([0, 1, 2].map(|case| stale.passes(app.cases(), case)), [true, true, false]);
    let fingerprint = app.cases().answers_fingerprint_of(0).unwrap();
    app.set_annotation(0, Some(on(&fingerprint).into()));
    assert_eq!((app.cases().staleness_of(0), stale.passes(app.cases(), 0)), (Staleness::Current, false));
}

#[test]
fn a_category_is_read_and_given_among_the_definitions() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.start();
    app.update(Action::Definitions);
    assert_eq!(app.update(Action::Annotate(category_id(3))), [Effect::Record(toggle(0, 3))]);
    assert!(app.overlay().is_none());
    app.update(Action::Definitions);
    app.update(Action::Down);
    assert_eq!(app.update(Action::Accept), [Effect::Record(toggle(0, 1))]);
    assert!(app.overlay().is_none());
}

#[test]
fn a_note_is_edited_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.set_annotation(0, Some(CaseAnnotation { note: Some("old".into()), ..annotation(&[]) }.into()));
    app.update(Action::Note);
    assert_eq!(app.context(), Context::Note);
    app.edit(InputRequest::InsertChar('!'));
    app.paste(" two\nlines");
    let text = "old! two lines".to_owned();
    assert_eq!(app.update(Action::Accept), [Effect::Record(AnnotationEdit::Note { case: case_id(0), text })]);
    app.update(Action::Note);
    assert!(app.update(Action::Cancel).is_empty() && app.overlay().is_none());
}
