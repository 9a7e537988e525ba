//! Annotations of others: hidden, disputed, decided, counted.

use crate::support::annotations::{annotation, case_id, category_id, category_ids, decision, review, written};
use crate::support::explorer;
use crate::support::explorer::{answer, app, app_with};
use dissent::annotation::agreement::{AgreementReport, RatedCases};
use dissent::annotation::{AnnotationEdit, CaseAnnotation, CaseReview};
use dissent::cases::filter::Filter;
use dissent::tui::App;
use dissent::tui::action::{Action, Context};
use dissent::tui::effect::Effect;
use dissent::tui::state::overlay::Overlay;
use dissent::tui::state::overview::table::Section;

/// Ada gives the first category, bob the second; ada is at the keys.
fn disputed() -> CaseReview {
    review([("ada", annotation(&[0])), ("bob", annotation(&[1]))], None)
}

#[test]
fn a_disputed_case_is_decided_and_the_next_one_follows() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 4);
    for case in [1, 3] {
        app.set_review(case, disputed());
        app.set_annotation(case, Some(annotation(&[0]).into()));
    }
    app.start();
    app.set_filter("people:disputed".parse().unwrap());
    assert_eq!((app.queue().shown(), app.queue().current()), ([1, 3].as_slice(), Some(1)));
    app.update(Action::Adjudicate);
    assert_eq!((app.context(), app.case_with_others_shown()), (Context::Adjudication, Some(1)));
    assert!(app.update(Action::Accept).is_empty(), "nothing is chosen yet");
    app.update(Action::Down);
    app.update(Action::Complete);
    app.update(Action::Note);
    assert_eq!(app.context(), Context::Reason);
    app.paste("the caption says so");
    app.update(Action::Accept);
    let edit = AnnotationEdit::Decide {
        case: case_id(1),
        categories: category_ids(&[1]),
        reason: "the caption says so".into(),
    };
    assert_eq!(app.update(Action::Accept), [Effect::Record(edit.clone())]);
    app.recorded(&edit, Err("disk full".into()));
    assert_eq!(app.case_with_others_shown(), Some(1), "what was typed is still there");
    app.recorded(&edit, written(1, annotation(&[0])));
    assert_eq!((app.queue().current(), app.case_with_others_shown()), (Some(3), Some(3)));
    app.update(Action::Annotate(category_id(4)));
    app.update(Action::Annotate(category_id(5)));
    let edit = AnnotationEdit::Decide { case: case_id(3), categories: category_ids(&[5]), reason: String::new() };
    assert_eq!(app.update(Action::Accept), [Effect::Record(edit.clone())]);
    app.recorded(&edit, written(3, annotation(&[0])));
    assert!(app.overlay().is_none(), "that was the last");
}

#[test]
fn the_page_of_the_queue_is_written_while_a_case_is_decided() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.set_review(0, disputed());
    app.start();
    app.update(Action::Adjudicate);
    assert!(matches!(app.update(Action::ExportQueue)[..], [Effect::WriteCasebook(_)]));
    assert_eq!(app.context(), Context::Adjudication);
}

#[test]
fn others_words_are_hidden_until_one_has_spoken_or_asks() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.set_review(0, disputed());
    app.start();
    app.update(Action::Adjudicate);
    assert_eq!(app.case_with_others_shown(), None);
    app.update(Action::Annotate(category_id(1)));
    assert!(app.update(Action::Accept).is_empty(), "nobody decides what they have not seen");
    app.update(Action::Reveal);
    assert_eq!(app.case_with_others_shown(), Some(0));
    app.update(Action::Cancel);
    let of_a_hit = CaseAnnotation { hits: [("us-doc-001".to_owned(), category_ids(&[0]))].into(), ..annotation(&[]) };
    app.set_annotation(0, Some(of_a_hit.into()));
    assert!(app.cases().hides_others(0) && app.cases().standing_shown(0).is_none(), "the case itself has no label yet");
    assert_eq!((app.throughput().labelled, app.throughput().left), (0, 2));
    app.set_annotation(0, Some(annotation(&[0]).into()));
    assert!(!app.cases().hides_others(0));
    let mut blind = app_with(folder.path(), 2, |setting| setting.known.is_blind = true);
    blind.set_annotation(0, Some(annotation(&[0]).into()));
    assert!(blind.cases().hides_others(0));
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
    let is_there = |app: &App| matches!(app.overlay(), Some(Overlay::Agreement(screen)) if screen.report().is_some());
    assert!(!is_there(&app));
    app.on_agreement(second, report);
    assert!(is_there(&app));
}

#[test]
fn a_cell_of_the_overview_opens_its_cases() {
    let folder = tempfile::tempdir().unwrap();
    let other = explorer::other_run(&[(0, [0.9; 4]), (1, [0.1; 4]), (2, [0.1; 4])]);
    let mut app = app_with(folder.path(), 3, |setting| setting.known.against = Some(other));
    app.start();
    // Gold is Yes, No, Yes; this run says Yes, Yes, No; the other Yes, No, No.
    for (case, yes) in [0.9, 0.9, 0.1].iter().enumerate() {
        answer(&mut app, case, &[*yes; 4]);
    }
    app.update(Action::Overview);
    let Some(Overlay::Overview(overview)) = app.overlay() else { panic!("no overview") };
    let texts: Vec<&str> = overview.sections[0].rows[0].cells.iter().map(|cell| cell.text.as_str()).collect();
    assert_eq!(texts, ["1", "0", "1", "1", "1.0000"]);
    assert_eq!(overview.sections[1].rows[1].cells[0].text, "0.333 n=3", "fused: too few cases for an interval");
    for action in [Action::NextHit, Action::NextHit, Action::Accept] {
        app.update(action);
    }
    assert_eq!((app.view().filter().to_string().as_str(), app.queue().shown()), ("against:b", [1].as_slice()));
    assert!(app.overlay().is_none());
}

#[test]
fn the_overview_tells_which_category_explains_the_gap_unless_others_words_would_lead() {
    let folder = tempfile::tempdir().unwrap();
    let explorer = |is_blind: bool| {
        let mut app = app_with(folder.path(), 6, |setting| setting.known.is_blind = is_blind);
        app.start();
        // Gold is Yes, No, Yes: the first is right; the second wrong, and nothing right is retrieved; the third in the gap.
        answer(&mut app, 0, &[0.9; 4]);
        answer(&mut app, 1, &[0.9; 4]);
        answer(&mut app, 2, &[0.1, 0.1, 0.1, 0.6]);
        app.set_annotation(0, Some(annotation(&[0]).into()));
        app
    };
    let mut app = explorer(false);
    app.set_review(1, review([("bob", annotation(&[0]))], None));
    app.set_review(2, review([("bob", annotation(&[0, 7])), ("cy", annotation(&[0, 7]))], None));
    let tables = |app: &mut App| {
        app.update(Action::Overview);
        let Some(Overlay::Overview(overview)) = app.overlay().cloned() else { panic!("no overview") };
        app.update(Action::Cancel);
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
    // Each figure opens as many cases as it counts.
    let decided = |categories| review([], Some(decision(categories, "")));
    for (case, other) in (3..).zip([disputed(), decided([].into()), decided(["gone".into()].into())]) {
        answer(&mut app, case, &[0.9, 0.2, 0.9, 0.9]);
        app.set_review(case, other);
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
        let passing = (0..6).filter(|case| filter.passes(app.cases(), *case)).count();
        assert_eq!(passing.to_string(), cell.text, "{}", cell.filter);
    }
    let filter = &together.rows[0].cells[8].filter;
    assert_eq!(filter, "verdict:inconsistent final:1 fused:wrong oracle:right");
    let filter: Filter = filter.parse().unwrap();
    assert!(filter.passes(app.cases(), 2) && !filter.passes(app.cases(), 1) && filter.depends_on_others());
    let mut blind = explorer(true);
    blind.set_review(1, review([("bob", annotation(&[0]))], None));
    assert_eq!(tables(&mut blind).len(), 1, "what others say stays out of sight");
}

#[test]
fn choosing_the_same_category_again_is_no_choice_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.set_review(0, disputed());
    app.set_annotation(0, Some(annotation(&[0]).into()));
    app.update(Action::Adjudicate);
    for _ in 0..2 {
        app.update(Action::Annotate(category_id(7)));
    }
    let decided = app.update(Action::Accept);
    let expected = AnnotationEdit::Decide { case: case_id(0), categories: category_ids(&[7]), reason: String::new() };
    assert_eq!(decided, [Effect::Record(expected)]);
}
