//! A run that no model of ours made, in the explorer: the files of docs/how-to/bring-your-own-run.py.

use crate::support::fixtures::{path, sample};
use crate::support::program::{PROGRAM, dissent, stdout_of};
use crate::support::pty::Pty;
use std::fs;
use std::path::Path;

#[test]
fn a_run_of_another_program_is_explored_and_labelled() {
    let folder = tempfile::tempdir().unwrap();
    let (home, workspace) = (folder.path().join("home"), folder.path().join("workspace"));
    fs::create_dir(&home).unwrap();
    let (dataset, workspace) = (sample("dataset"), workspace.to_str().unwrap().to_owned());
    let file = path("own_run/predictions.jsonl");
    let import = dissent()
        .args(["import", "predictions", dataset.to_str().unwrap(), file.to_str().unwrap(), "--as", "own"])
        .args(["--workspace", workspace.as_str()])
        .output();
    stdout_of(&import.unwrap());
    let environment =
        [("HOME", home.to_str().unwrap()), ("TERM", "xterm-256color"), ("USER", "ada"), ("RUST_BACKTRACE", "0")];
    let arguments =
        ["explore", dataset.to_str().unwrap(), "--run", "own", "--annotator", "ada", "--workspace", workspace.as_str()];
    let mut pty = Pty::start(Path::new(PROGRAM), &arguments, &environment, (80, 24));
    pty.wait_for("us-t0001 · test · malignancy");
    pty.wait_for("stored run own");
    // The first hit of the file, found by its image head.
    pty.wait_for("1 image   0.980");
    pty.type_keys("g");
    pty.wait_for("gold seen");
    pty.type_keys("5");
    pty.wait_for("us-t0002 · test");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    let journals: Vec<_> = fs::read_dir(Path::new(&workspace).join("annotations")).unwrap().flatten().collect();
    let text: String = journals.iter().filter_map(|entry| fs::read_to_string(entry.path()).ok()).collect();
    assert!(text.contains("\"us-t0001\""), "{text}");
}
