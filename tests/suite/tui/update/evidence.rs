//! Hits dropped and put in, captions searched, and the answer that follows.

use crate::support::annotations::{case_id, category_id};
use crate::support::explorer;
use crate::support::explorer::{answer, app, app_with, hits, ready, scores, screen};
use dissent::annotation::AnnotationEdit;
use dissent::cases::comparison::Against;
use dissent::evaluation::SmallestFlip;
use dissent::index::CaptionResult;
use dissent::pipeline::{Event, ImageLike};
use dissent::run::{Ablation, CaptionShown, Probe};
use dissent::tui::App;
use dissent::tui::action::Action;
use dissent::tui::effect::Effect;
use dissent::tui::state::overlay::{Notice, Overlay};
use dissent::tui::state::selection::{Shown, Side};
use dissent::worker::Request;
use tui_input::InputRequest;

#[test]
fn search_drops_late_results_and_shows_the_chosen_document() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.update(Action::Search);
    app.edit(InputRequest::InsertChar('c'));
    app.edit(InputRequest::InsertChar('y'));
    let result = |row| CaptionResult { row, score: 1.0, highlights: Vec::new() };
    app.on_worker_event(Event::SearchResults { ticket: 1, results: vec![result(0)] });
    let Some(Overlay::Search(search)) = app.overlay() else { panic!("the search is closed") };
    assert_eq!((search.ticket(), search.results()), (2, None));
    app.on_worker_event(Event::SearchResults { ticket: 2, results: vec![result(1), result(3)] });
    app.update(Action::Down);
    app.update(Action::Accept);
    assert_eq!((app.selection().shown(), app.selection().side()), (Shown::Row(3), Side::Document));
    assert_eq!(app.shown_document().unwrap().id, "us-doc-004");
    app.update(Action::NextHit);
    assert_eq!(app.selection().shown(), Shown::Hit);
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
fn a_dropped_hit_changes_the_answer_in_the_same_frame_and_no_model_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    answer(&mut app, 0, &[0.99, 0.4, 0.4, 0.4]);
    let label = |app: &App| app.fused_now().unwrap().prediction.label();
    assert_eq!((label(&app), app.smallest_flip()), (Some(1), Some(SmallestFlip::Without(vec![0]))));
    assert!(app.update(Action::DropHit).is_empty());
    assert_eq!(
        (label(&app), app.cases().answers_of(0).unwrap().fused().unwrap().prediction.label()),
        (Some(0), Some(1))
    );
    app.update(Action::DropHit);
    app.update(Action::NextFuser);
    app.update(Action::NextFuser);
    assert_eq!(label(&app), Some(0), "the majority says No");
    app.update(Action::WeighUp);
    let [Effect::Record(AnnotationEdit::Note { case, text })] = &app.update(Action::KeepWhatIf)[..] else {
        panic!("no note")
    };
    assert_eq!(*case, case_id(0));
    assert_eq!(text, "what if majority, hit 1 ×1.5: No");
    app.update(Action::ResetFusion);
    assert_eq!(label(&app), Some(1));
    assert!(app.update(Action::KeepWhatIf).is_empty(), "nothing is changed");
}

fn put_in(app: &mut App, row: usize) -> Probe {
    app.update(Action::SearchImages);
    let Some(Overlay::Search(search)) = app.overlay() else { panic!("no search") };
    let results = vec![CaptionResult { row, score: 0.9, highlights: Vec::new() }];
    app.on_worker_event(Event::SearchResults { ticket: search.ticket(), results });
    let probe = Probe { row, ablation: Ablation::default() };
    assert_eq!(app.update(Action::Accept), [Effect::Worker(Request::Probe { case: 0, probe })]);
    probe
}

#[test]
fn a_document_put_in_counts_and_is_named_only_once_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.start();
    app.on_worker_event(ready());
    // Two hits, so that two documents of the corpus are neither hits nor put in.
    app.on_worker_event(Event::Hits { case: 0, hits: hits()[..2].to_vec() });
    for slot in 0..2 {
        app.on_worker_event(Event::Prediction { case: 0, slot, prediction: scores(0.6).into() });
    }
    let first = put_in(&mut app, 1);
    app.update(Action::DropHit);
    let second = put_in(&mut app, 3);
    app.update(Action::DropHit);
    assert_eq!(app.what_if_words(), None);
    assert!(app.update(Action::KeepWhatIf).is_empty(), "nothing is changed yet");
    app.on_worker_event(Event::Probed { case: 0, probe: second, shown: None, outcome: Ok(scores(0.001).into()) });
    let weights = app.fused_now().unwrap().weights;
    assert!(weights[2] == 0.0 && weights[3] > 0.0, "{weights:?}: the second does not wait for the first");
    assert_eq!(app.what_if_words().unwrap(), "with us-doc-004 as hit 4");
    app.on_worker_event(Event::Probed { case: 0, probe: first, shown: None, outcome: Err("out of memory".into()) });
    assert_eq!(app.fused_now().unwrap().weights, weights, "a failed one changes nothing");
    // The same document again asks again.
    put_in(&mut app, 1);
    app.on_worker_event(Event::Probed { case: 0, probe: first, shown: None, outcome: Ok(scores(0.001).into()) });
    assert_eq!(app.what_if_words().unwrap(), "with us-doc-002 as hit 3, with us-doc-004 as hit 4");
    assert!(app.fused_now().unwrap().weights[2] > 0.0);
}

#[test]
fn a_document_put_in_leaves_the_proportions_of_the_hits_of_one_head() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 1);
    app.start();
    app.on_worker_event(ready());
    let mut found = hits()[..2].to_vec();
    found[1].provenances.truncate(1);
    app.on_worker_event(Event::Hits { case: 0, hits: found });
    for slot in 0..2 {
        app.on_worker_event(Event::Prediction { case: 0, slot, prediction: scores(0.6).into() });
    }
    let before = app.fused_now().unwrap().weights;
    let probe = put_in(&mut app, 1);
    app.update(Action::DropHit);
    app.on_worker_event(Event::Probed { case: 0, probe, shown: None, outcome: Ok(scores(0.4).into()) });
    let after = app.fused_now().unwrap().weights;
    assert!((after[1] / after[0] - before[1] / before[0]).abs() < 1e-6, "{before:?} {after:?}");
    assert_eq!(after[2], after[0], "as good as the best");
}

#[test]
fn what_is_said_of_the_answer_follows_the_answer_on_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.start();
    app.on_worker_event(ready());
    app.update(Action::Down);
    // Gold is No; closed-book says so.
    answer(&mut app, 1, &[0.999, 0.4, 0.4, 0.4]);
    app.update(Action::ToggleGold);
    // The answers stand in a column beside the images, where they are wrapped.
    let says = |app: &mut App, line: &str| {
        let shown = explorer::text(&screen(app, 170, 40));
        let first = shown.lines().find(|line| line.contains("closed-book")).unwrap();
        let column = first.split("closed-book").next().unwrap().chars().count();
        let cut = |line: &str| line.chars().skip(column).collect::<String>().trim().to_owned();
        let answers: Vec<String> = shown.lines().map(cut).collect();
        assert!(answers.join(" ").contains(line), "{shown}");
    };
    says(&mut app, "wrong; hits 2, 3 and 4 are right (image #2); retrieval ruined it");
    let shown = explorer::text(&screen(&mut app, 120, 40));
    assert!(shown.contains("! 3 of 4 differ") && shown.contains("A*↑"), "{shown}");
    app.update(Action::DropHit);
    says(&mut app, "right; hit 1 alone is wrong; before your changes: retrieval ruined it");
    let shown = explorer::text(&screen(&mut app, 120, 40));
    assert!(shown.contains("! 1 of 4 differ") && shown.contains("B ↓") && !shown.contains("↑"), "{shown}");
    app.update(Action::ResetFusion);
    // A document of a person's own that says No but does not carry the day would have rescued the case.
    app.update(Action::SearchImages);
    let Some(Overlay::Search(search)) = app.overlay() else { panic!("no search") };
    let results = vec![CaptionResult { row: 1, score: 0.9, highlights: Vec::new() }];
    app.on_worker_event(Event::SearchResults { ticket: search.ticket(), results });
    app.update(Action::Accept);
    let probe = Probe { row: 1, ablation: Ablation::default() };
    app.on_worker_event(Event::Probed { case: 1, probe, shown: None, outcome: Ok(scores(0.45).into()) });
    says(&mut app, " wrong; hits 2, 3 and 4 are right (image #2); retrieval ruined it");
    let shown = explorer::text(&screen(&mut app, 120, 40));
    let row = shown.lines().find(|line| line.contains("5 added by me")).unwrap();
    assert!(row.contains("A* ") && row.contains(" out ") && shown.contains("! 3 of 4 differ"), "{shown}");
    app.update(Action::DropHit);
    says(&mut app, "what if: wrong; hits 2, 3, 4 and 5 are right (image #2); retrieval ruined it");
    let shown = explorer::text(&screen(&mut app, 120, 40));
    let row = shown.lines().find(|line| line.contains("5 added by me")).unwrap();
    assert!(row.contains("A*↑") && shown.contains("what if 4 of 5 differ"), "{shown}");
}

#[test]
fn enter_in_the_search_waits_for_the_results_of_what_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 1);
    app.start();
    app.on_worker_event(ready());
    answer(&mut app, 0, &[0.6, 0.6, 0.6, 0.4]);
    let result = |row| CaptionResult { row, score: 1.0, highlights: Vec::new() };
    let ticket = |app: &App| match app.overlay() {
        Some(Overlay::Search(search)) => search.ticket(),
        _ => panic!("no search"),
    };
    app.update(Action::Search);
    app.paste("ova");
    let event = Event::SearchResults { ticket: ticket(&app), results: vec![result(0)] };
    app.on_worker_event(event);
    app.paste("l");
    assert!(app.update(Action::Accept).is_empty(), "the results are those of \"ova\"");
    assert!(explorer::text(&screen(&mut app, 80, 24)).contains("the best match will be added to the hits"));
    let event = Event::SearchResults { ticket: ticket(&app), results: vec![result(1)] };
    let probe = Probe { row: 1, ablation: Ablation::default() };
    assert_eq!(app.on_worker_event(event), [Effect::Worker(Request::Probe { case: 0, probe })]);
    assert!(app.overlay().is_none());
    // A path that is only begun takes none of the images that are like the case's.
    app.update(Action::SearchImages);
    let event = Event::SearchResults { ticket: ticket(&app), results: vec![result(0)] };
    app.on_worker_event(event);
    app.paste("films/a");
    assert!(app.update(Action::Accept).is_empty() && app.overlay().is_some());
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
    app.on_worker_event(Event::SearchResults { ticket: 1, results });
    app.update(Action::Accept);
    assert_eq!(app.selection().shown(), Shown::Row(1));
    let shown = explorer::text(&screen(&mut app, 200, 60));
    assert!(shown.contains("found: us-doc-002"), "{shown}");
    assert!(app.update(Action::DropHit).is_empty());
    assert_eq!(app.what_if_words(), None, "the hit that is not shown stays as it is");
    let [Effect::Worker(Request::SearchImages { like, .. })] = &app.update(Action::SearchImages)[..] else {
        panic!("no search")
    };
    assert_eq!(*like, ImageLike::Document(1));
    app.update(Action::Cancel);
    app.on_worker_event(ready());
    let ablation = Ablation { without_image: true, ..Ablation::default() };
    let probe = Probe { row: 1, ablation };
    assert_eq!(app.update(Action::WithoutImage), [Effect::Worker(Request::Probe { case: 0, probe })]);
}

#[test]
fn a_document_is_put_in_where_nothing_was_found_and_not_before_it_is_known_what_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 1);
    app.start();
    app.on_worker_event(ready());
    app.update(Action::SearchImages);
    let results = vec![CaptionResult { row: 1, score: 1.0, highlights: Vec::new() }];
    app.on_worker_event(Event::SearchResults { ticket: 1, results });
    assert!(app.update(Action::Accept).is_empty());
    let Some(Notice::Said(said)) = app.notice() else { panic!("nothing is said") };
    assert!(said.starts_with("the hits of this case are not retrieved yet"), "{said}");
    app.on_worker_event(Event::Hits { case: 0, hits: Vec::new() });
    let probe = put_in(&mut app, 1);
    app.on_worker_event(Event::Probed { case: 0, probe, shown: None, outcome: Ok(scores(0.9).into()) });
    let shown = explorer::text(&screen(&mut app, 120, 40));
    assert!(shown.contains("1 added by me") && shown.contains("no hit"), "{shown}");
    app.update(Action::DropHit);
    let shown = explorer::text(&screen(&mut app, 120, 40));
    assert!(shown.contains("1 added by me") && shown.contains("what if all 1 agree"), "{shown}");
}

#[test]
fn where_every_hit_is_dropped_no_answer_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 1);
    app.start();
    let what_if = |app: &mut App| -> String {
        let shown = explorer::text(&screen(app, 120, 40));
        let row = shown.lines().find(|line| line.contains("┃ what if") || line.contains("┃ fused")).unwrap();
        row.split("  ").map(str::trim).filter(|part| !part.is_empty()).nth(1).unwrap_or_default().to_owned()
    };
    assert!(what_if(&mut app).starts_with('…'));
    answer(&mut app, 0, &[0.9; 4]);
    for _ in 0..4 {
        app.update(Action::DropHit);
        app.update(Action::NextHit);
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
    assert_eq!(app.what_if_words().unwrap(), "temperature 0.5");
    app.update(Action::NextFuser);
    assert_eq!(app.what_if_words().unwrap(), "mean log-probability");
    app.update(Action::Sharpen);
    assert!(
        matches!(app.notice(), Some(Notice::Said(said)) if said.contains("not use the temperature")),
        "{:?}",
        app.notice()
    );
}

#[test]
fn a_document_that_a_person_puts_in_is_read_and_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    app.on_worker_event(ready());
    answer(&mut app, 0, &[0.6, 0.6, 0.6, 0.4]);
    app.update(Action::SearchImages);
    let Some(Overlay::Search(search)) = app.overlay() else { panic!("no search") };
    let ticket = search.ticket();
    let result = CaptionResult { row: 1, score: 0.9, highlights: Vec::new() };
    app.on_worker_event(Event::SearchResults { ticket, results: vec![result] });
    let probe = Probe { row: 1, ablation: Ablation::default() };
    assert_eq!(app.update(Action::Accept), [Effect::Worker(Request::Probe { case: 0, probe })]);
    assert_eq!((app.selection().hit(), app.selected_hit().unwrap().document.as_str()), (4, "us-doc-002"));
    assert_eq!(app.fused_now().unwrap().prediction.label(), Some(1), "not read yet");
    app.update(Action::DropHit);
    app.on_worker_event(Event::Probed { case: 0, probe, shown: None, outcome: Ok(scores(0.001).into()) });
    assert_eq!(app.fused_now().unwrap().prediction.label(), Some(0));
    let answers = app.cases().answers_of(0).unwrap();
    assert_eq!(answers.fused().unwrap().prediction.label(), Some(1), "the case's own answer stays");
    assert_eq!(app.what_if_words().unwrap(), "with us-doc-002 as hit 5");

    // The first hit without its caption is read, and counts only when taken in.
    app.update(Action::PreviousHit);
    let effects = app.update(Action::WithoutCaption);
    let ablation = Ablation { caption: CaptionShown::None, ..Ablation::default() };
    let bare = Probe { row: 3, ablation };
    assert_eq!(effects, [Effect::Worker(Request::Probe { case: 0, probe: bare })]);
    app.on_worker_event(Event::Probed { case: 0, probe: bare, shown: None, outcome: Ok(scores(0.9).into()) });
    assert_eq!(app.fused_now().unwrap().weights[5], 0.0);
    app.update(Action::DropHit);
    assert!(app.fused_now().unwrap().weights[5] > 0.0);
    app.update(Action::ResetFusion);
    assert_eq!((app.slots(), app.what_if_words()), (4, None));
}

/// What withholding and swapping add to a case is in none of its figures, whatever the reader says, until it is put in.
#[test]
fn rows_that_were_not_retrieved_count_in_no_figure_until_they_are_put_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 2);
    app.start();
    app.on_worker_event(ready());
    app.update(Action::Down);
    answer(&mut app, 1, &[0.6, 0.7, 0.8, 0.9]);
    app.update(Action::ToggleGold);
    app.update(Action::SwitchFocus);
    let figures = |app: &App| {
        let answers = app.cases().answers_of(1).unwrap();
        let (slots, outcome) = app.outcome_now().unwrap();
        let fused = app.fused_now().unwrap().prediction;
        let rescued = outcome.answers.iter().filter(|answer| **answer != fused.answer).count();
        (slots, outcome.oracle_is_right(), rescued, fused, answers.verdict(), app.smallest_flip(), app.what_if_words())
    };
    let before = figures(&app);
    // Gold is No: each of these rows is right where every hit is wrong.
    for action in [Action::WithoutCaption, Action::WithoutImage, Action::SwapCaption] {
        app.update(Action::First);
        let [Effect::Worker(Request::Probe { probe, .. })] = app.update(action.clone())[..] else {
            panic!("not asked")
        };
        assert_eq!(figures(&app), before, "{action:?}, not read");
        app.on_worker_event(Event::Probed { case: 1, probe, shown: None, outcome: Ok(scores(0.0001).into()) });
        assert_eq!(figures(&app), before, "{action:?}");
        let shown = explorer::text(&screen(&mut app, 120, 40));
        assert!(shown.contains("= all 4 agree") && !shown.contains("what if all"), "{shown}");
    }
    app.update(Action::DropHit);
    let (slots, oracle, others, fused, verdict, _, words) = figures(&app);
    assert_eq!((slots.last(), oracle, others), (Some(&6), true, 4), "the last row is in, the others are not");
    assert_eq!(fused.label(), Some(0), "as good as the best, and sure of itself");
    assert_eq!(verdict, before.4, "the queue's verdict is that of the hits");
    assert!(words.unwrap().starts_with("with us-doc-001 with "), "the note says what the reader was given");
    let shown = explorer::text(&screen(&mut app, 120, 40));
    assert!(shown.contains("what if 4 of 5 differ"), "{shown}");
    app.update(Action::DropHit);
    assert_eq!(figures(&app), before);
}

/// Two runs side by side: the documents that only the other run found follow this run's hits, the user's own evidence comes last.
#[test]
fn documents_of_the_other_run_alone_can_be_selected() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app_with(folder.path(), 3, |setting| {
        setting.known.against = Some(explorer::other_run(&[(0, [0.9, 0.8, 0.7, 0.2])]));
    });
    app.start();
    app.on_worker_event(ready());
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.9]);
    app.update(Action::SwitchFocus);
    let selected = |app: &App| app.shown_document().map(|document| document.id.to_owned()).unwrap_or_default();
    app.update(Action::Last);
    assert_eq!((selected(&app).as_str(), app.selection().other_hit()), ("us-doc-002", Some(3)));
    let (hit, prediction) = app.other_hit_shown().unwrap();
    assert_eq!((hit.document.as_str(), prediction.is_some()), ("us-doc-002", true));
    assert!(app.given_evidence().is_some_and(|given| given.document.id == "us-doc-002"));
    for (action, words) in [
        (Action::Annotate(category_id(0)), "only the other run found this document, so it takes no label"),
        (Action::DropHit, "the document shown is not a hit"),
    ] {
        assert!(app.update(action).is_empty());
        assert!(matches!(app.notice(), Some(Notice::Said(said)) if said.starts_with(words)), "{:?}", app.notice());
    }
    // The other run's document, asked with this run's model, is the user's own evidence and comes after it.
    assert_eq!(app.update(Action::WithoutCaption).len(), 1);
    assert_eq!((app.selection().hit(), app.selection().other_hit()), (4, None));
    app.update(Action::Up);
    assert_eq!((app.selection().hit(), app.selection().other_hit()), (3, Some(3)));
    app.update(Action::Up);
    assert_eq!((app.selection().hit(), app.selection().other_hit()), (3, None));
    app.update(Action::Down);
    app.update(Action::Compare);
    assert_eq!((app.is_comparing(), app.selection().other_hit(), app.selection().hit()), (false, None, 3));
    app.update(Action::Down);
    assert_eq!(app.selection().hit(), 4, "without the other run, its documents are passed over");
}

/// A stored run is compared when it is opened; of models the kind of their probabilities is known when they are loaded.
#[test]
fn models_that_are_compared_with_a_run_of_sampled_answers_say_so() {
    let folder = tempfile::tempdir().unwrap();
    for is_sampled in [true, false] {
        let mut app = app_with(folder.path(), 1, |setting| {
            setting.known.against = Some(Against { is_sampled, ..explorer::other_run(&[]) });
        });
        app.start();
        app.on_worker_event(ready());
        let said = match app.notice() {
            Some(Notice::Error(words)) => {
                words.contains("run trained-test has other probabilities") && words.contains('≈')
            }
            _ => false,
        };
        assert_eq!(said, is_sampled, "{:?}", app.notice());
    }
}
