//! The parts of small datasets, and how they come to disk.

use dissent::data::{Case, Document, Label, Manifest, PromptTemplate, Split, Task, TaskKind};
use serde::Serialize;
use std::fs;
use std::path::Path;

/// A task whose cases are answered by one of these labels: ids and names.
pub fn closed_task(id: &str, question: &str, labels: [(&str, &str); 2]) -> Task {
    Task {
        id: id.into(),
        kind: TaskKind::ClosedVqa,
        question: Some(question.into()),
        labels: labels.map(|(id, name)| Label::new(id, name)).into(),
        prompt: PromptTemplate::default(),
    }
}

/// A task whose cases are answered in words.
pub fn open_task(id: &str, question: &str) -> Task {
    Task {
        id: id.into(),
        kind: TaskKind::OpenVqa,
        question: Some(question.into()),
        labels: Vec::new(),
        prompt: PromptTemplate::default(),
    }
}

pub fn manifest(name: &str, tasks: Vec<Task>) -> Manifest {
    Manifest::new(name, tasks)
}

/// A test case with the image `images/ID.png`.
pub fn case(id: &str, task: &str, answer: &str) -> Case {
    Case {
        id: id.into(),
        task: task.into(),
        split: Split::Test,
        image: format!("images/{id}.png").into(),
        question: None,
        answer: answer.into(),
        unknown: Vec::new(),
        group: None,
    }
}

/// A document with the image `images/ID.png`.
pub fn document(id: &str, caption: &str) -> Document {
    Document {
        id: id.into(),
        image: format!("images/{id}.png").into(),
        caption: caption.into(),
        source: None,
        group: None,
    }
}

/// Writes a dataset without its images, and the folder for them.
pub fn write_dataset(root: &Path, manifest: &Manifest, cases: &[Case], corpus: &[Document]) {
    fs::create_dir_all(root.join("images")).unwrap();
    fs::write(root.join("dataset.toml"), manifest.to_toml().unwrap()).unwrap();
    fs::write(root.join("cases.jsonl"), json_lines(cases)).unwrap();
    fs::write(root.join("corpus.jsonl"), json_lines(corpus)).unwrap();
}

/// Each value as JSON on a line of its own.
pub fn json_lines<T: Serialize>(values: &[T]) -> String {
    values.iter().map(|value| serde_json::to_string(value).unwrap() + "\n").collect()
}

/// Replaces one line of a file, counted from 1.
pub fn replace_line(file: &Path, line: usize, text: &str) {
    let content = fs::read_to_string(file).unwrap();
    let mut lines: Vec<&str> = content.lines().collect();
    lines[line - 1] = text.trim_end();
    fs::write(file, lines.join("\n") + "\n").unwrap();
}
