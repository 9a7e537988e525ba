//! Annotations on the screen are on disk, and annotations that could not be saved are not shown.

use super::Setup;
use crate::support::program::PROGRAM;
use crate::support::pty::Pty;
use nix::sys::signal::Signal;
use std::fs;
use std::path::Path;

#[test]
fn what_is_shown_as_marked_survives_a_kill() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("3");
    pty.wait_for("Right evidence ignored (u takes it back)");
    pty.wait_for("us-test-0002 · test");
    pty.type_keys("nlook at hit 2\r");
    pty.wait_for("note saved");
    pty.signal(Signal::SIGKILL);
    pty.exit_code();
    let journal = setup.journal();
    assert!(journal.contains("\"us-test-0001\"") && journal.contains("evidence-ignored"), "{journal}");
    assert!(journal.contains("look at hit 2"), "{journal}");
    let pty = setup.start(&[], (80, 24));
    // A note is no label.
    pty.wait_for("1 labelled");
}

#[test]
fn filter_and_place_survive_a_kill() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("f-id:0001\r");
    pty.wait_for("▶ -id:0001");
    pty.type_keys("3");
    pty.wait_for("us-test-0003 · test");
    let state = setup.dataset().join(".dissent/explorer/ada.toml");
    pty.wait_until("the place on disk", |_| {
        fs::read_to_string(&state).is_ok_and(|text| text.contains("case = \"us-test-0003\""))
    });
    pty.signal(Signal::SIGKILL);
    pty.exit_code();
    let pty = setup.start(&[], (80, 24));
    pty.wait_for("us-test-0003 · test");
    pty.wait_for("▶ -id:0001");
}

/// A filter by the gold answer says it about every case that it leaves, opened or not.
#[test]
fn cases_labelled_at_once_are_not_blind_under_a_filter_by_gold() {
    for (filter, are_blind) in [("label:yes", false), ("id:us-test", true)] {
        let setup = Setup::new();
        let mut pty = setup.explore();
        pty.type_keys(&format!("f{filter}\r"));
        pty.wait_for(&format!("▶ {filter}"));
        pty.type_keys("L1\r");
        pty.wait_for("cases labelled (u takes all of them back)");
        pty.type_keys("q");
        assert_eq!(pty.exit_code(), 0);
        let journal = setup.journal();
        let blind: Vec<bool> = journal.lines().map(|line| line.contains("\"blind\":true")).collect();
        assert!(blind.len() > 1 && blind.iter().all(|blind| *blind == are_blind), "{filter}: {journal}");
    }
}

#[test]
fn a_mark_that_a_full_disk_refuses_does_not_show() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    // Beyond the smallest limit that a shell can set.
    let long = "x".repeat(1200);
    pty.type_keys(&format!("n\x1b[200~{long}\x1b[201~\r"));
    pty.wait_for("note saved");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    let before = setup.journal();
    let (dataset, home) = (setup.dataset(), setup.folder.path().join("home"));
    let script = format!("ulimit -f 1; exec {} explore {}", PROGRAM, dataset.display());
    let environment = [("HOME", home.to_str().unwrap()), ("TERM", "xterm"), ("USER", "ada")];
    let mut pty = Pty::start(Path::new("/bin/sh"), &["-c", &script], &environment, (80, 24));
    pty.wait_for("us-test-0001 · test");
    pty.type_keys("1");
    pty.wait_for("not saved: ");
    assert!(pty.screen().contains("us-test-0001 · test") && pty.screen().contains("0 labelled"), "{}", pty.screen());
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    pty.assert_restored();
    assert_eq!(setup.journal(), before);
}

#[test]
fn an_annotator_that_is_no_file_name_can_look_and_not_mark() {
    let setup = Setup::new();
    let dataset = setup.dataset();
    let environment = [("HOME", dataset.to_str().unwrap()), ("TERM", "xterm")];
    let arguments = ["explore", dataset.to_str().unwrap(), "--annotator", "a/b"];
    let mut pty = Pty::start(Path::new(PROGRAM), &arguments, &environment, (80, 24));
    pty.wait_for("annotations cannot be saved:");
    pty.type_keys("1");
    pty.wait_for("not saved: annotator");
    pty.wait_for("0 labelled");
}

#[test]
fn pasted_text_goes_into_the_note_and_keys_in_it_do_nothing() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("\x1b[200~qq1\x1b[201~");
    pty.type_keys("n\x1b[200~quit\nnot\x1b[201~\r");
    pty.wait_for("note saved");
    assert!(setup.journal().contains("\"quit not\""), "{}", setup.journal());
}
