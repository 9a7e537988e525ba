//! Screens with annotations by several annotators, and their agreement.

use super::{assert_screen, explorer, explorer_with};
use crate::support::annotations::{annotation, category_id, decision, review, reworded};
use crate::support::explorer::{screen, text};
use dissent::annotation::agreement::{AgreementReport, RatedCases, Ratings, usual_agreement_table_keys};
use dissent::annotation::{CaseAnnotation, CaseReview};
use dissent::tui::action::Action;
use dissent::tui::effect::Effect;
use std::sync::Arc;

/// Three annotators of the second case, the first of whom is at the keys; it was decided before bob annotated it anew.
pub(super) fn three_annotators() -> CaseReview {
    let note = "the caption speaks of calcifications and the reader repeats it, though the image shows none";
    let bob = CaseAnnotation {
        unsure: true,
        note: Some(note.into()),
        ts: time::OffsetDateTime::UNIX_EPOCH + time::Duration::DAY,
        ..annotation(&[1])
    };
    let ada = CaseAnnotation { note: Some("margin copied".into()), ..annotation(&[0]) };
    let cy = CaseAnnotation { skipped: true, ..CaseAnnotation::default() };
    let decided = [category_id(0), "gone".into()].into();
    review([("ada", ada), ("bob", bob), ("cy", cy)], Some(decision(decided, "as ada")))
}

#[test]
fn a_case_being_decided() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut review = three_annotators();
        let (history, given) = reworded(&category_id(1), "As of May.");
        let mut app = explorer_with(folder.path(), |setting| setting.known.definitions = history);
        Arc::make_mut(&mut review.annotations[1].annotation).definitions = given;
        app.set_review(1, review);
        app.update(Action::Adjudicate);
        for action in [Action::Down, Action::Complete, Action::Note] {
            app.update(action.clone());
        }
        app.paste("the image shows none");
        assert_screen(&mut app, (width, height), "adjudication");
    }
}

#[test]
fn a_case_that_one_has_not_annotated_keeps_others_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.set_annotation(1, None);
    let mut review = three_annotators();
    review.annotations.remove(0);
    app.set_review(1, review);
    app.update(Action::Adjudicate);
    let hidden = text(&screen(&mut app, 80, 24));
    assert!(!hidden.contains("bob") && !hidden.contains("by eve"), "{hidden}");
    assert_screen(&mut app, (80, 24), "adjudication-hidden");
    app.update(Action::Reveal);
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.contains("bob") && shown.contains("by eve"), "{shown}");
}

#[test]
fn how_far_annotators_agree() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut ratings = Ratings::new(names(&["ada", "bob", "cy"]), names(&["look-alike", "other"]));
    for said in [[0, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 1], [0, 0, 0]] {
        ratings.push(said.iter().map(|category| Some(vec![*category])).collect());
    }
    let tasks = vec!["malignancy".to_owned(); 5];
    let rated = RatedCases { ratings, cases: (0..5).collect(), tasks, ..RatedCases::default() };
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        let [Effect::Agreement(ticket)] = app.update(Action::Agreement)[..] else { panic!("nothing is asked for") };
        for resamples in [0, 500] {
            let report = AgreementReport::of("tiny", &rated, resamples, &usual_agreement_table_keys());
            app.on_agreement(ticket, report);
            let name = if resamples == 0 { "agreement" } else { "agreement-intervals" };
            assert_screen(&mut app, (width, height), name);
        }
    }
}

#[test]
fn annotators_who_do_not_fit_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    let five = ["ada", "bob", "cy", "dee", "eve"].map(|name| (name, annotation(&[1])));
    app.set_review(1, review(five, None));
    app.update(Action::Adjudicate);
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.contains("+2 →") && shown.contains("cy") && !shown.contains("dee"), "{shown}");
    for _ in 0..3 {
        app.update(Action::Down);
    }
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.contains("← +1 · +1 →") && shown.contains("▸ dee"), "{shown}");
}
