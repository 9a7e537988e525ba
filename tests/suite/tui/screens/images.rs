//! Images in the panes, missing, switched off, enlarged and in the terminal's own pixels.

use super::{assert_screen, explorer, explorer_with};
use crate::support::explorer::{screen, text};
use dissent::terminal::image_protocol::ImageMode;
use dissent::terminal::images::ViewChange;
use dissent::tui::App;
use dissent::tui::action::Action;

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
    assert!(shown.contains("images/q1.png") && shown.contains("images/d0.png"), "{shown}");
}

#[test]
fn an_enlarged_image_zoomed_and_windowed() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Enlarge);
    for change in [ViewChange::ZoomIn, ViewChange::ZoomIn, ViewChange::Right, ViewChange::Width(-40)] {
        app.update(Action::View(change));
    }
    assert_screen(&mut app, (80, 24), "enlarged");
    assert_screen(&mut app, (120, 40), "enlarged");
}

#[test]
fn every_hit_has_its_image_where_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::ToggleGold);
    app.update(Action::NextHit);
    assert_screen(&mut app, (200, 60), "grid");
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
