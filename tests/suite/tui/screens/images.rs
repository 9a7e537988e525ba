//! Images in the panes, missing, switched off, enlarged and in the terminal's own pixels.

use super::{assert_screen, explorer, explorer_with};
use crate::support::explorer::{hits, screen, text};
use dissent::pipeline::Event;
use dissent::terminal::image_protocol::ImageMode;
use dissent::terminal::images::ViewChange;
use dissent::tui::App;
use dissent::tui::action::Action;
use dissent::tui::state::image_panes::Enlarged;

#[test]
fn a_missing_image_costs_one_pane() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    std::fs::remove_file(folder.path().join("images/q1.png")).unwrap();
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.contains("No such"), "{shown}");
    assert!(shown.contains("Lobulat"), "the hits are still there: {shown}");
}

#[test]
fn without_images_their_names_are_shown_and_the_rows_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer_with(folder.path(), |setting| setting.images = ImageMode::Off);
    for size in [(80, 24), (120, 40)] {
        assert_screen(&mut app, size, "without-images");
    }
    let (width, height) = (200, 60);
    let shown = text(&screen(&mut app, width, height));
    assert!(shown.contains("q1.png") && shown.contains("d0.png"), "{shown}");
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

#[test]
fn an_enlarged_image_zoomed_and_windowed() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Enlarge);
    for change in [ViewChange::ZoomIn, ViewChange::ZoomIn, ViewChange::Right, ViewChange::Width(-40)] {
        app.update(Action::View(change));
    }
    for size in SIZES {
        assert_screen(&mut app, size, "enlarged");
    }
}

#[test]
fn an_enlarged_hit_has_its_caption_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::NextHit);
    app.update(Action::Enlarge);
    for size in SIZES {
        assert_screen(&mut app, size, "enlarged-hit");
    }
}

#[test]
fn query_and_hit_are_enlarged_side_by_side_with_one_view() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Enlarge);
    app.update(Action::BothImages);
    app.update(Action::View(ViewChange::Right));
    for size in SIZES {
        assert_screen(&mut app, size, "enlarged-both");
    }
    let keys_before = app.images().pictures().take_wanted();
    app.update(Action::View(ViewChange::Invert));
    screen(&mut app, 120, 40);
    let shown = text(&screen(&mut app, 120, 40));
    assert!(shown.contains("query · inverted") && shown.contains("us-doc-003 · inverted"), "{shown}");
    assert!(keys_before.is_empty());
    app.update(Action::BothImages);
    assert_eq!(app.images().enlarged(), Some(Enlarged::One));
    // The choice is kept for the next time.
    for action in [Action::BothImages, Action::Cancel, Action::Enlarge] {
        app.update(action);
    }
    assert_eq!(app.images().enlarged(), Some(Enlarged::Both));
}

#[test]
fn the_contact_sheet_has_every_hit_with_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::ToggleGold);
    app.update(Action::NextHit);
    app.update(Action::ContactSheet);
    for size in SIZES {
        assert_screen(&mut app, size, "contact-sheet");
    }
    let shown = text(&screen(&mut app, 120, 40));
    assert_eq!((shown.matches(" right").count(), shown.matches(" wrong").count()), (1, 4), "{shown}");
    app.update(Action::ToggleGold);
    let hidden = text(&screen(&mut app, 120, 40));
    assert!(!hidden.contains(" right") && !hidden.contains(" wrong"), "{hidden}");
    // Enter enlarges the hit; Esc leads back to the case.
    app.update(Action::SwitchImage);
    assert_eq!(app.images().enlarged(), Some(Enlarged::One));
    app.update(Action::ContactSheet);
    app.update(Action::Cancel);
    assert_eq!(app.images().enlarged(), Some(Enlarged::One));
    app.update(Action::Cancel);
    assert_eq!(app.images().enlarged(), None);
}

#[test]
fn a_contact_sheet_of_more_hits_than_fit_scrolls() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    let many: Vec<_> = hits().into_iter().cycle().take(118).collect();
    app.on_worker_event(Event::Hits { case: 1, hits: many });
    app.update(Action::ContactSheet);
    for hit in [0, 5, 60, 117] {
        while app.selection().hit() < hit {
            app.update(Action::NextHit);
        }
        for (width, height) in SIZES {
            let shown = text(&screen(&mut app, width, height));
            assert!(shown.contains(&format!("▸{} us-doc-", hit + 1)), "{shown}");
            assert!(shown.contains(" of 118"), "{shown}");
        }
    }
    assert_screen(&mut app, (80, 24), "contact-sheet-many");
    // What one frame shows is kept, so that nothing is loaded again and again.
    screen(&mut app, 200, 60);
    screen(&mut app, 200, 60);
    assert!(app.images().pictures().take_wanted().is_empty());
}

/// At 120×40 and 200×60, the two images of the case take at least 80 % of the width right of the queue.
#[test]
fn the_images_use_the_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    for (width, height) in [(120, 40), (200, 60)] {
        screen(&mut app, width, height);
        let (query, document) = (app.drawn().query(), app.drawn().document());
        let pane = app.drawn().hits().width;
        assert!(u32::from(query.width + document.width) * 10 >= u32::from(pane) * 8, "{width}x{height}: {query}");
    }
}

#[test]
fn a_pixel_image_is_not_drawn_under_what_lies_over_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer_with(folder.path(), |setting| setting.images = ImageMode::Kitty { tmux: false });
    let has_image = |app: &mut App| text(&screen(app, 120, 40)).contains(['▀', '▄']);
    assert!(has_image(&mut app));
    app.update(Action::Note);
    assert!(!has_image(&mut app));
    app.update(Action::Cancel);
    assert!(has_image(&mut app));
}

/// A window or a zoom that was chosen for one image is gone with the next case, unless it is locked; the header says both.
#[test]
fn the_view_returns_to_as_stored_with_the_next_case_unless_it_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Enlarge);
    app.update(Action::View(ViewChange::Invert));
    app.update(Action::View(ViewChange::Level(10)));
    let header = |app: &mut App| text(&screen(app, 80, 24)).lines().next().unwrap().to_owned();
    assert!(header(&mut app).ends_with("images inverted level +10%"), "{}", header(&mut app));
    app.update(Action::SwitchImage);
    assert!(header(&mut app).ends_with("images inverted level +10%"), "the same case");
    app.update(Action::View(ViewChange::Down));
    assert!(!header(&mut app).contains("images "), "{}", header(&mut app));
    app.update(Action::View(ViewChange::Invert));
    app.update(Action::LockView);
    app.update(Action::View(ViewChange::Up));
    assert!(header(&mut app).ends_with("images inverted · locked"), "{}", header(&mut app));
    for size in [(80, 24), (120, 40), (200, 60)] {
        assert_screen(&mut app, size, "locked");
    }
    app.update(Action::Cancel);
    app.update(Action::LockView);
    app.update(Action::Down);
    assert!(!header(&mut app).contains("images "), "{}", header(&mut app));
}
