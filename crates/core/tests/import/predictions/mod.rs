//! Predictions of other programs: read, joined, stored as runs and written again.

mod bad_files;
mod harnesses;
mod joins;
mod own_format;
mod real_cuts;

use crate::support::{put, put_image};
use dissent_core::data::{Dataset, Existing};
use dissent_core::predictions::{ImportedPredictions, PredictionOptions, import_predictions};
use dissent_core::run::{CaseAnswer, Run};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const MANIFEST: &str = r#"
name = "small"

[[task]]
id = "lesion"
kind = "closed-vqa"
question = "Is there a lesion?"
labels = [{ id = "No", name = "no lesion" }, { id = "Yes", name = "lesion" }]

[[task]]
id = "words"
kind = "open-vqa"
question = "What is it?"

[[task]]
id = "findings"
kind = "multi-label"
question = "Which findings?"
labels = [{ id = "edema", name = "Edema" }, { id = "nodule", name = "Nodule" }]
"#;

const CASES: &str = r#"{"id": "c1", "task": "lesion", "split": "test", "image": "images/a.png", "answer": "Yes"}
{"id": "c2", "task": "lesion", "split": "test", "image": "images/b.png", "answer": "No"}
{"id": "c3", "task": "lesion", "split": "validation", "image": "images/c.png", "answer": "No", "question": "Is it large?"}
{"id": "w1", "task": "words", "split": "test", "image": "images/a.png", "answer": "a cyst"}
{"id": "f1", "task": "findings", "split": "test", "image": "images/b.png", "answer": "edema"}
"#;

const CORPUS: &str = r#"{"id": "d1", "image": "images/d.png", "caption": "a cyst"}
{"id": "d2", "image": "images/e.png", "caption": "a nodule"}
"#;

/// A small dataset in a folder, and the files of a test beside it.
pub struct Small {
    folder: TempDir,
    pub dataset: Dataset,
}

impl Small {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("dataset");
        put(&root, "dataset.toml", MANIFEST);
        put(&root, "cases.jsonl", CASES);
        put(&root, "corpus.jsonl", CORPUS);
        for name in ["a", "b", "c", "d", "e"] {
            put_image(&root, &format!("images/{name}.png"));
        }
        Self { dataset: Dataset::open(&root).unwrap(), folder }
    }

    /// Writes a file beside the dataset.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        put(self.folder.path(), name, content);
        self.folder.path().join(name)
    }

    pub fn import(&self, file: &Path, options: &PredictionOptions) -> Result<ImportedPredictions, String> {
        import_predictions(&self.dataset, &[file.to_path_buf()], options, None).map_err(|error| format!("{error:#}"))
    }

    /// The error of lines in the documented format.
    pub fn error(&self, lines: &str) -> String {
        let file = self.file("wrong.jsonl", lines);
        self.import(&file, &options("wrong")).unwrap_err()
    }

    pub fn run(&self, name: &str) -> Run {
        Run::open(&self.dataset.root.join(".dissent/runs").join(name)).unwrap()
    }

    /// The stored answers of a run, with rows for its models.
    pub fn answers(&self, name: &str) -> Vec<CaseAnswer> {
        let run = self.run(name);
        let mut dataset = self.dataset.clone();
        dataset.add_models(&run.identity.candidates);
        run.into_answers(&dataset).unwrap()
    }

    pub fn has_run(&self, name: &str) -> bool {
        fs::exists(self.dataset.root.join(".dissent/runs").join(name)).unwrap()
    }
}

pub fn options(run: &str) -> PredictionOptions {
    PredictionOptions {
        run: run.into(),
        format: None,
        model: None,
        questions: None,
        images: None,
        split: None,
        as_candidates: false,
        whole_words: false,
        existing: Existing::Refuse,
        dry_run: false,
    }
}

/// What was left out and remarked, as one text.
pub fn said(imported: &ImportedPredictions) -> String {
    let left_out = imported.left_out.iter().map(ToString::to_string);
    left_out.chain(imported.remarks.iter().cloned()).collect::<Vec<_>>().join("\n")
}
