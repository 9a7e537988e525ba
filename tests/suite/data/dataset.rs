//! Bad and good dataset directories: what is refused, what is skipped, and how it is said.

use super::support::{TinyDataset, error_text};
use crate::support::dataset::{case, closed_task, document, manifest};
use crate::support::pictures::grey_png;
use dissent::data::{Answer, Case, Dataset, DatasetWriter, Document, Existing, Manifest, Severity, Split};
use std::fs;
use std::path::Path;

#[test]
fn a_sound_dataset_opens() {
    let tiny = TinyDataset::new();
    let dataset = Dataset::open(tiny.root()).unwrap();
    assert_eq!((dataset.cases.len(), dataset.corpus.len()), (20, 3));
    assert_eq!(dataset.cases[0].split, Split::Train);
    assert_eq!(dataset.question_of(&dataset.cases[0]), "Is there a lesion?");
    assert_eq!(dataset.question_of(&dataset.cases[1]), "Own question?");
    assert_eq!(dataset.gold_of(&dataset.cases[0]), Some(Answer::Label(0)));
    assert_eq!(dataset.gold_of(&dataset.cases[1]), Some(Answer::Label(1)));
    assert_eq!(dataset.picture(&dataset.cases[0].image).unwrap().width(), 4);
}

#[test]
fn a_bad_line_17_is_named_and_costs_that_line_only() {
    let tiny = TinyDataset::new();
    tiny.replace_line("cases.jsonl", 17, r#"{"id": "c17", "task": "lesion", "#);
    let error = error_text(Dataset::open(tiny.root()));
    assert!(error.contains("cases.jsonl:17: not valid JSON"), "{error}");

    let lenient = Dataset::open_lenient(tiny.root());
    let dataset = lenient.dataset.unwrap();
    assert_eq!(dataset.cases.len(), 19);
    assert_eq!(lenient.problems.len(), 1);
    assert_eq!(lenient.problems[0].line, Some(17));
    assert_eq!(lenient.case_lines[15..17], [16, 18]);
}

#[test]
fn every_wrong_field_is_named_with_what_is_right() {
    for (line, expected) in [
        (
            r#"{"id":"x","task":"lesion","split":"dev","image":"images/a.png","answer":"Yes"}"#,
            "split: unknown split \"dev\"; expected train, validation or test",
        ),
        (
            r#"{"id":"x","task":"tumour","split":"test","image":"images/a.png","answer":"Yes"}"#,
            "task: unknown task \"tumour\"; dataset.toml has \"lesion\"",
        ),
        (
            r#"{"id":"x","task":"lesion","split":"test","image":"images/a.png","answer":"Maybe"}"#,
            "answer: unknown label \"Maybe\" of task lesion; expected one of \"Yes\", \"No\"",
        ),
        (
            r#"{"id":"c3","task":"lesion","split":"test","image":"images/a.png","answer":"Yes"}"#,
            "id: \"c3\" is already used on line 3",
        ),
        (r#"{"task":"lesion","split":"test","image":"images/a.png","answer":"Yes"}"#, "id: the field is missing"),
        (
            r#"{"id":"x","task":"lesion","split":"test","image":["a"],"answer":"Yes"}"#,
            "image: expected a text, found a list",
        ),
        (
            r#"{"id":"x","task":"lesion","split":"test","image":"images/a.png","answer":true}"#,
            "answer: expected a text, found true or false",
        ),
        ("[1, 2]", "expected a JSON object {…} on one line, found a list"),
        ("\u{1}", "not valid JSON"),
    ] {
        let tiny = TinyDataset::new();
        tiny.replace_line("cases.jsonl", 17, line);
        let error = error_text(Dataset::open(tiny.root()));
        assert!(error.contains("cases.jsonl:17: ") && error.contains(expected), "{line}\n{error}");
    }
}

#[test]
fn bytes_that_are_no_text_spoil_one_line() {
    let tiny = TinyDataset::new();
    let path = tiny.root().join("corpus.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"id\":\"\xff\xfe\"}\n");
    fs::write(&path, bytes).unwrap();
    let lenient = Dataset::open_lenient(tiny.root());
    assert_eq!(lenient.dataset.unwrap().corpus.len(), 3);
    assert_eq!(lenient.problems.len(), 1);
    assert_eq!(lenient.problems[0].line, Some(4));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let tiny = TinyDataset::new();
    let path = tiny.root().join("cases.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("\u{feff}{}\r\n\r\n", text.trim_end().replace('\n', "\r\n"))).unwrap();
    assert_eq!(Dataset::open(tiny.root()).unwrap().cases.len(), 20);
}

#[test]
fn the_field_names_of_the_reference_are_read() {
    let tiny = TinyDataset::new();
    tiny.replace_line(
        "cases.jsonl",
        1,
        r#"{"id":7,"task":"lesion","split":"val","image_path":"images/a.png","answers":"yes","metadata":{}}"#,
    );
    tiny.replace_line(
        "corpus.jsonl",
        1,
        r#"{"id":0,"img_path":"images/d1.png","text":"a cyst","dataset_source":"roco"}"#,
    );
    let dataset = Dataset::open(tiny.root()).unwrap();
    assert_eq!((dataset.cases[0].id.as_str(), dataset.cases[0].split), ("7", Split::Validation));
    assert_eq!(dataset.gold_of(&dataset.cases[0]), Some(Answer::Label(0)));
    assert_eq!(dataset.corpus.document(0).caption, "a cyst");
    assert_eq!(dataset.corpus.document(0).source, Some("roco"));
}

#[test]
fn a_misspelled_field_is_a_warning() {
    let tiny = TinyDataset::new();
    tiny.replace_line("corpus.jsonl", 2, r#"{"id":"d2","image":"images/d2.png","caption":"x","gruop":"p"}"#);
    assert!(Dataset::open(tiny.root()).is_ok());
    let problems = Dataset::open_lenient(tiny.root()).problems;
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].severity, problems[0].field.as_deref()), (Severity::Warning, Some("gruop")));
}

#[test]
fn an_empty_or_missing_file_is_named() {
    for (file, content, expected) in [
        ("corpus.jsonl", Some(""), "corpus.jsonl: the corpus is empty"),
        ("cases.jsonl", Some("\n\n"), "cases.jsonl: no usable case"),
        ("corpus.jsonl", None, "corpus.jsonl: cannot read the file"),
        ("dataset.toml", None, "dataset.toml: cannot read the file"),
    ] {
        let tiny = TinyDataset::new();
        let path = tiny.root().join(file);
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let error = error_text(Dataset::open(tiny.root()));
        assert!(error.contains(expected), "{error}");
    }
    let error = error_text(Dataset::open(Path::new("no/such/dataset")));
    assert!(error.contains("no/such/dataset: no such folder"), "{error}");
}

#[test]
fn a_wrong_manifest_is_named_with_its_line() {
    let task =
        "[[task]]\nid = \"lesion\"\nkind = \"closed-vqa\"\nlabels = [{id=\"Yes\",name=\"y\"},{id=\"No\",name=\"n\"}]\n";
    for (text, expected) in [
        ("name = \"x\"\nname = \"y\"\n".to_string(), "dataset.toml:2: duplicate key"),
        (format!("name = \"x\"\nlicense = \"MIT\"\n{task}"), "dataset.toml:2: unknown field `license`"),
        (format!("name = \"x\"\n{task}{task}"), "task id \"lesion\" is used twice"),
        (format!("name = \"x\"\n{}", task.replace("No", "Yes")), "label id \"Yes\" is used twice"),
        (format!("name = \"x\"\n{}", task.replace("closed-vqa", "open")), "unknown variant `open`"),
        (
            format!("name = \"x\"\n{task}[task.prompt]\nclosed_book = \"{{query_image}}{{qustion}}\"\n"),
            "unknown slot {qustion}",
        ),
        (
            format!("name = \"x\"\n{task}[task.prompt]\nwith_document = \"{{Caption}}{{query_image}}{{question}}\"\n"),
            "unknown slot {Caption}",
        ),
        (
            format!("name = \"x\"\n{}", task.replace("name=\"y\"", "name=\"y\",named_ass=[\"w\"]")),
            "unknown field `named_ass`",
        ),
        ("name = \"x\"\ntask = []\n".to_string(), "expected at least one [[task]]"),
    ] {
        let tiny = TinyDataset::new();
        fs::write(tiny.root().join("dataset.toml"), &text).unwrap();
        let error = error_text(Dataset::open(tiny.root()));
        assert!(error.contains(expected), "{text}\n{error}");
    }
}

#[test]
fn what_a_manifest_hides_is_a_warning() {
    let labels = "labels = [{id=\"Yes\",name=\"y\",named_as=[\"Mass\"]},{id=\"No\",name=\"n\",named_as=[\"mass\"]}]\n";
    let task = |id: &str| format!("[[task]]\nid = \"{id}\"\nkind = \"closed-vqa\"\n{labels}");
    let prompt = "[task.prompt]\nwith_document = \"{Text}{a: 1}{query_image}{question}\"\n";
    let tiny = TinyDataset::new();
    fs::write(tiny.root().join("dataset.toml"), format!("name = \"x\"\n{}{}{prompt}", task("lesion"), task("Lesion")))
        .unwrap();
    let found = Dataset::open_lenient(tiny.root()).problems;
    let found: Vec<String> = found.iter().filter(|found| !found.is_error()).map(ToString::to_string).collect();
    for expected in [
        "task ids \"Lesion\" and \"lesion\" differ",
        "\"mass\" names both \"Yes\" and \"No\"",
        "{Text} is not a slot",
        "found neither {document_image} nor {caption}",
    ] {
        assert!(found.iter().any(|found| found.contains(expected)), "{expected} is missing in {found:?}");
    }
    assert!(!found.iter().any(|found| found.contains("{a: 1}")), "{found:?}");
}

#[test]
fn a_case_finds_neither_itself_nor_its_group() {
    let tiny = TinyDataset::new();
    let dataset = Dataset::open(tiny.root()).unwrap();
    let case = Case { group: Some("patient 1".into()), ..dataset.cases[0].clone() };
    assert!(dataset.may_retrieve(&case, 0));
    // Row 1 is of the same patient; row 2 has the same bytes under another name.
    assert!(!dataset.may_retrieve(&case, 1));
    assert!(!dataset.may_retrieve(&case, 2));
    assert!(!dataset.may_retrieve(&case, 3), "beyond the corpus");
    assert!(!dataset.may_retrieve(&Case { id: "d1".into(), ..case.clone() }, 0));
    assert!(!dataset.may_retrieve(&Case { image: "images/d1.png".into(), ..case }, 0));
}

#[test]
fn an_empty_group_is_no_group_and_a_label_is_spelt_as_its_task_does() {
    let tiny = TinyDataset::new();
    let line = r#"{"id":"c1","task":"lesion","split":"train","image":"images/c1.png","answer":" yes","group":"","question":" "}"#;
    tiny.replace_line("cases.jsonl", 1, line);
    let dataset = Dataset::open(tiny.root()).unwrap();
    let case = &dataset.cases[0];
    assert_eq!((case.group.as_deref(), case.answer.as_str()), (None, "Yes"));
    assert_eq!(dataset.question_of(case), "Is there a lesion?");
}

#[test]
fn the_fingerprint_follows_the_corpus() {
    let tiny = TinyDataset::new();
    let before = Dataset::open(tiny.root()).unwrap();
    assert_eq!(before.corpus_fingerprint(), Dataset::open(tiny.root()).unwrap().corpus_fingerprint());
    tiny.replace_line("corpus.jsonl", 1, r#"{"id":"d1","image":"images/d1.png","caption":"another caption"}"#);
    assert_ne!(before.corpus_fingerprint(), Dataset::open(tiny.root()).unwrap().corpus_fingerprint());
}

fn noted_manifest() -> Manifest {
    let lesion = closed_task("lesion", "Is there a lesion?", [("Yes", "Yes"), ("No", "No")]);
    Manifest { note: Some("a note".into()), ..manifest("written", vec![lesion]) }
}

fn write_tiny(target: &Path, existing: Existing, answer: &str) -> anyhow::Result<Dataset> {
    let mut writer = DatasetWriter::create(target, existing)?;
    let image = writer.image("train/a.png", &grey_png(4, 4, 9))?;
    writer.case(&Case { image: image.clone(), ..case("c1", "lesion", answer) })?;
    writer.document(&Document { image, ..document("d1", "x") })?;
    writer.finish(&noted_manifest())?;
    Dataset::open(target)
}

#[test]
fn a_written_dataset_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("deep/set");
    let written = write_tiny(&target, Existing::Refuse, "No").unwrap();
    assert_eq!(written.root, target);
    assert_eq!((written.name.as_str(), written.note.as_deref()), ("written", Some("a note")));
    assert_eq!(written.gold_of(&written.cases[0]), Some(Answer::Label(1)));
    assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1, "nothing left aside");
}

#[test]
fn a_failed_import_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let error = error_text(write_tiny(&folder.path().join("set"), Existing::Refuse, "Perhaps"));
    assert!(error.contains("unknown label \"Perhaps\""), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_there_is_not_overwritten_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("set");
    write_tiny(&target, Existing::Refuse, "No").unwrap();
    assert!(error_text(write_tiny(&target, Existing::Refuse, "Yes")).contains("exists and is not empty"));
    assert_eq!(write_tiny(&target, Existing::Replace, "Yes").unwrap().cases[0].answer, "Yes");

    let annotations = target.join(".dissent/annotations");
    fs::create_dir_all(&annotations).unwrap();
    fs::write(annotations.join("someone.jsonl"), "{}\n").unwrap();
    assert!(error_text(write_tiny(&target, Existing::Replace, "No")).contains("contains annotations"));

    let precious = folder.path().join("precious");
    fs::create_dir(&precious).unwrap();
    fs::write(precious.join("thesis.tex"), "x").unwrap();
    assert!(error_text(write_tiny(&precious, Existing::Replace, "No")).contains("no dataset"));
    assert!(precious.join("thesis.tex").exists());
}

#[test]
fn an_image_name_cannot_leave_the_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = DatasetWriter::create(&folder.path().join("set"), Existing::Refuse).unwrap();
    assert!(writer.image("../../escape.png", &grey_png(1, 1, 0)).is_err());
    assert!(writer.image("/escape.png", &grey_png(1, 1, 0)).is_err());
}
