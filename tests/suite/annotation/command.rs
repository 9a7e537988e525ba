//! `dissent annotations`, by the binary.

use crate::support::annotated_dataset::{annotations, case_of_text, lesion_task};
use crate::support::dataset::{document, manifest, write_dataset};
use crate::support::program::stdout_of;
use dissent::annotation::{EventContext, EventKind, GivenDefinitions, Journal, Taxonomy};
use dissent::data::{Case, Document, Split};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Three cases (the last one's line is broken), two people; one note that CSV and terminals find hard.
fn annotated_dataset() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let second = Case { split: Split::Train, answer: "No".into(), ..case_of_text("c2") };
    let corpus = [Document { image: "images/a.png".into(), ..document("d1", "x") }];
    write_dataset(folder.path(), &manifest("tiny", vec![lesion_task()]), &[case_of_text("c1"), second], &corpus);
    let cases = folder.path().join("cases.jsonl");
    fs::write(&cases, fs::read_to_string(&cases).unwrap() + "{\"id\":\"c3\"\n").unwrap();

    let annotations = folder.path().join(".dissent/annotations");
    let mut ada = Journal::open(&annotations, "ada", "box").unwrap();
    let definitions = Taxonomy::default().definitions_of(&["look-alike".into()]);
    let made = EventContext {
        run_fingerprint: Some("ab12".into()),
        definitions: definitions.into(),
        ..EventContext::default()
    };
    ada.append("c1", EventKind::annotate("look-alike"), made).unwrap();
    let note = EventKind::Note { note: "says \"cyst\",\nred \u{1b}[31m".into() };
    ada.append("c1", note, EventContext::default()).unwrap();
    ada.append("c2", EventKind::annotate("other"), EventContext::default()).unwrap();
    ada.undo().unwrap();
    let mut bob = Journal::open(&annotations, "bob", "box").unwrap();
    bob.append("c2", EventKind::Skip, EventContext::default()).unwrap();
    let hits = EventKind::Hit { document: "d1".into(), categories: BTreeSet::from(["look-alike".into()]).into() };
    let definitions = GivenDefinitions::from([("look-alike".into(), "0000000000000000".into())]).into();
    let made = EventContext { definitions, blind: true, seconds: Some(4.25), pass: 2, ..EventContext::default() };
    bob.append("gone", EventKind::annotate("renamed"), made.clone()).unwrap();
    bob.append("gone", hits, made.clone()).unwrap();
    bob.append("gone", EventKind::Unsure { unsure: true }, made.clone()).unwrap();
    bob.append("gone", EventKind::Flag { flag: true }, EventContext { pass: 2, ..EventContext::default() }).unwrap();
    folder
}

#[test]
fn list_shows_a_table() {
    let dataset = annotated_dataset();
    let output = annotations(&["list"], dataset.path());
    let told = "renamed; d1 look-alike; unsure, flagged, blind, pass 2, earlier definition of look-alike";
    let wide = |cell: &str| format!("{cell:width$}", width = told.len());
    let expected = [
        format!("annotator  case  task    split  gold  {}  note", wide("category")),
        format!("ada        c1    lesion  test   Yes   {}  says \"cyst\", red ␛[31m", wide("look-alike")),
        "bob        c2    lesion  train  No    (skipped)".to_owned(),
        format!("bob        gone  ?       ?      ?     {told}"),
    ];
    assert_eq!(stdout_of(&output).lines().collect::<Vec<_>>(), expected);
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert!(warnings.contains("cases.jsonl:3"), "{warnings}");
}

#[test]
fn list_as_json_of_one_person() {
    let dataset = annotated_dataset();
    let text = stdout_of(&annotations(&["list", "--json", "--annotator", "ada"], dataset.path()));
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["category_names"], json!(["Misleading look-alike"]));
    assert_eq!(rows[0]["earlier_definitions"], json!([]));
    assert_eq!(rows[0]["run_fingerprint"], json!("ab12"));
    assert_eq!(rows[0]["split"], json!("test"));
    assert_eq!(stdout_of(&annotations(&["list", "--json", "--annotator", "eve"], dataset.path())).trim(), "[]");
}

#[test]
fn export_gives_every_row_in_both_formats() {
    let dataset = annotated_dataset();
    let text = stdout_of(&annotations(&["export"], dataset.path()));
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1]["skipped"], json!(true));
    assert_eq!((&rows[2]["gold"], &rows[2]["category_names"]), (&Value::Null, &json!(["renamed"])));
    assert_eq!((&rows[2]["hits"], &rows[2]["seconds"]), (&json!({"d1": ["look-alike"]}), &json!(12.9)));
    assert_eq!(rows[2]["earlier_definitions"], json!(["look-alike"]));

    let file = dataset.path().join("out.csv");
    let output = annotations(&["export", "--format", "csv", "-o", file.to_str().unwrap()], dataset.path());
    assert_eq!(stdout_of(&output), "");
    let mut table = csv::Reader::from_path(&file).unwrap();
    let header: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
    let records: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 3);
    for (record, row) in records.iter().zip(&rows) {
        let columns: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(columns.len(), header.len());
        for (column, cell) in header.iter().zip(record) {
            let expected = match &row[column] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                Value::Array(list) => list.iter().map(|id| id.as_str().unwrap()).collect::<Vec<_>>().join(";"),
                Value::Object(hits) if hits.is_empty() => String::new(),
                other => other.to_string(),
            };
            assert_eq!(cell, expected, "{column}");
        }
    }
}

#[test]
fn without_annotations_there_is_an_empty_result_and_nothing_is_written() {
    let dataset = annotated_dataset();
    fs::remove_dir_all(dataset.path().join(".dissent/annotations")).unwrap();
    assert_eq!(stdout_of(&annotations(&["list"], dataset.path())), "");
    assert_eq!(stdout_of(&annotations(&["export"], dataset.path())), "");
    let header = stdout_of(&annotations(&["export", "--format", "csv"], dataset.path()));
    assert!(header.starts_with("annotator,case,") && header.lines().count() == 1, "{header}");
    assert!(!dataset.path().join(".dissent/annotations").exists());
}

#[test]
fn failures_are_named() {
    let dataset = annotated_dataset();
    fs::write(dataset.path().join(".dissent/annotations/taxonomy.toml"), "[[category]]\nkey = \"1\"\n").unwrap();
    let output = annotations(&["list"], dataset.path());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("taxonomy.toml") && message.contains("missing field"), "{message}");

    let output = annotations(&["list"], Path::new("/nonexistent/dataset"));
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("/nonexistent/dataset: no such folder"), "{message}");
    assert_eq!(annotations(&["burn"], dataset.path()).status.code(), Some(2));
}
