//! A case on the screen: its answers and hits, before and after the gold answer is shown.

use super::{assert_screen, explorer, explorer_with};
use crate::support::annotations::{annotation, category_id, category_ids, reworded, toggle, written};
use crate::support::explorer::{app_with, dataset, hits, ready, scores, screen, text};
use dissent::annotation::CaseAnnotation;
use dissent::cases::filter::Filter;
use dissent::data::{Label, TaskKind};
use dissent::pipeline::Event;
use dissent::run::{LabelOdds, Prediction};
use dissent::tui::App;
use dissent::tui::action::Action;
use std::sync::Arc;

#[test]
fn the_design_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    assert_screen(&mut app, (80, 24), "");
}

#[test]
fn the_document_at_the_design_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::NextHit);
    app.update(Action::ToggleGold);
    assert_screen(&mut app, (80, 24), "document");
}

#[test]
fn two_images_from_120_columns() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::ToggleGold);
    assert_screen(&mut app, (120, 40), "");
}

#[test]
fn a_document_on_a_wide_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::NextHit);
    app.update(Action::ToggleGold);
    assert_screen(&mut app, (120, 40), "document");
}

#[test]
fn a_filtered_queue_on_a_wide_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.set_filter("verdict:inconsistent".parse().unwrap());
    assert_screen(&mut app, (120, 40), "filtered");
}

#[test]
fn a_case_that_is_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Down);
    app.update(Action::Down);
    app.on_worker_event(Event::Prediction { case: 3, slot: 1, prediction: scores(0.7).into() });
    assert_screen(&mut app, (100, 24), "reading");
}

#[test]
fn gold_is_hidden_until_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    // The same explorer with every gold answer turned round: nothing on the screen may tell them apart.
    let mut apps = [false, true].map(|turned| {
        let mut dataset = dataset(folder.path(), 12);
        for case in dataset.cases.iter_mut().filter(|_| turned) {
            case.answer = if case.answer == "Yes" { "No" } else { "Yes" }.into();
        }
        explorer_with(folder.path(), |setting| setting.known.dataset = Arc::new(dataset))
    });
    for action in [Action::Cancel, Action::NextHit, Action::ToggleGold] {
        let screens = apps.each_mut().map(|app| {
            app.update(action.clone());
            [(80, 24), (120, 40), (200, 60)].map(|(width, height)| text(&screen(app, width, height)))
        });
        for (shown, turned) in screens[0].iter().zip(&screens[1]) {
            assert_eq!(shown != turned, action == Action::ToggleGold, "{shown}");
        }
    }
}

/// Each different answer has a letter; the same words in another spelling have the same one.
#[test]
fn a_case_that_is_answered_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let answered = |gold: &str| {
        let mut dataset = dataset(folder.path(), 3);
        dataset.tasks[0].kind = TaskKind::OpenVqa;
        dataset.tasks[0].labels.clear();
        dataset.cases[0].answer = gold.into();
        dataset.cases[0].question = Some("Where is the lesion?".into());
        let mut app = app_with(folder.path(), 3, |setting| setting.known.dataset = Arc::new(dataset));
        app.on_worker_event(ready());
        app.on_worker_event(Event::Hits { case: 0, hits: hits() });
        let said = ["left upper quadrant", "Upper outer quadrant.", "the left upper quadrant", "behind the nipple"];
        for (slot, said) in said.into_iter().enumerate() {
            let prediction = Prediction::in_words(said.into());
            app.on_worker_event(Event::Prediction { case: 0, slot, prediction });
        }
        let closed_book = Prediction::in_words(String::new());
        app.on_worker_event(Event::ClosedBook { case: 0, prediction: closed_book });
        app
    };
    let mut app = answered("upper outer quadrant");
    assert_screen(&mut app, (80, 24), "open");
    app.update(Action::ToggleGold);
    assert_screen(&mut app, (120, 40), "open");
    let mut app = answered("axilla");
    app.update(Action::ToggleGold);
    let another = text(&screen(&mut app, 120, 40));
    assert!(another.contains("D axilla  wrong, and no hit is right"), "{another}");
}

/// Sets of labels have letters by case; the names are cut as whole names, and the likeliest labels are listed.
#[test]
fn a_case_that_is_answered_with_a_set_of_labels() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["Atelectasis", "Cardiomegaly", "Effusion", "Nodule", "Pneumothorax"];
    let answered = |gold: &str, unknown: &[&str]| {
        let mut dataset = dataset(folder.path(), 3);
        dataset.tasks[0].kind = TaskKind::MultiLabel;
        dataset.tasks[0].labels = names.map(|name| Label::new(name, name)).to_vec();
        for case in &mut dataset.cases {
            case.answer = gold.into();
        }
        dataset.cases[0].question = Some("Which findings are there?".into());
        dataset.cases[0].unknown = unknown.iter().map(|id| (*id).to_owned()).collect();
        let mut app = app_with(folder.path(), 3, |setting| setting.known.dataset = Arc::new(dataset));
        app.on_worker_event(ready());
        app.on_worker_event(Event::Hits { case: 0, hits: hits() });
        let odds = |values: [f32; 5]| Prediction::from(LabelOdds::exact(values.to_vec(), 0.0));
        let said = [
            odds([2.0, -1.0, 0.5, -3.0, -5.0]),
            odds([1.0, -0.5, 1.5, -2.0, -4.0]),
            odds([2.5, 1.0, 3.5, 0.5, -2.0]),
            odds([-1.0, -2.0, -0.5, -2.0, -4.0]),
        ];
        for (slot, prediction) in said.into_iter().enumerate() {
            app.on_worker_event(Event::Prediction { case: 0, slot, prediction });
        }
        app.on_worker_event(Event::ClosedBook { case: 0, prediction: odds([-1.0, -2.0, -0.5, -2.0, -4.0]) });
        app
    };
    let mut app = answered("Atelectasis, Effusion", &[]);
    assert_screen(&mut app, (80, 24), "set");
    app.update(Action::ToggleGold);
    assert_screen(&mut app, (120, 40), "set");
    app.update(Action::DropHit);
    let dropped = text(&screen(&mut app, 120, 40));
    assert!(dropped.contains("without hit 1") && dropped.contains("what if"), "{dropped}");
    let mut app = answered("[]", &[]);
    app.update(Action::ToggleGold);
    let empty = text(&screen(&mut app, 120, 40));
    assert!(empty.contains("C none") && empty.contains("C*"), "the hit and the gold answer: {empty}");
    let mut app = answered("Effusion", &["Nodule", "Cardiomegaly"]);
    app.update(Action::ToggleGold);
    let unknown = text(&screen(&mut app, 120, 40));
    assert!(unknown.contains("Effusion; unknown: Cardiomegaly, Nodule"), "{unknown}");
    assert!(!unknown.contains('*') && !unknown.contains("no hit is right"), "nothing is right or wrong: {unknown}");
    let passes = |app: &App, filter: &str| filter.parse::<Filter>().unwrap().passes(app.cases(), 0);
    assert!(!passes(&app, "fused:wrong") && !passes(&app, "fused:right"), "{unknown}");
    let app = answered("Effusion", &[]);
    for (filter, is_there) in [
        ("label:effusion", true),
        ("label:nodule", false),
        ("label:none", false),
        ("answer:effusion,nodule", true),
        ("answer:cardiomegaly", false),
        ("fused:wrong", true),
    ] {
        assert_eq!(passes(&app, filter), is_there, "{filter}");
    }
    assert!(passes(&answered("[]", &[]), "label:none"));
}

#[test]
fn a_fusion_changed_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    for action in [Action::ToggleGold, Action::DropHit, Action::NextHit, Action::NextHit, Action::WeighUp] {
        app.update(action);
    }
    assert_screen(&mut app, (120, 40), "what-if");
    app.update(Action::SwitchImage);
    assert_screen(&mut app, (80, 24), "what-if");
}

#[test]
fn a_label_that_could_not_be_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    let edit = toggle(1, 3);
    app.recorded(&edit, Err("No space left on device".into()));
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.contains("not saved: No space left on device"), "{shown}");
    assert_eq!(app.cases().annotation_of(1).unwrap().categories, category_ids(&[0]), "the old annotation stands");
    app.recorded(&edit, written(1, annotation(&[3])));
    assert!(!text(&screen(&mut app, 80, 24)).contains("not saved"));
}

/// A mark with everything that can be said, made on other answers.
#[test]
fn doubts_documents_and_changes_since() {
    for (width, height) in [(80, 24), (120, 40)] {
        let folder = tempfile::tempdir().unwrap();
        let (history, definitions) = reworded(&category_id(2), "The reader left what the documents show aside.");
        let mut app = explorer_with(folder.path(), |setting| setting.known.definitions = history);
        let own = CaseAnnotation {
            hits: [("us-doc-003".to_owned(), category_ids(&[0, 1]))].into(),
            unsure: true,
            definitions,
            answers_fingerprint: Some("of other answers".into()),
            ..annotation(&[0, 2])
        };
        app.set_annotation(1, Some(own.into()));
        app.set_annotation(2, Some(CaseAnnotation { flagged: true, ..annotation(&[7]) }.into()));
        assert_screen(&mut app, (width, height), "marks");
    }
}
