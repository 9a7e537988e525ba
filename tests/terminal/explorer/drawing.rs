//! Output to the terminal: sizes, colours, the mouse, and silence while nothing happens.

use super::Setup;
use crate::support::pty::Pty;

#[test]
fn an_idle_explorer_writes_nothing() {
    let setup = Setup::new();
    let pty = setup.explore();
    pty.wait_for("no answers");
    pty.wait_until("the query image", |pty| pty.screen().contains('▄') || pty.screen().contains('▀'));
    // Images of the next cases are loaded after the visible one and change nothing.
    pty.wait_for_silence();
}

#[test]
fn resizing_redraws_and_a_small_window_says_so() {
    let setup = Setup::new();
    let pty = setup.explore();
    pty.resize(59, 14);
    pty.wait_for("dissent needs 60x15 characters; this window has 59x14");
    pty.resize(120, 40);
    pty.wait_for("error categories");
    pty.wait_for("us-test-0001 · test");
}

#[test]
fn no_color_keeps_the_selection_and_sends_no_colour() {
    let setup = Setup::new();
    let mut pty = setup.explore_with(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")], (80, 24));
    pty.wait_for("no answers");
    pty.type_keys("j");
    pty.wait_for("us-test-0002 · test");
    let bytes = String::from_utf8_lossy(&pty.bytes()).into_owned();
    for color in ["38;2;", "48;2;", "38;5;", "48;5;"] {
        assert!(!bytes.contains(color), "{color} was sent");
    }
    let codes = bytes.split("\x1b[").filter_map(|part| part.split_once('m'));
    let is_reversed = codes.into_iter().any(|(codes, _)| codes.split(';').any(|code| code == "7"));
    assert!(is_reversed, "the selection is not reversed");
}

#[test]
fn two_hundred_fifty_six_colours_are_enough_where_no_more_are_promised() {
    let setup = Setup::new();
    let pty = setup.explore();
    pty.wait_until("the query image", |pty| pty.screen().contains('▄') || pty.screen().contains('▀'));
    let bytes = String::from_utf8_lossy(&pty.bytes()).into_owned();
    assert!(bytes.contains("38;5;") && !bytes.contains("38;2;"));
}

#[test]
fn the_mouse_is_reported_when_asked_for_and_given_back() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    let sent = |pty: &Pty, what: &[u8]| pty.bytes().windows(what.len()).any(|part| part == what);
    assert!(!sent(&pty, b"\x1b[?1000h"));
    pty.type_keys("M");
    pty.wait_until("mouse capture", |pty| sent(pty, b"\x1b[?1000h"));
    // The fourth case: row 6, counted from one, SGR encoding.
    pty.type_keys("\x1b[<0;5;6M\x1b[<0;5;6m");
    pty.wait_for("us-test-0004 · test");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    assert!(sent(&pty, b"\x1b[?1000l"));
}
