//! The explorer in a pseudo-terminal: however it ends, the terminal is restored and what was marked is on disk.

mod annotating;
mod casebook;
mod drawing;
mod imported;
mod in_tmux;
mod leaving;
mod opening;
mod queries;

use crate::support::annotated_dataset::journals_of;
use crate::support::explorer::write_dataset;
use crate::support::program::PROGRAM;
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
        journals_of(&self.dataset())
    }

    fn explore_with(&self, more: &[(&str, &str)], size: (u16, u16)) -> Pty {
        let pty = self.start(more, size);
        pty.wait_for("us-test-0001 · test");
        pty
    }

    fn start(&self, more: &[(&str, &str)], size: (u16, u16)) -> Pty {
        let (dataset, home) = (self.dataset(), self.folder.path().join("home"));
        let mut environment = vec![
            ("HOME", home.to_str().unwrap()),
            ("TERM", "xterm-256color"),
            ("USER", "ada"),
            ("RUST_BACKTRACE", "0"),
        ];
        environment.extend_from_slice(more);
        Pty::start(Path::new(PROGRAM), &["explore", dataset.to_str().unwrap()], &environment, size)
    }

    fn explore(&self) -> Pty {
        self.explore_with(&[], (80, 24))
    }
}
