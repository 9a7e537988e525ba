//! A reader without log-probabilities: shares of sampled answers, marked `≈` wherever one stands.

use super::assert_screen;
use crate::support::explorer::{app_with, hits, ready, screen, text};
use dissent::pipeline::{Event, ModelDescription};
use dissent::run::{LabelSamples, Prediction};
use dissent::tui::App;
use dissent::tui::action::Action;
use std::path::Path;

/// Counts of No and Yes, and of answers that name no label.
fn counted(counts: [u32; 2], unnamed: u32) -> Prediction {
    LabelSamples::of_counts(&counts, unnamed).into()
}

/// Three cases; with one hit of the first, most answers name no label.
fn sampled(root: &Path) -> App {
    let mut app = app_with(root, 3, |_| {});
    if let Event::Ready(models) = ready() {
        let reader = "gpt-4o (≈ of 5 answers) on OpenAI-compatible server".into();
        app.on_worker_event(Event::Ready(ModelDescription { reader, ..models }));
    }
    for case in 0..3 {
        app.on_worker_event(Event::Hits { case, hits: hits() });
        let said = [counted([1, 4], 0), counted([2, 3], 0), counted([4, 1], 0), counted([1, 0], 4)];
        for (slot, prediction) in said.into_iter().enumerate() {
            app.on_worker_event(Event::Prediction { case, slot, prediction });
        }
        app.on_worker_event(Event::ClosedBook { case, prediction: counted([5, 0], 0) });
    }
    app
}

#[test]
fn shares_of_sampled_answers_are_marked() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = sampled(folder.path());
    for size in [(80, 24), (120, 40)] {
        assert_screen(&mut app, size, "sampled");
    }
    app.update(Action::SwitchImage);
    app.update(Action::NextHit);
    assert_screen(&mut app, (80, 24), "sampled-document");
}

/// No probability on any screen is without its mark.
#[test]
fn no_share_looks_like_a_probability() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = sampled(folder.path());
    for (width, height) in [(80, 24), (100, 24), (120, 40), (200, 60)] {
        let shown = text(&screen(&mut app, width, height));
        for share in ["0.80", "0.60", "0.40"] {
            let (all, marked) = (shown.matches(share).count(), shown.matches(&format!("≈{share}")).count());
            assert!(
                all > 0 && all == marked,
                "{width} x {height}: {share} stands {all} times, {marked} times marked\n{shown}"
            );
        }
    }
}
