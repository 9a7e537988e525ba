//! The explorer in a pseudo-terminal: however it ends, the terminal is restored and what was marked is on disk.

mod annotating;
mod drawing;
mod leaving;
mod opening;
mod queries;

use crate::support::explorer::write_dataset;
use crate::support::pty::Pty;
use std::fs;
use std::path::{Path, PathBuf};

/// A dataset on disk and a home folder.
struct Setup {
    folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        write_dataset(&folder.path().join("dataset"), 6);
        Self { folder }
    }

    fn dataset(&self) -> PathBuf {
        self.folder.path().join("dataset")
    }

    fn journal(&self) -> String {
        let folder = self.dataset().join(".dissent/annotations");
        let mut text = String::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
        text
    }

    fn explore_with(&self, more: &[(&str, &str)], size: (u16, u16)) -> Pty {
        let (dataset, home) = (self.dataset(), self.folder.path().join("home"));
        let mut environment = vec![
            ("HOME", home.to_str().unwrap()),
            ("TERM", "xterm-256color"),
            ("USER", "ada"),
            ("RUST_BACKTRACE", "0"),
        ];
        environment.extend_from_slice(more);
        let pty = Pty::start(Path::new(binary()), &["explore", dataset.to_str().unwrap()], &environment, size);
        pty.wait_for("us-test-0001 · test");
        pty
    }

    fn explore(&self) -> Pty {
        self.explore_with(&[], (80, 24))
    }
}

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_dissent")
}
