//! The files of docs/how-to/bring-your-own-run.py, which no model of ours made: imported, evaluated, exported, annotated.

use crate::support::fixtures::{path, sample};
use crate::support::program::{dissent, stdout_of};
use dissent::annotation::AnnotationState;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A command on the sample with this workspace.
fn command(words: &[&str], workspace: &Path) -> Command {
    let mut command = dissent();
    command.args(words).arg("--workspace").arg(workspace);
    command
}

fn run(words: &[&str], workspace: &Path) -> String {
    stdout_of(&command(words, workspace).output().unwrap())
}

#[test]
fn a_run_of_another_program_is_imported_evaluated_and_annotated() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    let dataset = sample("dataset");
    let dataset = dataset.to_str().unwrap();
    let file = path("own_run/predictions.jsonl");
    let said = run(&["import", "predictions", dataset, file.to_str().unwrap(), "--as", "own"], workspace);
    let lines = fs::read_to_string(&file).unwrap().lines().count();
    assert!(said.contains(&format!("{lines} of {lines} answers belong to a case")), "{said}");
    assert!(said.contains("run own of caption-believer: 40 cases"), "{said}");

    let evaluate = |name: &str| run(&["evaluate", dataset, "--runs", name, "--csv", "--tables", "all"], workspace);
    let figures = evaluate("own");
    let figure = |begin: &str| {
        let line = figures.lines().find(|line| line.starts_with(begin));
        line.unwrap_or_else(|| panic!("{begin}: {figures}")).to_owned()
    };
    // Counted by hand in the file: the documents of 34 of the 40 cases say different labels.
    assert!(figure("disagreement,\"Disagreement, malignancy\",test,own,inconsistent,").contains(",0.85,"));
    // Without a document the model wrote words, so there is no AUC of them.
    assert!(figures.contains("closed-book (own)"), "{figures}");

    // Exported and imported again: the same figures to the last digit.
    let exported = folder.path().join("exported.jsonl");
    let exported = exported.to_str().unwrap();
    run(&["export", "predictions", dataset, "--run", "own", "--out", exported], workspace);
    run(&["import", "predictions", dataset, exported, "--as", "again"], workspace);
    assert_eq!(evaluate("again").replace("again", "own"), figures);

    let mut child =
        command(&["annotate", dataset, "--run", "own", "--annotator", "ada", "--cases", "us-t0001"], workspace)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    child.stdin.take().unwrap().write_all(b"hit 1 1\n2\n").unwrap();
    let page = stdout_of(&child.wait_with_output().unwrap());
    assert!(page.contains("hit 1: us-d"), "{page}");
    let (state, problems) = AnnotationState::read(&workspace.join("annotations")).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let annotation = state.of("ada", "us-t0001").unwrap();
    assert!(annotation.is_labelled() && annotation.hits.len() == 1, "{annotation:?}");
}

#[test]
fn runs_of_the_reference_code_come_in_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let line = concat!(
        r#"{"query": "q?", "answers": "Yes", "generation": "Yes", "passages": [{"img_path": "d.png", "text": "t"}], "#,
        r#""metadata": {"image_path": "c.png"}}"#,
        "\n",
        r#"{"query": "q?", "answers": "No", "generation": "Yes", "passages": [{"img_path": "e.png", "text": "u"}], "#,
        r#""metadata": {"image_path": "b.png"}}"#,
        "\n"
    );
    let file = folder.path().join("S-step-0.jsonl");
    fs::write(&file, line).unwrap();
    let (file, out) = (file.to_str().unwrap(), folder.path().join("out"));
    let out = out.to_str().unwrap();
    let workspace = folder.path().join("workspace");
    let said = run(&["import", "predictions", file, out, "--heads", "image", "--run", "old"], &workspace);
    assert!(said.contains("run old in"), "{said}");
    let refused = |words: &[&str]| {
        let output = command(words, &workspace).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let candidates = refused(&["import", "predictions", file, "new", "--candidates"]);
    assert!(candidates.contains("--candidates: expected after a dataset folder"), "{candidates}");
    let heads = refused(&["import", "predictions", out, file, "--heads", "image"]);
    assert!(heads.contains("--heads: expected with a file of the reference code"), "{heads}");
}
