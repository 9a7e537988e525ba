//! The screen as an artefact: literal screens at the sizes that people have.

mod annotators;
mod captions;
mod case;
mod evidence;
mod help;
mod images;
mod models;
mod mouse;
mod overlays;
mod runs;
mod sampled;
mod sizes;
mod why;

use crate::support::annotations::annotation;
use crate::support::explorer::{answer, app_with, hits, other_run, ready, screen, text};
use dissent::annotation::CaseAnnotation;
use dissent::cases::comparison::Against;
use dissent::pipeline::Event;
use dissent::run::Ablation;
use dissent::tui::action::Action;
use dissent::tui::{App, Setting};
use std::sync::Arc;

/// Three cases read (the second inconsistent), one being read, the second annotated and selected.
fn explorer(root: &std::path::Path) -> App {
    explorer_with(root, |_| {})
}

/// The same, started with other settings.
fn explorer_with(root: &std::path::Path, change: impl FnOnce(&mut Setting)) -> App {
    let mut app = app_with(root, 12, change);
    app.on_worker_event(ready());
    answer(&mut app, 0, &[0.2, 0.3, 0.1, 0.4]);
    answer(&mut app, 1, &[0.91, 0.72, 0.33, 0.86]);
    answer(&mut app, 2, &[0.81, 0.7, 0.9, 0.6]);
    app.on_worker_event(Event::Hits { case: 3, hits: hits() });
    let own = CaseAnnotation { note: Some("margin copied".into()), ..annotation(&[0]) };
    app.set_annotation(1, Some(own.into()));
    app.update(Action::Down);
    app
}

/// The explorer with a second run on the three cases that are read.
fn with_two_runs(root: &std::path::Path) -> App {
    with_other_run(root, Ablation::default())
}

/// The same, where the second run withholds or swaps something. By the words for their labels, `us-doc-005` contradicts
/// `us-doc-001`, and `us-doc-004` contradicts `us-doc-002`.
fn with_other_run(root: &std::path::Path, ablation: Ablation) -> App {
    let alike = [0.9, 0.8, 0.7, 0.9];
    let other = other_run(&[(0, alike), (1, [0.2, 0.4, 0.9, 0.1]), (2, alike)]);
    let mut app = explorer_with(root, |setting| {
        setting.known.against = Some(Against { ablation, ..other });
        let labels = &mut Arc::make_mut(&mut setting.known.dataset).tasks[0].labels;
        labels[0].named_as = vec!["cyst".into(), "indistinct".into()];
        labels[1].named_as = vec!["circumscribed".into(), "spiculated".into()];
    });
    app.update(Action::ToggleGold);
    app
}

/// Compares the text with the snapshot of this name.
fn assert_snapshot(name: &str, shown: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false }, { insta::assert_snapshot!(name, shown) });
}

/// Compares what is drawn in a window of this size with the snapshot of this view; the usual view has no name.
fn assert_screen(app: &mut App, (width, height): (u16, u16), view: &str) {
    let size = format!("{width}x{height}");
    let name = if view.is_empty() { size } else { format!("{size}-{view}") };
    assert_snapshot(&name, &text(&screen(app, width, height)));
}
