//! The ground that every input changes: a cut of the sample with its index and a run, and the sample's models.

use crate::input::text_of;
pub use crate::support::fixtures::project;
use crate::support::folders::copy_folder;
use crate::support::program::PROGRAM;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const CASES: usize = 8;
const DOCUMENTS: usize = 12;

/// Folders that no input changes; inputs copy what they change.
pub struct Ground {
    folder: TempDir,
}

impl Ground {
    /// Cuts the sample, indexes the cut and predicts its cases.
    pub fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        cut_sample(&ground.dataset());
        fs::create_dir(ground.home()).unwrap();
        let (dataset, encoder, reader) = (ground.dataset(), Ground::encoder(), Ground::reader());
        let arguments = ["predict", text_of(&dataset), "--run", "a", "--encoder", text_of(&encoder)];
        ground.run(&[&arguments[..], &["--reader", text_of(&reader)]].concat());
        ground
    }

    /// The dataset directory, with its workspace inside.
    pub fn dataset(&self) -> PathBuf {
        self.folder.path().join("dataset")
    }

    /// A home folder.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The sample's encoder.
    pub fn encoder() -> PathBuf {
        project().join("sample-data/models/encoder")
    }

    /// The sample's reader.
    pub fn reader() -> PathBuf {
        project().join("sample-data/models/reader")
    }

    /// A copy of the dataset without workspace.
    pub fn bare_copy(&self, to: &Path) -> PathBuf {
        copy_folder(&self.dataset(), &to.join("ds"));
        fs::remove_dir_all(to.join("ds/.dissent")).unwrap();
        to.join("ds")
    }

    /// A copy of the dataset with index and run.
    pub fn copy(&self, to: &Path) -> PathBuf {
        copy_folder(&self.dataset(), &to.join("ds"));
        to.join("ds")
    }

    /// Runs the program where nothing is hostile.
    pub fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().env("HOME", self.home()).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

fn cut_sample(to: &Path) {
    let sample = project().join("sample-data/dataset");
    fs::create_dir_all(to.join("images")).unwrap();
    fs::copy(sample.join("dataset.toml"), to.join("dataset.toml")).unwrap();
    // Cases to predict come from the test split.
    for (file, count, wanted) in [("cases.jsonl", CASES, "\"test\""), ("corpus.jsonl", DOCUMENTS, "")] {
        let all = fs::read_to_string(sample.join(file)).unwrap();
        let lines: Vec<&str> = all.lines().filter(|line| line.contains(wanted)).collect();
        // Spread over the file, so that every task has some.
        let chosen: Vec<&str> = lines.iter().step_by(lines.len() / count).take(count).copied().collect();
        for line in &chosen {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let image = value["image"].as_str().unwrap();
            fs::copy(sample.join(image), to.join(image)).unwrap();
        }
        fs::write(to.join(file), chosen.join("\n") + "\n").unwrap();
    }
}
