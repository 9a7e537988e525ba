//! Cases whose gold answer, or annotations by others, an annotator has seen: the annotator's own annotations of these
//! cases are not blind, in later sessions either. Seeing them is no annotation, so it is kept beside the journal, in
//! `<name of the journal>.told`.

use super::journal_watch::read_from;
use anyhow::{Context, Result};
use dissent_core::data::Problem;
use dissent_core::files::input_file;
use dissent_core::files::litter::is_litter;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Ending of the files; earlier versions read and write the same.
pub(super) const EXPOSURE_ENDING: &str = "told";

/// One exposure: `{"v":1,"ts":…,"case":…,"pass":…}`.
#[derive(Serialize, Deserialize)]
struct Line {
    v: u32,
    #[serde(with = "time::serde::rfc3339")]
    ts: OffsetDateTime,
    case: String,
    pass: u32,
}

/// The cases that one annotator has seen unblinded, in this program and in others on every host.
#[derive(Debug)]
pub(super) struct UnblindedCases {
    folder: PathBuf,
    annotator: String,
    /// By case id: the passes in which it was unblinded.
    passes: HashMap<String, BTreeSet<u32>>,
    /// Number of bytes read of each file.
    read_to: HashMap<PathBuf, u64>,
    /// The file that this program writes; `None` if it has no journal either.
    path: Option<PathBuf>,
    /// Opened with the first line: a program that only reads leaves no file.
    file: Option<File>,
}

impl UnblindedCases {
    /// Reads the existing files and prepares to write beside this journal; returns a problem for each file that
    /// cannot be read.
    pub fn open(folder: &Path, annotator: &str, journal: Option<&Path>) -> (Self, Vec<Problem>) {
        let mut unblinded = Self {
            folder: folder.to_path_buf(),
            annotator: annotator.to_owned(),
            passes: HashMap::new(),
            read_to: HashMap::new(),
            path: journal.map(|path| path.with_extension(EXPOSURE_ENDING)),
            file: None,
        };
        let problems = unblinded.read_new_lines();
        (unblinded, problems)
    }

    /// Whether the case was unblinded in this pass or a later one. This also reads what other programs have written.
    pub fn holds(&mut self, case: &str, pass: u32) -> bool {
        self.knows(case, pass) || {
            self.read_new_lines();
            self.knows(case, pass)
        }
    }

    /// Like [`holds`](Self::holds), without reading what other programs have written since.
    pub fn knows(&self, case: &str, pass: u32) -> bool {
        self.passes.get(case).is_some_and(|passes| passes.range(pass..).next().is_some())
    }

    /// Records that the annotator sees the case unblinded now.
    ///
    /// # Errors
    /// Fails if the file cannot be written. The exposure is then remembered for this session only.
    pub fn insert(&mut self, case: &str, pass: u32) -> Result<()> {
        if self.knows(case, pass) {
            return Ok(());
        }
        self.passes.entry(case.to_owned()).or_default().insert(pass);
        let Some(path) = self.path.clone() else { return Ok(()) };
        let line = Line { v: 1, ts: OffsetDateTime::now_utc(), case: case.to_owned(), pass };
        let line = serde_json::to_string(&line).context("cannot write the look as JSON")?;
        // The newline before the line separates it from one that was cut short.
        self.append(&path, format!("\n{line}\n").as_bytes())
            .with_context(|| format!("could not record that the gold answer was seen: cannot write {}", path.display()))
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            if input_file::is_there(path) {
                // Opening a FIFO for writing would wait for a reader.
                input_file::open(path)?;
            }
            self.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// Reads what was added to the annotator's files; returns a problem for each that cannot be read. Lines that
    /// cannot be parsed are ignored.
    fn read_new_lines(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let beginning = format!("{}@", self.annotator);
        for path in exposure_files(&self.folder) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !name.starts_with(&beginning) {
                continue;
            }
            let read_to = self.read_to.entry(path.clone()).or_default();
            let bytes = match read_from(&path, *read_to) {
                Ok(bytes) => bytes,
                Err(error) => {
                    let message =
                        format!("{error}; the cases that it lists as seen with their gold answer are not known");
                    problems.push(Problem::warning(&path, message));
                    continue;
                }
            };
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            *read_to += whole as u64;
            for line in bytes[..whole].split(|byte| *byte == b'\n') {
                if let Ok(Line { case, pass, .. }) = serde_json::from_slice(line) {
                    self.passes.entry(case).or_default().insert(pass);
                }
            }
        }
        problems
    }
}

/// The files of all annotators in this folder.
pub(super) fn exposure_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // Files that operating systems add (`._NAME`) belong to no annotator.
    let visible = entries.filter(|entry| !is_litter(&entry.file_name().to_string_lossy()));
    let paths = visible.map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == EXPOSURE_ENDING)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path, annotator: &str, host: &str) -> UnblindedCases {
        UnblindedCases::open(folder, annotator, Some(&folder.join(format!("{annotator}@{host}.jsonl")))).0
    }

    #[test]
    fn a_look_is_known_the_next_time_on_every_host() {
        let folder = tempfile::tempdir().unwrap();
        let mut other = open(folder.path(), "ada", "other");
        let mut unblinded = open(folder.path(), "ada", "box.example");
        assert!(exposure_files(folder.path()).is_empty() && !unblinded.holds("c1", 1));
        unblinded.insert("c1", 1).unwrap();
        unblinded.insert("c1", 1).unwrap();
        unblinded.insert("c \"2\"", 2).unwrap();
        let text = fs::read_to_string(folder.path().join("ada@box.example.told")).unwrap();
        assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 2);
        assert!(other.holds("c1", 1), "a program that was started before reads it");
        let mut again = open(folder.path(), "ada", "other");
        assert!(again.holds("c1", 1) && again.holds("c \"2\"", 2));
        assert!(!again.holds("c1", 2) && again.holds("c \"2\"", 1), "a later look holds for earlier readings");
        assert!(!again.holds("c2", 1) && !open(folder.path(), "ad", "box").holds("c1", 1));
    }

    #[test]
    fn a_line_that_was_cut_short_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut unblinded = open(folder.path(), "ada", "box");
        unblinded.insert("c1", 1).unwrap();
        unblinded.insert("c2", 1).unwrap();
        let path = folder.path().join("ada@box.told");
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 3]).unwrap();
        open(folder.path(), "ada", "box").insert("c3", 1).unwrap();
        let mut unblinded = open(folder.path(), "ada", "box");
        assert_eq!(["c1", "c2", "c3"].map(|case| unblinded.holds(case, 1)), [true, false, true]);
    }

    #[test]
    fn a_look_that_cannot_be_written_is_reported_and_holds_until_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut unblinded = open(&folder.path().join("gone"), "ada", "box");
        let message = format!("{:#}", unblinded.insert("c1", 1).unwrap_err());
        assert!(message.contains("ada@box.told"), "{message}");
        assert!(unblinded.holds("c1", 1));
    }
}
