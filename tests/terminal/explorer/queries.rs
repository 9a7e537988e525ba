//! The explorer's queries to the terminal, and answers that arrive between keys.

use super::Setup;
use crate::support::program::PROGRAM;
use crate::support::pty::Pty;
use std::path::Path;

/// kitty's answers to the queries: graphics, cell size and device attributes.
const KITTY_SAYS: &str = "\x1b_Gi=31;OK\x1b\\\x1b[6;16;8t\x1b[?62;c";

#[test]
fn an_answer_of_the_terminal_that_comes_late_presses_no_key() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    assert!(pty.bytes().windows(5).any(|part| part == b"\x1b]11;"), "the terminal was not asked");
    pty.type_keys("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[?62;4c");
    pty.type_keys("j");
    pty.wait_for("us-test-0002 · test");
    assert!(pty.screen().contains("0 labelled"), "{}", pty.screen());
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    assert!(setup.journal().is_empty());
}

#[test]
fn what_is_typed_while_the_terminal_is_asked_is_not_lost() {
    let setup = Setup::new();
    let (dataset, home) = (setup.dataset(), setup.folder.path().join("home"));
    let environment = [("HOME", home.to_str().unwrap()), ("TERM", "xterm-kitty"), ("USER", "ada")];
    let arguments = ["explore", dataset.to_str().unwrap(), "--theme", "dark"];
    let mut pty = Pty::start(Path::new(PROGRAM), &arguments, &environment, (80, 24));
    pty.wait_until("a query", |pty| pty.bytes().windows(4).any(|part| part == b"a=q,"));
    pty.type_keys(&format!("j{KITTY_SAYS}"));
    pty.wait_for("us-test-0002 · test");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_terminal_that_names_itself_gets_the_characters_that_it_draws() {
    let setup = Setup::new();
    let (dataset, home) = (setup.dataset(), setup.folder.path().join("home"));
    let environment =
        [("HOME", home.to_str().unwrap()), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("USER", "ada")];
    let arguments = ["explore", dataset.to_str().unwrap(), "--theme", "dark"];
    let mut pty = Pty::start(Path::new(PROGRAM), &arguments, &environment, (80, 24));
    // The answers are there before the program asks, so it does not matter how slow this machine is.
    pty.type_keys("j\x1b]11;rgb:0000/0000/0000\x1b\\\x1bP>|foot(1.20.2)\x1b\\\x1b[?62;4c");
    pty.wait_for("us-test-0002 · test");
    let is_octant = |character: char| ('\u{1cd00}'..='\u{1cde5}').contains(&character);
    pty.wait_until("octants", |pty| String::from_utf8_lossy(&pty.bytes()).contains(is_octant));
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn z_in_capitals_shows_the_image_in_the_terminals_own_pixels_until_a_key() {
    let setup = Setup::new();
    let (dataset, home) = (setup.dataset(), setup.folder.path().join("home"));
    let environment = [("HOME", home.to_str().unwrap()), ("TERM", "xterm-kitty"), ("USER", "ada")];
    let arguments = ["explore", dataset.to_str().unwrap(), "--theme", "dark"];
    let mut pty = Pty::start(Path::new(PROGRAM), &arguments, &environment, (80, 24));
    let queries = |pty: &Pty| pty.bytes().windows(4).filter(|part| part == b"a=q,").count();
    let asked = |pty: &Pty, count: usize| pty.wait_until("a query", |pty| queries(pty) >= count);
    asked(&pty, 1);
    pty.type_keys(KITTY_SAYS);
    pty.wait_for("us-test-0001 · test");
    pty.type_keys("Z");
    // viuer asks once more, and then whether files can be shared, which they cannot over SSH.
    asked(&pty, 2);
    pty.type_keys(KITTY_SAYS);
    asked(&pty, 3);
    pty.type_keys("\x1b_Gi=31;EBADF\x1b\\");
    let contains = |pty: &Pty, what: &str| String::from_utf8_lossy(&pty.bytes()).contains(what);
    pty.wait_until("the image", |pty| contains(pty, "_Gf=32,a=T,t=d,s=460,v=460,c=46,r=23"));
    assert!(!pty.screen().contains("us-test-0001 · test"), "{}", pty.screen());
    pty.type_keys("j");
    pty.wait_for("us-test-0001 · test");
    assert!(contains(&pty, "_Ga=d,d=A"), "the image stays in the terminal");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    pty.assert_restored();
}

#[test]
fn where_only_half_blocks_are_shown_full_screen_says_so() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("Z");
    pty.wait_for("this terminal shows no pixel");
}
