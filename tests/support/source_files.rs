//! The files of our own source, for tests that read it.

use std::fs;
use std::path::{Path, PathBuf};

/// The Rust files of the program and of the crates below it, by their paths from the project's root.
pub fn source_files(project: &Path) -> Vec<(String, PathBuf)> {
    let mut folders = vec![project.join("src")];
    folders.extend(fs::read_dir(project.join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src")));
    let files = folders.iter().flat_map(|folder| rust_files(folder));
    files.map(|path| (path.strip_prefix(project).unwrap().to_string_lossy().into_owned(), path)).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}
