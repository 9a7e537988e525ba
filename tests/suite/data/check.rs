//! `dissent check` and `dissent import` as commands: every problem at once, exit codes, JSON.

use super::support::TinyDataset;
use crate::support::pictures::grey_png;
use crate::support::program;
use crate::support::program::PROGRAM;
use dissent::data::{Severity, check};
use std::fs;
use std::process::{Command, Output};

fn dissent(arguments: &[&str]) -> Output {
    program::dissent().args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn every_problem_is_listed_at_once_and_the_exit_code_is_1() {
    let tiny = TinyDataset::new();
    tiny.replace_line("cases.jsonl", 3, "{");
    tiny.replace_line(
        "cases.jsonl",
        5,
        r#"{"id":"c4","task":"other","split":"dev","image":"images/a.png","answer":"Yes"}"#,
    );
    tiny.replace_line(
        "cases.jsonl",
        17,
        r#"{"id":"c17","task":"lesion","split":"test","image":"images/gone.png","answer":"No"}"#,
    );
    let cut = &grey_png(40, 40, 3)[..60];
    fs::write(tiny.root().join("images/d2.png"), cut).unwrap();

    let root = tiny.root().to_str().unwrap();
    let output = dissent(&["check", root]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    for expected in [
        "cases.jsonl:3: not valid JSON",
        "cases.jsonl:5: task: unknown task \"other\"",
        "cases.jsonl:5: split: unknown split \"dev\"",
        "cases.jsonl:5: id: \"c4\" is already used on line 4",
        "cases.jsonl:17: image: cannot read image",
        "gone.png",
        "corpus.jsonl:2: image: ",
        "d2.png: the PNG file is cut short",
        "corpus: 3 documents",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("error: 6 problems in"), "{message}");
}

#[test]
fn json_has_the_same_problems() {
    let tiny = TinyDataset::new();
    tiny.replace_line(
        "cases.jsonl",
        17,
        r#"{"id":"c17","task":"lesion","split":"test","image":"images/a.png","answer":"?"}"#,
    );
    let output = dissent(&["check", "--json", tiny.root().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problem = value["problems"].as_array().unwrap().iter().find(|problem| problem["severity"] == "error").unwrap();
    assert_eq!((&problem["line"], &problem["field"]), (&17.into(), &"answer".into()));
    assert_eq!(value["summary"]["cases"]["lesion"]["train"]["Yes"], 4);
    assert_eq!(value["summary"]["sources"]["book"], 1);
}

#[test]
fn an_empty_corpus_is_a_problem_and_no_panic() {
    let tiny = TinyDataset::new();
    fs::write(tiny.root().join("corpus.jsonl"), "").unwrap();
    let output = dissent(&["check", tiny.root().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("corpus.jsonl: the corpus is empty"));
}

#[test]
fn a_missing_dataset_is_a_problem() {
    let output = dissent(&["check", "no/such/folder"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("no/such/folder: no such folder"));
    assert_eq!(dissent(&["check"]).status.code(), Some(2), "wrong usage");
}

#[test]
fn leaks_are_warnings_and_the_exit_code_is_0() {
    let tiny = TinyDataset::new();
    // Document d3 has the bytes of a.png, which cases of every split use.
    let output = dissent(&["check", tiny.root().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let report = check(tiny.root(), &|_, _| {});
    assert!(report.problems.iter().all(|problem| problem.severity == Severity::Warning));
    let text: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let text = text.join("\n");
    assert!(
        text.contains(
            "cases.jsonl:3: image: this test case has its image in the corpus (document \"d3\", corpus.jsonl:3)"
        ),
        "{text}"
    );
    assert!(
        text.contains("test cases share an image or a group with train cases; the first is \"c3\", with \"c1\""),
        "{text}"
    );
    assert!(!text.contains("this train case"), "{text}");
}

#[test]
fn a_group_shared_with_the_corpus_is_a_warning() {
    let tiny = TinyDataset::new();
    tiny.replace_line(
        "cases.jsonl",
        6,
        r#"{"id":"c6","task":"lesion","split":"test","image":"images/b.png","answer":"No","group":"patient 1"}"#,
    );
    let report = check(tiny.root(), &|_, _| {});
    let warning = report.problems.iter().find(|problem| problem.field.as_deref() == Some("group")).unwrap();
    assert_eq!(warning.line, Some(6));
    assert!(warning.message.contains("has its group in the corpus (document \"d2\""), "{warning}");
}

#[test]
fn a_dataset_that_cannot_be_written_can_be_checked() {
    let tiny = TinyDataset::new();
    // A file in the workspace's place: checking needs none.
    fs::write(tiny.root().join(".dissent"), b"").unwrap();
    assert_eq!(dissent(&["check", tiny.root().to_str().unwrap()]).status.code(), Some(0));
}

#[test]
fn import_lists_its_formats_and_refuses_others() {
    let output = dissent(&["import", "--list"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("medmnist\n") && stdout(&output).contains("vqa-rad\n"));

    let output = dissent(&["import", "dicom", "somewhere", "target"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("unknown format \"dicom\"; expected one of hf, path-vqa, medmnist")
    );
    let output = dissent(&["import", "roco", "somewhere", "target", "--language", "zh"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("--language: expected with slake, found with roco, which does not read it"), "{message}");
    assert_eq!(dissent(&["import", "medmnist"]).status.code(), Some(2), "wrong usage");

    let output = dissent(&["import", "medmnist", "no/such.npz", "target", "--labels", "a,b", "--question", "q"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot open no/such.npz"));
}

/// A limited file size stands in for a full disk: both fail in the middle of a write.
#[cfg(unix)]
#[test]
fn an_import_that_runs_out_of_space_says_so_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("pneumoniamnist.npz");
    fs::write(&source, super::import_medmnist::small_npz()).unwrap();
    let target = folder.path().join("out");
    let run = |limit: &str| {
        Command::new("sh")
            .args(["-c", &format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\""), "sh"])
            .args([PROGRAM, "import", "medmnist"])
            .args([&source, &target])
            .output()
            .unwrap()
    };
    let output = run("1");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("cannot write cases.jsonl (is the disk full?)"), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the source is left");
    assert_eq!(run("unlimited").status.code(), Some(0));
}
