//! The help page and the definitions of the categories.

use super::{assert_screen, assert_snapshot, explorer, explorer_with};
use crate::support::explorer::{screen, text};
use dissent::tui::App;
use dissent::tui::action::{Action, Context, bindings};

#[test]
fn the_help_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer_with(folder.path(), |setting| {
        setting.left_out.push("line 17 of cases.jsonl was left out: unknown label".into());
    });
    app.update(Action::Help);
    // The dataset's folder has another name each time.
    let root = folder.path().display().to_string();
    let page = text(&screen(&mut app, 100, 337));
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
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        app.update(Action::Help);
        assert_screen(&mut app, (width, height), "help");
    }
}

#[test]
fn everyday_words_find_the_line_of_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    for (word, line) in [
        ("report", "Write the queue as one HTML page"),
        ("export", "Write the queue as one HTML page"),
        ("save", "Add the changed fusion and its answer to the note"),
        ("quit", "Quit at once"),
        ("exit", "Quit at once"),
        ("undo", "Undo every change to the fusion"),
        ("zoom", "Enlarge the image to the whole screen"),
        ("compare", "show both runs side by side"),
        ("gold", "(only while gold is shown)"),
        ("label", "the labels of the task"),
        ("find", "Search the captions of the corpus"),
    ] {
        app.update(Action::Help);
        app.update(Action::Search);
        app.paste(word);
        let shown = text(&screen(&mut app, 120, 40));
        assert!(shown.contains(&format!("help: {word}")) && shown.contains(line), "{word}: {shown}");
        app.update(Action::Accept);
        app.update(Action::Cancel);
    }
    app.update(Action::Palette);
    app.paste("report");
    let shown = text(&screen(&mut app, 120, 40));
    assert!(shown.contains("export-queue"), "{shown}");
}

#[test]
fn the_definitions() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        app.update(Action::Definitions);
        assert_screen(&mut app, (width, height), "definitions");
    }
}

#[test]
fn help_opens_at_the_view_it_was_called_from_and_goes_back_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Overview);
    app.update(Action::Help);
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.lines().nth(2).unwrap().contains("Overview"), "{shown}");
    app.update(Action::Cancel);
    assert_eq!(app.context(), Context::Overview);
}

#[test]
fn the_help_page_is_searched() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Help);
    app.update(Action::Search);
    app.paste("temperature");
    let first = |app: &mut App| text(&screen(app, 80, 24)).lines().nth(2).unwrap().to_owned();
    assert!(first(&mut app).contains("Lower the temperature"), "{}", first(&mut app));
    app.update(Action::Accept);
    app.update(Action::NextMatch);
    assert!(first(&mut app).contains("Raise the temperature"), "{}", first(&mut app));
    app.update(Action::PreviousMatch);
    assert!(first(&mut app).contains("Lower the temperature"));
    assert_screen(&mut app, (80, 24), "help-search");
    app.update(Action::Search);
    app.paste("zebra");
    assert!(text(&screen(&mut app, 80, 24)).contains("help: nothing has zebra"));
}
