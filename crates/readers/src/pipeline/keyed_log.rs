//! Answers kept on disk: an append-only file of lines `{"key", "value"}`, read completely at the start.
//!
//! The key is a fingerprint of everything that the value depends on, so a line is never outdated, only unused. Several
//! programs may append to one file; each line is one write.

use anyhow::{Context, Result};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::input_file;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Largest size of a log in bytes, enough for some ten million answers.
const LONGEST: u64 = 4 << 30;

#[derive(Serialize, Deserialize)]
struct Line<V> {
    key: Fingerprint,
    value: V,
}

/// A map whose entries outlive the program.
pub struct KeyedLog<V> {
    path: PathBuf,
    entries: HashMap<Fingerprint, V>,
    /// `None` if the file cannot be written: then the entries are lost when the program ends.
    file: Option<File>,
    /// Error because of which the file is no longer written, until it is taken.
    error: Option<anyhow::Error>,
}

impl<V: Serialize + DeserializeOwned> KeyedLog<V> {
    /// Reads the file, if there is one, and opens it for appending. Skips a line that is not whole (a torn tail after a
    /// kill).
    ///
    /// # Errors
    /// Fails if an existing file cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let content = match input_file::read(path, LONGEST) {
            Ok(content) => content,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let mut entries = HashMap::new();
        for line in content.split(|byte| *byte == b'\n') {
            if let Ok(Line { key, value }) = serde_json::from_slice::<Line<V>>(line) {
                entries.insert(key, value);
            }
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let opened = fs::create_dir_all(folder).and_then(|()| OpenOptions::new().create(true).append(true).open(path));
        let mut log = Self { path: path.to_path_buf(), entries, file: None, error: None };
        match opened {
            Ok(file) => log.file = Some(file),
            Err(error) => log.give_up(error),
        }
        // Ends a torn line, so that the next entry starts on its own line.
        if content.last().is_some_and(|byte| *byte != b'\n') {
            log.append(b"\n");
        }
        Ok(log)
    }

    /// The value under this key.
    pub fn get(&self, key: &Fingerprint) -> Option<&V> {
        self.entries.get(key)
    }

    /// Stores a value in memory and appends it to the file. If the file cannot be written (a full disk), the value is
    /// kept in memory only, nothing more is written, and `take_error` returns the error.
    pub fn insert(&mut self, key: Fingerprint, value: V) {
        let line = Line { key, value };
        match serde_json::to_vec(&line) {
            Ok(mut text) => {
                text.push(b'\n');
                self.append(&text);
            }
            Err(error) => self.give_up(error.into()),
        }
        self.entries.insert(line.key, line.value);
    }

    /// Takes the error because of which values are no longer written to the file; it is returned once.
    pub(crate) fn take_error(&mut self) -> Option<anyhow::Error> {
        self.error.take()
    }

    fn append(&mut self, bytes: &[u8]) {
        let Some(file) = &mut self.file else { return };
        if let Err(error) = file.write_all(bytes) {
            self.give_up(error);
        }
    }

    fn give_up(&mut self, error: io::Error) {
        self.file = None;
        let what = format!("new answers are kept for this session only: cannot write {}", self.path.display());
        self.error = Some(anyhow::Error::new(error).context(what));
    }
}

#[cfg(test)]
mod tests {
    use crate::pipeline::keyed_log::*;

    fn key(text: &str) -> Fingerprint {
        Fingerprint::of_bytes(text.as_bytes())
    }

    #[test]
    fn entries_survive_and_a_torn_tail_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/cache.jsonl");
        let mut log = KeyedLog::<Vec<f32>>::open(&path).unwrap();
        log.insert(key("a"), vec![-0.5, -1.25]);
        log.insert(key("b"), vec![1.0]);
        drop(log);
        let content = fs::read(&path).unwrap();
        fs::write(&path, &content[..content.len() - 5]).unwrap();

        let mut log = KeyedLog::<Vec<f32>>::open(&path).unwrap();
        assert_eq!(log.get(&key("a")), Some(&vec![-0.5, -1.25]));
        assert_eq!(log.get(&key("b")), None);
        log.insert(key("c"), vec![2.0]);
        drop(log);
        let log = KeyedLog::<Vec<f32>>::open(&path).unwrap();
        assert_eq!(log.get(&key("c")), Some(&vec![2.0]), "a line after a torn one is whole");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file/cache.jsonl");
        fs::write(folder.path().join("file"), "not a folder").unwrap();
        let mut log = KeyedLog::<f32>::open(&path).unwrap();
        log.insert(key("a"), 1.0);
        assert_eq!(log.get(&key("a")), Some(&1.0));
        assert!(log.take_error().is_some() && log.take_error().is_none());
    }
}
