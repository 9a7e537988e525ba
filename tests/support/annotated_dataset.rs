//! Datasets to annotate, and one that three people annotated and a fourth adjudicated.

use super::dataset::{case, closed_task, document, manifest, write_dataset};
use super::program::dissent;
use dissent::annotation::{AnnotationEdit, AnnotationSession, CategoryId, EventContext, EventKind, Journal, Taxonomy};
use dissent::data::{Case, Document, Task, TaskKind};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

const MALIGNANT: [(&str, &str); 2] = [("Yes", "malignant"), ("No", "benign")];

/// The task of every dataset here.
pub fn lesion_task() -> Task {
    closed_task("lesion", "Malignant?", MALIGNANT)
}

/// A dataset of text: nobody opens its images here.
pub fn dataset_of_text(cases: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let cases: Vec<Case> = (1..=cases).map(|number| case_of_text(&format!("c{number}"))).collect();
    let corpus = [Document { image: "images/a.png".into(), ..document("d1", "x") }];
    write_dataset(folder.path(), &manifest("tiny", vec![lesion_task()]), &cases, &corpus);
    folder
}

/// A test case of the task with the answer Yes.
pub fn case_of_text(id: &str) -> Case {
    Case { image: "images/a.png".into(), ..case(id, "lesion", "Yes") }
}

/// Six cases of two tasks. Of c1 all say look-alike; c2 is disputed by ada and bob, and cyd skips it; c3 has ada's word
/// alone, given blind; c4 and c5 were disputed, and eve decided them, c5 before bob changed his mind; nobody saw c6.
pub fn annotated_dataset() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let site = closed_task("site", "Which site?", [("a", "site A"), ("b", "site B")]);
    let tasks = vec![lesion_task(), Task { kind: TaskKind::Classification, ..site }];
    let ids: Vec<String> = (1..=6).map(|number| format!("c{number}")).collect();
    let of = |(row, id): (usize, &String)| if row < 4 { case(id, "lesion", "Yes") } else { case(id, "site", "a") };
    let cases: Vec<Case> = ids.iter().enumerate().map(of).collect();
    let corpus = [Document { image: "images/c1.png".into(), ..document("d1", "x") }];
    write_dataset(folder.path(), &manifest("tiny set", tasks), &cases, &corpus);
    for case in &cases {
        fs::write(folder.path().join(&case.image), b"no picture is looked at here").unwrap();
    }
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
    dissent().arg("annotations").args(arguments).arg(dataset).output().unwrap()
}

/// The lines of all journals of a dataset.
pub fn journals_of(dataset: &Path) -> String {
    let paths = fs::read_dir(annotations_of(dataset)).unwrap().map(|entry| entry.unwrap().path());
    let journals = paths.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    journals.map(|path| fs::read_to_string(path).unwrap()).collect()
}
