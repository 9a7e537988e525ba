//! Going to a case by its id, marking cases, labelling many at once.

use crate::support::annotations::{annotation, case_id, category_id, category_ids, review, toggle};
use crate::support::explorer::{answer, app, app_with, screen, text};
use dissent::annotation::{AnnotationEdit, AnnotationSession, CaseAnnotation, Taxonomy};
use dissent::tui::App;
use dissent::tui::action::{Action, Context};
use dissent::tui::effect::Effect;
use dissent::tui::state::overlay::Notice;
use dissent::tui::update::edit_result::EditOutcome;

fn said(app: &App) -> &str {
    match app.notice() {
        Some(Notice::Said(said) | Notice::Error(said)) => said,
        None => "",
    }
}

#[test]
fn a_number_or_a_beginning_goes_to_its_case_and_lifts_a_filter_that_hides_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 12);
    app.start();
    app.update(Action::Palette);
    app.paste("11");
    app.update(Action::Accept);
    assert_eq!((app.queue().current(), app.context()), (Some(10), Context::Explore));
    app.set_annotation(0, Some(annotation(&[0]).into()));
    app.set_filter("mine:none".parse().unwrap());
    app.update(Action::Palette);
    app.paste("us-test-0001");
    app.update(Action::Accept);
    assert_eq!((app.queue().current(), app.view().filter().is_empty()), (Some(0), true));
    assert!(said(&app).starts_with("the filter is lifted, because it hides us-test-0001"), "{}", said(&app));
}

#[test]
fn marked_cases_are_labelled_at_once_after_a_question_with_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 5);
    app.set_annotation(2, Some(annotation(&[0]).into()));
    app.start();
    app.update(Action::LabelMany);
    assert_eq!(app.context(), Context::Explore);
    assert!(said(&app).starts_with("nothing to label at once"));
    app.update(Action::Mark);
    app.update(Action::Down);
    app.update(Action::Mark);
    assert_eq!([0, 1, 2].map(|case| app.is_marked(case)), [true, false, true]);
    app.update(Action::LabelMany);
    assert!(app.update(Action::Accept).is_empty(), "no category is chosen yet");
    app.update(Action::Annotate(category_id(1)));
    let shown = text(&screen(&mut app, 120, 40));
    assert!(shown.contains("Label 2 cases with 2 Caption against image? One of them has another category"), "{shown}");
    assert_eq!(app.update(Action::Accept), [Effect::RecordMany(vec![toggle(0, 1), toggle(2, 1)])]);
    app.recorded_many(2, 1, Some("disk full".into()));
    assert_eq!((said(&app), app.is_marked(0)), ("1 of 2 cases saved: disk full", true));
    app.recorded_many(2, 2, None);
    assert_eq!((said(&app), app.is_marked(0)), ("2 cases labelled (u takes all of them back)", false));
}

#[test]
fn marks_are_kept_for_the_next_session_unless_their_case_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut today = app(folder.path(), 5);
    today.start();
    (0..2).for_each(|_| drop(today.update(Action::Mark)));
    let mut state = today.session_state();
    state.marked.sort_unstable();
    assert_eq!(state.marked, [case_id(0), case_id(1)]);
    state.marked.push("us-test-9999".into());
    let mut later = app(folder.path(), 5);
    later.recall(state);
    later.start();
    assert_eq!([0, 1, 2].map(|case| later.is_marked(case)), [true, true, false]);
    assert_eq!(
        said(&later),
        "the mark of us-test-9999 is dropped: this case is not in the dataset any more; 2 cases marked in an earlier \
         session; L labels them"
    );
    later.update(Action::LabelMany);
    later.update(Action::Annotate(category_id(1)));
    assert_eq!(later.update(Action::Accept), [Effect::RecordMany(vec![toggle(0, 1), toggle(1, 1)])]);
    // A queue without these cases leaves their marks alone.
    let mut elsewhere = app_with(folder.path(), 5, |setting| setting.queue = vec![3, 4]);
    elsewhere.recall(today.session_state());
    assert_eq!(said(&elsewhere), "");
    elsewhere.update(Action::Mark);
    assert_eq!(said(&elsewhere), "1 case marked; L labels them at once");
    elsewhere.recorded_many(1, 1, None);
    assert_eq!([0, 1, 3].map(|case| elsewhere.is_marked(case)), [true, true, false]);
}

#[test]
fn without_marks_the_filtered_cases_are_meant_and_one_of_several_categories_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app_with(folder.path(), 4, |setting| setting.known.several = true);
    app.set_annotation(1, Some(annotation(&[1]).into()));
    app.set_annotation(3, Some(annotation(&[0]).into()));
    app.start();
    app.set_filter("-mine:none".parse().unwrap());
    app.update(Action::LabelMany);
    app.update(Action::Annotate(category_id(1)));
    assert_eq!(app.update(Action::Accept), [Effect::RecordMany(vec![toggle(3, 1)])], "the other one has it");
}

#[test]
fn one_undo_takes_back_what_was_labelled_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut session, _) = AnnotationSession::open(folder.path(), "ada", "here", Taxonomy::default()).unwrap();
    session.apply(&toggle(0, 7)).unwrap();
    let (events, error) = session.apply_as_step(&[toggle(0, 1), toggle(1, 1), toggle(2, 1)]);
    assert_eq!((events.len(), error.is_none()), (3, true));
    session.apply(&toggle(3, 2)).unwrap();
    let categories = |session: &AnnotationSession| {
        [0, 1, 2, 3].map(|case| {
            let own = session.own_annotation(&case_id(case));
            own.map(|own| own.categories.clone()).unwrap_or_default()
        })
    };
    let [first, many, last] = [7, 1, 2].map(|place| category_ids(&[place]));
    let all = [many.clone(), many.clone(), many.clone(), last];
    assert_eq!(categories(&session), all);
    assert_eq!(session.take_step(&AnnotationEdit::Undo).unwrap().len(), 1, "the last label alone");
    assert_eq!(session.take_step(&AnnotationEdit::Undo).unwrap().len(), 3);
    assert_eq!(categories(&session), [first, [].into(), [].into(), [].into()]);
    assert_eq!(session.take_step(&AnnotationEdit::Redo).unwrap().len(), 3);
    assert_eq!(categories(&session), [many.clone(), many.clone(), many, [].into()]);
    // Another program reads one event per case, as ever.
    let (other, problems) = AnnotationSession::open(folder.path(), "bob", "there", Taxonomy::default()).unwrap();
    assert!(problems.is_empty());
    assert_eq!(other.review(&case_id(2)).annotations.len(), 1);
}

#[test]
fn a_word_of_another_session_is_replaced_only_at_the_second_press() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.set_annotation(0, Some(annotation(&[2]).into()));
    app.start();
    app.note_change_elsewhere(0);
    assert!(app.update(Action::Annotate(category_id(1))).is_empty());
    assert!(said(&app).starts_with("another session of ada has changed us-test-0001 to Right evidence ignored"));
    assert_eq!(app.update(Action::Annotate(category_id(1))), [Effect::Record(toggle(0, 1))]);
}

#[test]
fn notes_remarks_hit_labels_and_many_labels_warn_of_another_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    let elsewhere = CaseAnnotation {
        note: Some("blurred".into()),
        hits: [("us-doc-002".to_owned(), category_ids(&[0]))].into(),
        ..annotation(&[2])
    };
    app.set_annotation(0, Some(elsewhere.into()));
    app.start();
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.2]);
    app.update(Action::Note);
    app.note_change_elsewhere(0);
    app.paste(" at the margin");
    assert!(app.update(Action::Accept).is_empty());
    assert!(said(&app).ends_with("us-doc-002: Misleading look-alike; note “blurred”: press Enter again to replace it"));
    let text = "blurred at the margin".to_owned();
    assert_eq!(app.update(Action::Accept), [Effect::Record(AnnotationEdit::Note { case: case_id(0), text })]);

    for action in [Action::Unsure, Action::Flag, Action::Skip] {
        app.note_change_elsewhere(0);
        assert!(app.update(action.clone()).is_empty(), "{action:?}");
        assert_eq!(app.update(action).len(), 1);
    }
    app.update(Action::SwitchFocus);
    app.note_change_elsewhere(0);
    assert!(app.update(Action::Annotate(category_id(0))).is_empty());
    let [Effect::Record(AnnotationEdit::ToggleHitCategory { .. })] = app.update(Action::Annotate(category_id(0)))[..]
    else {
        panic!("a hit is labelled")
    };

    app.set_filter("id:us-test".parse().unwrap());
    app.update(Action::LabelMany);
    app.update(Action::Annotate(category_id(1)));
    app.note_change_elsewhere(2);
    assert!(app.update(Action::Accept).is_empty());
    assert!(said(&app).starts_with("another session of ada has changed us-test-0003, one of them"), "{}", said(&app));
    assert_eq!(app.update(Action::Accept).len(), 1);
}

/// Ada works in two terminals. What the other one wrote is undone only at the second press.
#[test]
fn an_undo_of_another_sessions_label_is_known_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let open = || AnnotationSession::open(folder.path(), "ada", "here", Taxonomy::default()).unwrap().0;
    let (mut here, mut there) = (open(), open());
    here.apply(&toggle(0, 1)).unwrap();
    assert_eq!(here.next_of_another_session(&AnnotationEdit::Undo), None);
    let event = there.apply(&toggle(1, 2)).unwrap().unwrap();
    assert!(here.receive(&event));
    let case = case_id(1);
    assert_eq!(here.next_of_another_session(&AnnotationEdit::Undo), Some((event.id, case.as_str())));
    here.take_step(&AnnotationEdit::Undo).unwrap();
    assert_eq!(here.next_of_another_session(&AnnotationEdit::Undo), None, "the next one is this session's own");
    assert_eq!(here.next_of_another_session(&AnnotationEdit::Redo), Some((event.id, case.as_str())));

    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.recorded(&AnnotationEdit::Undo, Ok(EditOutcome::OfAnotherSession { id: case }));
    assert_eq!(said(&app), "another session changed us-test-0002: press again to undo it");
}

#[test]
fn nothing_is_copied_from_somebody_who_skipped_and_the_reason_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    let skipped = CaseAnnotation { skipped: true, ..annotation(&[]) };
    app.set_review(0, review([("bob", skipped), ("cy", annotation(&[1]))], None));
    app.start();
    app.update(Action::Adjudicate);
    app.update(Action::Reveal);
    app.update(Action::Complete);
    assert_eq!(said(&app), "nothing copied: bob skipped this case; x decides that no category applies");
    let footer = |app: &mut App| text(&screen(app, 120, 40)).lines().last().unwrap_or_default().to_owned();
    assert!(!footer(&mut app).contains("Space copy"), "bob has nothing to copy");
    app.update(Action::Down);
    assert!(footer(&mut app).contains("Space copy") && !footer(&mut app).contains("Enter decide"));
    app.update(Action::Complete);
    assert!(footer(&mut app).contains("Enter decide"));
}
