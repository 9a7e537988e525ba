//! Every size of a window.

use super::{explorer, with_two_runs};
use crate::support::explorer::{hits, screen, text};
use dissent::pipeline::Event;
use dissent::terminal::images::ViewChange;
use dissent::tui::App;
use dissent::tui::action::Action;

#[test]
fn a_window_too_small_says_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    for (width, height) in [(59, 14), (59, 40), (200, 14), (20, 1)] {
        let shown = text(&screen(&mut app, width, height));
        assert!(
            shown.starts_with("dissent needs 60x15") || width < 20 || shown.starts_with("dissent needs"),
            "{shown}"
        );
        assert_eq!(shown.lines().filter(|line| !line.is_empty()).count(), 1, "{shown}");
    }
    insta::assert_snapshot!(text(&screen(&mut app, 59, 14)).trim_end(), @"dissent needs 60x15 characters; this window has 59x14");
}

#[test]
fn every_size_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = with_two_runs(folder.path());
    let (none, enlarged): (&[Action], &[Action]) = (&[], &[Action::Enlarge, Action::View(ViewChange::ZoomIn)]);
    let views: [&[Action]; 12] = [
        none,
        &[Action::Compare],
        enlarged,
        &[Action::Enlarge, Action::BothImages],
        &[Action::ContactSheet],
        &[Action::Help],
        &[Action::Search],
        &[Action::Note],
        &[Action::Filter],
        &[Action::Overview],
        &[Action::Order],
        &[Action::SaveView],
    ];
    for actions in views {
        for action in actions {
            app.update(action.clone());
        }
        every_size(&mut app);
        app.update(Action::Cancel);
    }
    // More hits than any screen has rows, the last selected: the table and the contact sheet scroll.
    let many: Vec<_> = hits().into_iter().cycle().take(40).collect();
    app.on_worker_event(Event::Hits { case: 1, hits: many });
    for _ in 0..40 {
        app.update(Action::NextHit);
    }
    assert_eq!(app.selection().hit(), 39);
    every_size(&mut app);
    app.update(Action::Compare);
    every_size(&mut app);
    app.update(Action::ContactSheet);
    every_size(&mut app);
}

fn every_size(app: &mut App) {
    for width in [1, 60, 61, 79, 99, 100, 131, 220] {
        for height in [1, 15, 16, 24, 29, 30, 31, 60] {
            screen(app, width, height);
        }
    }
}
