//! A run in which models stand in the place of documents: no text of the screen speaks of hits, documents or retrieval.

use crate::support::explorer::{app_with, ready, scores, screen, text};
use dissent::pipeline::Event;
use dissent::run::{Hit, Prediction, Provenance};
use dissent::tui::App;
use dissent::tui::action::Action;
use std::path::Path;
use std::sync::Arc;

const MODELS: [&str; 3] = ["org/alpha-7b", "beta", "gamma"];

/// One case that alpha and beta answer with No, gamma with Yes and in words.
fn explorer(root: &Path) -> App {
    let models = MODELS.map(String::from).to_vec();
    let mut app = app_with(root, 2, |setting| {
        Arc::make_mut(&mut setting.known.dataset).add_models(&models);
        setting.known.models.clone_from(&models);
        setting.known.stored_run = Some("panel".into());
    });
    app.on_worker_event(ready());
    let first = app.dataset().model_rows().start;
    let hits = MODELS.iter().enumerate().map(|(place, model)| Hit {
        row: first + place,
        document: (*model).to_owned(),
        provenances: vec![Provenance { head: "model".parse().unwrap(), rank: place + 1, score: None }],
    });
    app.on_worker_event(Event::Hits { case: 0, hits: hits.collect() });
    for (slot, yes) in [0.2, 0.1].into_iter().enumerate() {
        app.on_worker_event(Event::Prediction { case: 0, slot, prediction: scores(yes).into() });
    }
    let spoken = Prediction { text: Some("Yes, there is a lesion.".into()), ..scores(0.7).into() };
    app.on_worker_event(Event::Prediction { case: 0, slot: 2, prediction: spoken });
    app
}

/// Words of retrieval as they stand on a screen.
fn words_of_retrieval(screen: &str) -> Vec<&str> {
    let words = screen.split(|letter: char| !letter.is_alphanumeric());
    let of_retrieval = ["hit", "hits", "HIT", "document", "documents", "caption", "captions", "head"];
    words.filter(|word| of_retrieval.contains(word)).collect()
}

#[test]
fn the_screen_speaks_of_models() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let shown = text(&screen(&mut app, width, height));
        assert_eq!(words_of_retrieval(&shown), [""; 0], "{shown}");
        for expected in ["alpha-7b", "beta", "gamma", "! 1 of 3 differ"] {
            assert!(shown.contains(expected), "{expected}\n{shown}");
        }
    }
    let wide = text(&screen(&mut app, 200, 60));
    assert!(wide.contains("Yes, there is a lesion."), "{wide}");
    app.update(Action::ToggleGold);
    app.update(Action::SwitchFocus);
    app.update(Action::NextHit);
    app.update(Action::NextHit);
    app.update(Action::DropHit);
    for (width, height) in [(80, 24), (120, 40)] {
        let shown = text(&screen(&mut app, width, height));
        assert_eq!(words_of_retrieval(&shown), [""; 0], "{shown}");
        assert!(shown.contains("put model back") || shown.contains("without model 3"), "{shown}");
    }
}

#[test]
fn enlarged_models_have_no_picture() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Enlarge);
    app.update(Action::SwitchImage);
    let shown = text(&screen(&mut app, 100, 30));
    assert!(shown.contains("no image: a model's own answer"), "{shown}");
    assert!(!shown.contains("cannot") && !shown.contains("No such file"), "{shown}");
}
