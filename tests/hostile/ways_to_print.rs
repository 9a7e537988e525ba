//! Every message goes through `output.rs`, which makes safe what others wrote (issue 18, C1). Whoever prints by another way
//! is found here, and needs a reason.

use crate::ground::project;
use crate::support::source_files::source_files;
use std::fs;

/// Words in code that reaches standard output or standard error.
const WAYS: [&str; 9] =
    ["println!", "print!", "dbg!", "stdout()", "stderr()", "io::stdout", "io::stderr", "stdio::inherit", "/dev/tty"];

/// Files that have a way of their own, the lines with it, and why. A line more or less fails the test.
const ALLOWED: [(&str, usize, &str); 17] = [
    ("src/output.rs", 5, "the one way"),
    ("src/main.rs", 3, "asks what is a terminal, and where usage goes"),
    ("src/cli/build_progress.rs", 1, "only asks what is a terminal"),
    ("src/cli/costs.rs", 1, "only asks what is a terminal"),
    ("src/cli/doctor.rs", 3, "only asks what is a terminal"),
    ("src/cli/explore/mod.rs", 1, "only asks what is a terminal"),
    ("src/cli/predict_progress.rs", 1, "only asks what is a terminal"),
    ("src/cli/print_picture.rs", 1, "only asks what is a terminal"),
    ("src/cli/search.rs", 1, "only asks what is a terminal"),
    ("src/out_of_memory.rs", 1, "words of ours, when there is no memory for a copy"),
    ("src/terminal/guard.rs", 4, "the terminal's modes, and sequences of ours"),
    ("src/terminal/print_pixels.rs", 2, "sequences of crossterm"),
    ("src/terminal/query.rs", 2, "sequences of crossterm; asks the terminal"),
    ("src/tui/session/recording.rs", 1, "what ratatui drew"),
    ("src/terminal/screen.rs", 3, "sequences of crossterm"),
    ("crates/blas/src/left_out.rs", 1, "words of ours, before the program ends"),
    ("crates/models/src/model/checkpoint/mapped.rs", 1, "a measurement in a test"),
];

#[test]
fn messages_have_one_way_out() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for (name, path) in source_files(project()) {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let lines: Vec<&str> = lines.filter(|line| WAYS.iter().any(|way| line.contains(way))).collect();
        let allowed = ALLOWED.iter().find(|(file, ..)| *file == name).map_or(0, |(_, lines, _)| *lines);
        found += lines.len();
        if lines.len() != allowed {
            wrong.push(format!("{name}: {} lines print, {allowed} may:\n{}", lines.len(), lines.join("\n")));
        }
    }
    assert!(found > 0 && wrong.is_empty(), "say, print_line or print_styled of output.rs?\n{}", wrong.join("\n"));
}
