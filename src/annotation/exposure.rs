//! Which cases an annotator has seen the gold answer of, or what others said: what they say of those is not blind, in a later
//! session either. Looking is no annotation, so it is kept beside the journal, in `<name of the journal>.told`.

use super::journal_watch::read_from;
use crate::data::Problem;
use crate::files::input_file;
use crate::files::litter::is_litter;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Ending of the files.
pub(super) const EXPOSURE_ENDING: &str = "told";

/// One look: `{"v":1,"ts":…,"case":…,"pass":…}`.
#[derive(Serialize, Deserialize)]
struct Line {
    v: u32,
    #[serde(with = "time::serde::rfc3339")]
    ts: OffsetDateTime,
    case: String,
    pass: u32,
}

/// What one annotator was told, by this program and by others on every host.
#[derive(Debug)]
pub(super) struct UnblindedCases {
    folder: PathBuf,
    annotator: String,
    /// By case id: in which passes.
    passes: HashMap<String, BTreeSet<u32>>,
    /// Up to which byte each file was read.
    read_to: HashMap<PathBuf, u64>,
    /// Where this program writes; `None` where it has no journal either.
    path: Option<PathBuf>,
    /// Opened with the first line: who only reads leaves no file.
    file: Option<File>,
}

impl UnblindedCases {
    /// Reads what is there, to go on beside this journal, and names files that cannot be read.
    pub fn open(folder: &Path, annotator: &str, journal: Option<&Path>) -> (Self, Vec<Problem>) {
        let mut told = Self {
            folder: folder.to_path_buf(),
            annotator: annotator.to_owned(),
            passes: HashMap::new(),
            read_to: HashMap::new(),
            path: journal.map(|path| path.with_extension(EXPOSURE_ENDING)),
            file: None,
        };
        let problems = told.read_news();
        (told, problems)
    }

    /// Was the annotator told of this case in this pass or a later one? What other programs wrote meanwhile counts.
    pub fn holds(&mut self, case: &str, pass: u32) -> bool {
        self.knows(case, pass) || {
            self.read_news();
            self.knows(case, pass)
        }
    }

    fn knows(&self, case: &str, pass: u32) -> bool {
        self.passes.get(case).is_some_and(|passes| passes.range(pass..).next().is_some())
    }

    /// They are told now.
    ///
    /// # Errors
    /// Where it cannot be written down: it holds until the program ends, then.
    pub fn insert(&mut self, case: &str, pass: u32) -> Result<()> {
        if self.knows(case, pass) {
            return Ok(());
        }
        self.passes.entry(case.to_owned()).or_default().insert(pass);
        let Some(path) = self.path.clone() else { return Ok(()) };
        let line = Line { v: 1, ts: OffsetDateTime::now_utc(), case: case.to_owned(), pass };
        let line = serde_json::to_string(&line).context("cannot write the look as JSON")?;
        // The newline before it parts it from a line that was cut short.
        self.append(&path, format!("\n{line}\n").as_bytes()).with_context(|| {
            format!("that the gold answer was seen is not kept for the next time: cannot write {}", path.display())
        })
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            if input_file::is_there(path) {
                // A FIFO would wait for a reader.
                input_file::open(path)?;
            }
            self.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// Reads what was added to the annotator's files, and names those that cannot be read. A line that is no look tells of
    /// nothing.
    fn read_news(&mut self) -> Vec<Problem> {
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
                    let message = format!("{error}; which cases are not read blind is not known from it");
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
    // What systems put there is no annotator's, as of journals.
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
    fn what_one_was_told_is_known_the_next_time_on_every_host() {
        let folder = tempfile::tempdir().unwrap();
        let mut other = open(folder.path(), "ada", "other");
        let mut told = open(folder.path(), "ada", "box.example");
        assert!(exposure_files(folder.path()).is_empty() && !told.holds("c1", 1));
        told.insert("c1", 1).unwrap();
        told.insert("c1", 1).unwrap();
        told.insert("c \"2\"", 2).unwrap();
        let text = fs::read_to_string(folder.path().join("ada@box.example.told")).unwrap();
        assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 2);
        assert!(other.holds("c1", 1), "one that was opened before hears of it");
        let mut again = open(folder.path(), "ada", "other");
        assert!(again.holds("c1", 1) && again.holds("c \"2\"", 2));
        assert!(!again.holds("c1", 2) && again.holds("c \"2\"", 1), "a later look holds for earlier readings");
        assert!(!again.holds("c2", 1) && !open(folder.path(), "ad", "box").holds("c1", 1));
    }

    #[test]
    fn a_line_that_was_cut_short_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut told = open(folder.path(), "ada", "box");
        told.insert("c1", 1).unwrap();
        told.insert("c2", 1).unwrap();
        let path = folder.path().join("ada@box.told");
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 3]).unwrap();
        open(folder.path(), "ada", "box").insert("c3", 1).unwrap();
        let mut told = open(folder.path(), "ada", "box");
        assert_eq!(["c1", "c2", "c3"].map(|case| told.holds(case, 1)), [true, false, true]);
    }

    #[test]
    fn what_cannot_be_written_is_said_and_holds_until_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut told = open(&folder.path().join("gone"), "ada", "box");
        let message = format!("{:#}", told.insert("c1", 1).unwrap_err());
        assert!(message.contains("ada@box.told"), "{message}");
        assert!(told.holds("c1", 1));
    }
}
