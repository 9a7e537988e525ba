//! Datasets to annotate, and one that three people annotated and a fourth adjudicated.

use dissent::annotation::{AnnotationEdit, AnnotationSession, CategoryId, EventContext, EventKind, Journal, Taxonomy};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A dataset of text: nobody opens its images here.
pub fn dataset_of_text(cases: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "name = \"tiny\"\n[[task]]\nid = \"lesion\"\nkind = \"closed-vqa\"\nquestion = \"Malignant?\"\n\
        labels = [{ id = \"Yes\", name = \"malignant\" }, { id = \"No\", name = \"benign\" }]\n";
    fs::write(folder.path().join("dataset.toml"), manifest).unwrap();
    let case = |number: usize| {
        format!(
            "{{\"id\":\"c{number}\",\"task\":\"lesion\",\"split\":\"test\",\"image\":\"images/a.png\",\"answer\":\"Yes\"}}\n"
        )
    };
    fs::write(folder.path().join("cases.jsonl"), (1..=cases).map(case).collect::<String>()).unwrap();
    fs::write(folder.path().join("corpus.jsonl"), "{\"id\":\"d1\",\"image\":\"images/a.png\",\"caption\":\"x\"}\n")
        .unwrap();
    folder
}

/// Six cases of two tasks. Of c1 all say look-alike; c2 is disputed by ada and bob, and cyd skips it; c3 has ada's word
/// alone, given blind; c4 and c5 were disputed, and eve decided them, c5 before bob changed his mind; nobody saw c6.
pub fn annotated_dataset() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = r#"
name = "tiny set"
[[task]]
id = "lesion"
kind = "closed-vqa"
question = "Malignant?"
labels = [{ id = "Yes", name = "malignant" }, { id = "No", name = "benign" }]
[[task]]
id = "site"
kind = "classification"
question = "Which site?"
labels = [{ id = "a", name = "site A" }, { id = "b", name = "site B" }]
"#;
    fs::write(folder.path().join("dataset.toml"), manifest).unwrap();
    let case = |number: usize, task: &str, answer: &str| {
        format!(
            "{{\"id\":\"c{number}\",\"task\":\"{task}\",\"split\":\"test\",\"image\":\"images/c{number}.png\",\"answer\":\"{answer}\"}}\n"
        )
    };
    let cases: Vec<String> = (1..=6)
        .map(|number| if number < 5 { case(number, "lesion", "Yes") } else { case(number, "site", "a") })
        .collect();
    fs::write(folder.path().join("cases.jsonl"), cases.concat()).unwrap();
    fs::create_dir(folder.path().join("images")).unwrap();
    for number in 1..=6 {
        fs::write(folder.path().join(format!("images/c{number}.png")), b"no picture is looked at here").unwrap();
    }
    fs::write(folder.path().join("corpus.jsonl"), "{\"id\":\"d1\",\"image\":\"images/c1.png\",\"caption\":\"x\"}\n")
        .unwrap();
    let annotations = annotations_of(folder.path());
    let mut ada = Journal::open(&annotations, "ada", "box").unwrap();
    let mut bob = Journal::open(&annotations, "bob", "box").unwrap();
    let mut cyd = Journal::open(&annotations, "cyd", "box").unwrap();
    let plain = EventContext::default;
    let note = |text: &str| EventKind::Note { note: text.into() };
    for journal in [&mut ada, &mut bob, &mut cyd] {
        journal.append("c1", EventKind::annotate("look-alike"), plain()).unwrap();
    }
    let timed = EventContext { seconds: Some(12.5), ..plain() };
    ada.append("c2", EventKind::annotate("look-alike"), timed).unwrap();
    ada.append("c2", note("the cyst, \"again\";\n<b>"), plain()).unwrap();
    bob.append("c2", EventKind::annotate("other"), plain()).unwrap();
    bob.append("c2", EventKind::Unsure { unsure: true }, plain()).unwrap();
    cyd.append("c2", EventKind::Skip, plain()).unwrap();
    ada.append("c3", EventKind::annotate("other"), EventContext { blind: true, ..plain() }).unwrap();
    for case in ["c4", "c5"] {
        ada.append(case, several(&["look-alike", "other"]), plain()).unwrap();
        bob.append(case, EventKind::annotate("other"), plain()).unwrap();
    }
    let (mut eve, _) = AnnotationSession::open(&annotations, "eve", "box", Taxonomy::default()).unwrap();
    for (case, category, reason) in [("c4", "other", "the caption says so"), ("c5", "look-alike", "")] {
        let (case, categories, reason) = (case.into(), set(&[category]), reason.into());
        eve.apply(&AnnotationEdit::Decide { case, categories, reason }).unwrap();
    }
    bob.append("c5", EventKind::annotate("look-alike"), plain()).unwrap();
    folder
}

pub fn annotations_of(dataset: &Path) -> PathBuf {
    dataset.join(".dissent/annotations")
}

pub fn set(ids: &[&str]) -> BTreeSet<CategoryId> {
    ids.iter().map(|id| (*id).into()).collect()
}

fn several(ids: &[&str]) -> EventKind {
    EventKind::Annotate { categories: set(ids).into() }
}

/// Runs `dissent annotations` with these arguments, the dataset last.
pub fn annotations(arguments: &[&str], dataset: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dissent")).arg("annotations").args(arguments).arg(dataset).output().unwrap()
}

pub fn stdout_of(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr_of(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
