//! The page that explains a prediction: what is asked, and what is shown of the answer.

use crate::support::explorer::{answer, app, hits, ready, screen, text};
use dissent::explain::{Cost, Explanation, Method, RegionWeights, Target, WordWeight, WordWeights, parts_of};
use dissent::pipeline::{Event, ExplainOutcome, ExplainProgress, ExplainRequest, Ticket};
use dissent::run::{CaptionShown, Probe};
use dissent::tui::App;
use dissent::tui::action::Action;
use dissent::tui::effect::Effect;
use dissent::tui::state::overlay::{Notice, Overlay};
use dissent::worker::Request;

pub fn opened(folder: &std::path::Path) -> App {
    let mut app = app(folder, 3);
    app.start();
    app.on_worker_event(ready());
    answer(&mut app, 0, &[0.9, 0.4, 0.4, 0.4]);
    app
}

/// What an action asks of the worker.
pub fn asked(effects: &[Effect]) -> (Ticket, ExplainRequest, Option<f64>) {
    let [Effect::Worker(Request::Explain { ticket, request, most_seconds })] = effects else {
        panic!("nothing is to be explained: {effects:?}")
    };
    (*ticket, *request, *most_seconds)
}

/// Yes and not No, because of the last word and of the cell in row 3 and column 5.
pub fn explanation(caption: &str) -> Explanation {
    let mut parts: Vec<WordWeight> =
        parts_of(caption, 48).into_iter().map(|range| WordWeight { range, weight: 0.01, is_bound: false }).collect();
    parts.last_mut().unwrap().weight = 1.5;
    parts[1].weight = -0.4;
    let mut regions = RegionWeights { weights: [[0.0; 8]; 8], is_fine: [[true; 8]; 8], has_bounds: false };
    regions.weights[2][4] = 0.6;
    regions.weights[6][1] = -0.3;
    Explanation {
        method: Method::Occlusion,
        target: Target { answer: 1, runner_up: Some(0) },
        text: None,
        of_label: None,
        log_odds: 2.2,
        is_bound: false,
        words: Some(WordWeights { caption: caption.to_owned(), parts }),
        document: Some(regions.clone()),
        query: Some(regions),
    }
}

#[test]
fn the_selected_hit_is_explained_and_the_words_that_decide_are_listed() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = opened(folder.path());
        app.update(Action::NextHit);
        let (ticket, request, most_seconds) = asked(&app.update(Action::Why));
        assert_eq!((request.case, request.probe.map(|probe| probe.row)), (0, Some(hits()[1].row)));
        assert!(most_seconds.is_some(), "what takes long is asked first");
        let progress = ExplainProgress { done: 12, total: 140, seconds_left: Some(2.5) };
        app.on_worker_event(Event::Explaining { ticket, progress });
        assert!(text(&screen(&mut app, width, height)).contains("12 of 140 questions answered, 3 s left"));

        let caption = app.shown_document().unwrap().caption.to_owned();
        let outcome = Ok(ExplainOutcome::Explained(Box::new(explanation(&caption))));
        app.on_worker_event(Event::Explained { ticket, request, outcome });
        let shown = text(&screen(&mut app, width, height));
        assert!(shown.contains("why Yes and not No, with hit 2, us-doc-003"), "{shown}");
        assert!(shown.contains("strongest words: +1.50 south. · -0.40 mass"), "{shown}");
        assert!(shown.contains("hit +0.60 in row 3, column 5"), "{shown}");
        assert!(shown.contains("query +0.60 in row 3, column 5"), "{shown}");
    }
}

#[test]
fn the_strongest_cell_is_framed_and_the_picture_tinted() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = opened(folder.path());
    let (ticket, request, _) = asked(&app.update(Action::Why));
    let caption = app.shown_document().unwrap().caption.to_owned();
    let mut plain = explanation(&caption);
    plain.document = None;
    let colours = |app: &mut App, explanation: Explanation| {
        let outcome = Ok(ExplainOutcome::Explained(Box::new(explanation)));
        app.on_worker_event(Event::Explained { ticket, request, outcome });
        let terminal = screen(app, 120, 40);
        let shown = text(&terminal);
        (shown.matches('┌').count(), shown.matches('┘').count())
    };
    assert_eq!(colours(&mut app, explanation(&caption)), (2, 2), "one frame on each image");
    assert_eq!(colours(&mut app, plain), (1, 1));
}

#[test]
fn a_costly_explanation_is_asked_for_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = opened(folder.path());
    let (ticket, request, _) = asked(&app.update(Action::Why));
    let cost = Cost { requests: 76, known: 2, seconds: 93.0 };
    app.on_worker_event(Event::Explained { ticket, request, outcome: Ok(ExplainOutcome::Costly(cost)) });
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.contains("76 questions to the model: about 93 seconds"), "{shown}");
    let (again, same, most_seconds) = asked(&app.update(Action::Accept));
    assert!(again > ticket && same == request && most_seconds.is_none());
    let late = Ok(ExplainOutcome::Costly(cost));
    app.on_worker_event(Event::Explained { ticket, request, outcome: late });
    assert!(text(&screen(&mut app, 80, 24)).contains("asking the model"), "an answer to an older request is dropped");
}

#[test]
fn the_next_hit_is_explained_in_place_and_leaving_stops_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = opened(folder.path());
    let (first, ..) = asked(&app.update(Action::Why));
    let (second, request, _) = asked(&app.update(Action::NextHit));
    assert!(second > first && request.probe.map(|probe| probe.row) == Some(hits()[1].row));
    assert_eq!(app.update(Action::Cancel), [Effect::Worker(Request::StopExplaining)]);
    assert!(app.overlay().is_none());
}

#[test]
fn a_hit_with_something_withheld_is_explained_as_it_was_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = opened(folder.path());
    app.update(Action::WithoutCaption);
    let (_, request, _) = asked(&app.update(Action::Why));
    let Some(Probe { ablation, .. }) = request.probe else { panic!("no document") };
    assert_eq!(ablation.caption, CaptionShown::None);
}

#[test]
fn without_a_model_nothing_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    app.start();
    answer(&mut app, 0, &[0.9, 0.4, 0.4, 0.4]);
    assert!(app.update(Action::Why).is_empty());
    assert!(matches!(app.notice(), Some(Notice::Said(said)) if said.contains("no model is loaded")));
    assert!(!matches!(app.overlay(), Some(Overlay::Why(_))));
}
