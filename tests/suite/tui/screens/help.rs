//! The help page and the definitions of the categories.

use super::{assert_screen, assert_snapshot, explorer, explorer_with};
use crate::support::explorer::{screen, text};
use dissent::tui::action::{Action, bindings};

#[test]
fn the_help_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer_with(folder.path(), |setting| {
        setting.left_out.push("line 17 of cases.jsonl was left out: unknown label".into());
    });
    app.update(Action::Help);
    // The dataset's folder has another name each time.
    let root = folder.path().display().to_string();
    let page = text(&screen(&mut app, 100, 330));
    let lines: Vec<&str> = page.lines().filter(|line| !line.contains(&root)).collect();
    assert_snapshot("help", &lines.join("\n"));
}

#[test]
fn the_help_page_names_every_action() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Help);
    let help = text(&screen(&mut app, 140, 360));
    for binding in bindings() {
        assert!(help.contains(binding.description), "help says nothing of {}", binding.name);
    }
}

#[test]
fn help_starts_with_what_one_needs_first() {
    for (width, height) in [(80, 24), (120, 40)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        app.update(Action::Help);
        assert_screen(&mut app, (width, height), "help");
    }
}

#[test]
fn the_definitions() {
    for (width, height) in [(80, 24), (120, 40)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        app.update(Action::Definitions);
        assert_screen(&mut app, (width, height), "definitions");
    }
}
