//! Cases that are answered with several labels at once: how sets and unknown labels are written, read and refused.

use super::support::error_text;
use crate::support::dataset::{case, document, manifest, write_dataset};
use crate::support::pictures::grey_png;
use dissent::data::{Answer, Case, Dataset, Label, LabelSet, PromptTemplate, Task, TaskKind, check};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn findings() -> Task {
    let labels = ["Edema", "Lung, left", "0"].map(|id| Label::new(id, id)).to_vec();
    let question = Some("Which findings are there?".into());
    Task { id: "findings".into(), kind: TaskKind::MultiLabel, question, labels, prompt: PromptTemplate::default() }
}

/// A dataset whose case `n` has `lines[n]` as its answer and, after it, other fields.
fn dataset(root: &Path, lines: &[&str]) {
    write_dataset(root, &manifest("films", vec![findings()]), &[case("c", "findings", "0")], &[document("d1", "x")]);
    let lines: Vec<String> = (lines.iter().enumerate())
        .map(|(number, rest)| {
            format!(r#"{{"id":"c{number}","task":"findings","split":"test","image":"images/a.png","answer":{rest}}}"#)
        })
        .collect();
    fs::write(root.join("cases.jsonl"), lines.join("\n")).unwrap();
    for name in ["a.png", "d1.png"] {
        fs::write(root.join("images").join(name), grey_png(4, 4, 7)).unwrap();
    }
}

#[test]
fn sets_are_read_as_text_and_as_list_and_the_empty_set_is_an_answer() {
    let folder = TempDir::new().unwrap();
    let lines = [r#""0, edema""#, r#"["0","Lung, left"]"#, "[]", r#""[]""#, "[0]", r#""Lung, left""#];
    dataset(folder.path(), &lines);
    let read = Dataset::open(folder.path()).unwrap();
    let sets: Vec<Vec<usize>> = (read.cases.iter())
        .map(|case| read.gold_of(case).and_then(Answer::label_set).unwrap().labels().collect())
        .collect();
    assert_eq!(sets, [vec![0, 2], vec![1, 2], vec![], vec![], vec![2], vec![1]]);
    let texts: Vec<&str> = read.cases.iter().map(|case| case.answer.as_str()).collect();
    assert_eq!(texts, ["Edema, 0", r#"["Lung, left","0"]"#, "[]", "[]", "0", "Lung, left"]);
    // What is written from these cases is read as the same.
    let again: Vec<Case> = read.cases.clone();
    let copy = TempDir::new().unwrap();
    write_dataset(copy.path(), &manifest("films", vec![findings()]), &again, &[document("d1", "x")]);
    assert_eq!(Dataset::open(copy.path()).unwrap().cases, again);
}

#[test]
fn a_case_with_an_unknown_label_has_no_gold_set() {
    let folder = TempDir::new().unwrap();
    dataset(folder.path(), &[r#"[],"unknown":["0","edema"]"#, r#""0","unknown":[]"#, r#""0","unknown":null"#]);
    let read = Dataset::open(folder.path()).unwrap();
    assert_eq!(read.cases[0].unknown, ["Edema", "0"]);
    assert_eq!(read.gold_of(&read.cases[0]), None);
    assert_eq!(read.gold_of(&read.cases[1]), Some(Answer::Set(LabelSet::of([2]))));
    assert_eq!(read.cases[1], Case { id: "c1".into(), ..read.cases[2].clone() });
    let summary = check(folder.path(), &|_, _| {}).summary.unwrap();
    let (_, counts) = summary.cases["findings"].first_key_value().unwrap();
    assert_eq!(
        counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>(),
        ["(one label) 2", "(some unknown) 1"]
    );
    let (_, labels) = summary.labels["findings"].first_key_value().unwrap();
    assert_eq!((labels.get("0"), labels.get("Edema")), (Some(&2), None));
}

#[test]
fn what_is_no_set_is_refused_by_name() {
    for (line, expected) in [
        (r#""""#, "answer: expected labels, or [] for none of them, found an empty text"),
        ("null", "answer: the field is missing; expected labels, or [] for none of them"),
        (r#""0, 9""#, "answer: unknown label \"9\" of task findings; expected one of \"Edema\", \"Lung, left\", \"0\""),
        (r#"["Lung"]"#, "answer: unknown label \"Lung\""),
        (r#"[["0"]]"#, "answer: expected a text or a list of labels ([] for none of them), found a list"),
        ("true", "found true or false"),
        (r#""0","unknown":"Edema""#, "unknown: expected a list of labels"),
        (r#""0","unknown":["Oedema"]"#, "unknown: unknown label \"Oedema\" of task findings"),
        (r#""0","unknown":["0"]"#, "unknown: label \"0\" is in the answer, too"),
    ] {
        let folder = TempDir::new().unwrap();
        dataset(folder.path(), &[r#""0""#, line]);
        let error = error_text(Dataset::open(folder.path()));
        assert!(error.contains("cases.jsonl:2: ") && error.contains(expected), "{line}\n{error}");
    }
}

#[test]
fn a_task_with_one_label_takes_neither_a_list_nor_unknown_labels() {
    for (line, expected) in [
        (r#"["Yes"]"#, "answer: expected a text, found a list"),
        (r#""Yes","unknown":["No"]"#, "unknown: found unknown labels, but task lesion is answered with one label"),
    ] {
        let tiny = super::support::TinyDataset::new();
        let text = format!(r#"{{"id":"x","task":"lesion","split":"test","image":"images/a.png","answer":{line}}}"#);
        tiny.replace_line("cases.jsonl", 17, &text);
        let error = error_text(Dataset::open(tiny.root()));
        assert!(error.contains("cases.jsonl:17: ") && error.contains(expected), "{line}\n{error}");
    }
}
