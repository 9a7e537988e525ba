//! The files of docs/how-to/bring-your-own-run.py, which no model of ours made: imported, evaluated, exported, annotated.

use crate::support::fixtures::{path, sample};
use crate::support::program::{dissent, stdout_of};
use dissent::annotation::AnnotationState;
use dissent::data::Dataset;
use dissent::run::hit_lists::read_hits;
use serde_json::Value;
use std::collections::BTreeMap;
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

/// The vectors make an index, and the hits of the predictions are those of the TREC file.
#[test]
fn vectors_and_hits_of_another_program_belong_together() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = sample("dataset");
    let (images, captions, queries) =
        (path("own_run/images.npy"), path("own_run/captions.npy"), path("own_run/queries.npy"));
    let mut index = command(&["index", dataset.to_str().unwrap()], folder.path());
    index
        .arg("--image-vectors")
        .arg(&images)
        .arg("--caption-vectors")
        .arg(&captions)
        .arg("--query-vectors")
        .arg(&queries);
    let said = stdout_of(&index.output().unwrap());
    assert!(said.contains("570"), "{said}");
    let hits = path("own_run/hits.trec");
    let words = ["import", "hits", dataset.to_str().unwrap(), hits.to_str().unwrap(), "--name", "own"];
    let said = run(&words, folder.path());
    assert!(said.contains("40") && folder.path().join("hits/own.jsonl").is_file(), "{said}");

    let dataset = Dataset::open(&dataset).unwrap();
    let lists = read_hits(&path("own_run/hits.trec"), &dataset).unwrap();
    let mut in_predictions: BTreeMap<(String, String), Vec<(usize, String)>> = BTreeMap::new();
    for line in fs::read_to_string(path("own_run/predictions.jsonl")).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        for head in line["heads"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let key = (text(&line["case"]), text(&head["head"]));
            let rank = head["rank"].as_u64().unwrap() as usize;
            in_predictions.entry(key).or_default().push((rank, text(&line["document"])));
        }
    }
    let mut in_trec: BTreeMap<(String, String), Vec<(usize, String)>> = BTreeMap::new();
    for (position, case) in dataset.cases.iter().enumerate() {
        for list in lists.of_case(position) {
            let documents = list.hits.iter().enumerate();
            let ranked = documents.map(|(place, hit)| (place + 1, dataset.corpus.document(hit.row).id.to_owned()));
            in_trec.insert((case.id.clone(), list.head.to_string()), ranked.collect());
        }
    }
    for hits in in_predictions.values_mut() {
        hits.sort();
    }
    assert_eq!(in_predictions.len(), 80, "two heads of 40 cases");
    assert_eq!(in_trec, in_predictions);
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
    // Counted in Python in the file: the documents of 37 of the 40 cases say different labels.
    assert!(figure("disagreement,\"Disagreement, malignancy\",test,own,inconsistent,").contains(",0.925,"));
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

#[test]
fn models_stand_as_candidates_from_import_to_annotation() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    let dataset = sample("dataset");
    let dataset = dataset.to_str().unwrap();
    let mut lines = String::new();
    for case in ["us-t0001", "us-t0002", "us-t0003"] {
        for (model, text) in [("a", "Yes"), ("b", "No")] {
            lines.push_str(&format!("{{\"case\": \"{case}\", \"model\": \"{model}\", \"text\": \"{text}\"}}\n"));
        }
    }
    let file = folder.path().join("two.jsonl");
    fs::write(&file, lines).unwrap();
    let file = file.to_str().unwrap();
    let said = run(&["import", "predictions", dataset, file, "--candidates", "--as", "panel"], workspace);
    assert!(said.contains("run panel with 2 models as candidates (a, b): 3 cases, 6 predictions"), "{said}");
    assert!(said.contains("no probabilities, so figures that need some"), "{said}");
    let figures = run(&["evaluate", dataset, "--runs", "panel", "--tables", "accuracy,ranks"], workspace);
    assert!(
        figures.contains("panel: nothing was retrieved; its candidates are the models a, b, in this order"),
        "{figures}"
    );
    assert!(figures.contains("panel: 3 of 3 answers have no probabilities"), "{figures}");
    let refused = command(&["export", "casebook", dataset, "page.html", "--run", "panel"], workspace).output().unwrap();
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("expected a run with documents, found one whose candidates are the models a, b"), "{error}");

    let mut child =
        command(&["annotate", dataset, "--run", "panel", "--annotator", "ada", "--cases", "us-t0001"], workspace)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    child.stdin.take().unwrap().write_all(b"model 2 1\n").unwrap();
    let page = stdout_of(&child.wait_with_output().unwrap());
    assert!(page.contains("model 1 (a): Yes") && page.contains("model 2 (b): No"), "{page}");
    assert!(!page.contains("hit 1"), "{page}");
    let (state, _) = AnnotationState::read(&workspace.join("annotations")).unwrap();
    assert!(state.of("ada", "us-t0001").unwrap().hits.contains_key("b"));
}
