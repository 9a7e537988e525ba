//! What the explorer gives to other programs: the queue as a page, an image to look at.

use super::Setup;
use std::fs;

#[test]
fn the_queue_is_written_as_a_page_and_its_path_is_copied() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("E");
    pty.wait_for("ultrasound-phantom-1.html");
    let path = setup.dataset().join(".dissent/casebooks/ultrasound-phantom-1.html");
    let page = fs::read_to_string(&path).unwrap();
    assert_eq!((page.matches("<article ").count(), page.matches("src=\"data:image/").count()), (6, 6));
    // OSC 52 with the path in base64.
    let copied = [b"\x1b]52;c;".as_slice(), base64(path.to_str().unwrap()).as_bytes()].concat();
    pty.wait_until("the clipboard", |pty| pty.bytes().windows(copied.len()).any(|part| part == copied));
    pty.type_keys("E");
    let second = path.with_file_name("ultrasound-phantom-2.html");
    pty.wait_until("a second page", |_| second.is_file());
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    let named = format!("{}: 6 cases, ", second.display()).into_bytes();
    assert!(pty.bytes().windows(named.len()).any(|part| part == named), "leaving names the page: {}", pty.screen());
}

#[test]
fn an_enlarged_image_is_opened_by_the_viewer_that_is_set() {
    let setup = Setup::new();
    let copy = setup.dataset().join("opened.png");
    let viewer = format!("cp {{}} {}", copy.display());
    let mut pty = setup.explore_with(&[("DISSENT_VIEWER", &viewer)], (80, 24));
    pty.type_keys("z");
    pty.wait_for("v both");
    pty.type_keys("o");
    pty.wait_until("the copy", |_| fs::read(&copy).is_ok_and(|bytes| bytes.ends_with(b"IEND\xaeB`\x82")));
    assert_eq!(fs::read(&copy).unwrap(), fs::read(setup.dataset().join("images/q0.png")).unwrap());
    pty.type_keys("qq");
    assert_eq!(pty.exit_code(), 0);
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
