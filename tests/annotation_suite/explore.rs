//! The explorer's queue is the assigned one, and what is said in it is kept as the options have it.

use crate::terminal::Pty;
use crate::torture::dataset;
use dissent::annotation::{AnnotationState, read_folder};
use std::path::Path;

fn explore(dataset: &Path, options: &[&str]) -> Pty {
    let home = dataset.to_str().unwrap();
    let arguments = [&["explore", home, "--annotator", "ada", "--images", "half", "--theme", "dark"], options].concat();
    let environment = [("HOME", home), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("USER", "ada")];
    Pty::start(Path::new(env!("CARGO_BIN_EXE_dissent")), &arguments, &environment, (120, 40))
}

fn state(dataset: &Path) -> AnnotationState {
    let (events, problems) = read_folder(&dataset.join(".dissent/annotations")).unwrap();
    assert_eq!(problems, []);
    AnnotationState::fold(events)
}

#[test]
fn the_explorer_shows_ones_own_part_then_what_is_left_then_ones_own_again() {
    let dataset = dataset(12);
    let shared = ["--annotators", "cy,ada,bob", "--overlap", "2", "--seed", "7", "--calibration", "3"];
    let mut pty = explore(dataset.path(), &shared);
    pty.wait_for(" 1/9 ");
    pty.type_keys("1");
    pty.wait_for("takes it back");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0, "{}", pty.screen());
    let mut pty = explore(dataset.path(), &[&shared[..], &["--only-mine-left"]].concat());
    pty.wait_for(" 1/8 ");
    pty.type_keys("q");
    pty.exit_code();

    let again = ["--review-own", "--after", "0"];
    let mut pty = explore(dataset.path(), &again);
    pty.wait_for(" 1/1 ");
    pty.type_keys("2");
    pty.wait_for("takes it back");
    pty.type_keys("q");
    pty.exit_code();
    let state = state(dataset.path());
    let passes: Vec<(u32, bool)> = state.passes().map(|(_, _, said)| (said.pass, said.blind)).collect();
    assert_eq!(passes, [(1, false), (2, true)]);
}
