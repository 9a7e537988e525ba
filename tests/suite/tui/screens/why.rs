//! The page that explains a prediction.

use super::assert_screen;
use crate::tui::update::why::{asked, explanation, opened};
use dissent::pipeline::{Event, ExplainOutcome};
use dissent::tui::action::Action;

#[test]
fn why_at_every_size() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = opened(folder.path());
        app.update(Action::NextHit);
        let (ticket, request, _) = asked(&app.update(Action::Why));
        let caption = app.shown_document().unwrap().caption.to_owned();
        let outcome = Ok(ExplainOutcome::Explained(Box::new(explanation(&caption))));
        app.on_worker_event(Event::Explained { ticket, request, outcome });
        assert_screen(&mut app, size, "why");
    }
}
