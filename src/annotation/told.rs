//! Which cases an annotator has seen the gold answer of, or what others said: what they say of those is not blind, in a later
//! session either. Looking is no annotation, so it is kept beside the journals.

use super::names::file_safe_host;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Folder of the files within the annotations folder.
const TOLD_FOLDER: &str = "told";

#[derive(Serialize, Deserialize)]
struct Line {
    case: String,
    pass: u32,
}

/// What one annotator was told, in `told/<annotator>@<host>.jsonl`: a line `{"case":…,"pass":…}` for each case at its first
/// time. The files of all their hosts are read.
#[derive(Debug)]
pub(super) struct Told {
    /// By case id: in which passes.
    passes: HashMap<String, BTreeSet<u32>>,
    path: PathBuf,
    /// Opened with the first line: who only reads leaves no file.
    file: Option<File>,
}

impl Told {
    /// Reads what is there. A line that cannot be read tells of nothing, and so does a file.
    pub fn read(folder: &Path, annotator: &str, host: &str) -> Self {
        let folder = folder.join(TOLD_FOLDER);
        let mut passes: HashMap<String, BTreeSet<u32>> = HashMap::new();
        let beginning = format!("{annotator}@");
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_name().to_string_lossy().starts_with(&beginning) {
                continue;
            }
            for line in fs::read(entry.path()).unwrap_or_default().split(|byte| *byte == b'\n') {
                if let Ok(Line { case, pass }) = serde_json::from_slice(line) {
                    passes.entry(case).or_default().insert(pass);
                }
            }
        }
        let path = folder.join(format!("{beginning}{}.jsonl", file_safe_host(host)));
        Self { passes, path, file: None }
    }

    /// Was the annotator told of this case in this pass?
    pub fn holds(&self, case: &str, pass: u32) -> bool {
        self.passes.get(case).is_some_and(|passes| passes.contains(&pass))
    }

    /// They are told now. Where it cannot be written down, it holds until the program ends: a disk that takes no line takes
    /// no annotation either, and that is said.
    pub fn insert(&mut self, case: &str, pass: u32) {
        if self.holds(case, pass) {
            return;
        }
        self.passes.entry(case.to_owned()).or_default().insert(pass);
        let Ok(line) = serde_json::to_string(&Line { case: case.to_owned(), pass }) else { return };
        // The newline comes first: whatever an earlier line was cut short to, this one begins anew.
        drop(self.append(format!("\n{line}").as_bytes()));
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            fs::create_dir_all(self.path.parent().unwrap_or(Path::new(".")))?;
            self.file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_was_told_is_known_the_next_time_on_every_host_and_of_that_pass_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut told = Told::read(folder.path(), "ada", "box");
        assert!(!told.path.exists() && !told.holds("c1", 1));
        told.insert("c1", 1);
        told.insert("c1", 1);
        told.insert("c \"2\"", 2);
        assert_eq!(fs::read_to_string(&told.path).unwrap().lines().count(), 3, "an empty one and two");
        for host in ["box", "other host"] {
            let told = Told::read(folder.path(), "ada", host);
            assert!(told.holds("c1", 1) && told.holds("c \"2\"", 2), "{host}");
            assert!(!told.holds("c1", 2) && !told.holds("c2", 1), "{host}");
        }
        assert!(!Told::read(folder.path(), "ad", "box").holds("c1", 1));
    }

    #[test]
    fn a_line_that_was_cut_short_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut told = Told::read(folder.path(), "ada", "box");
        told.insert("c1", 1);
        told.insert("c2", 1);
        let text = fs::read(&told.path).unwrap();
        fs::write(&told.path, &text[..text.len() - 3]).unwrap();
        Told::read(folder.path(), "ada", "box").insert("c3", 1);
        let told = Told::read(folder.path(), "ada", "box");
        assert_eq!(["c1", "c2", "c3"].map(|case| told.holds(case, 1)), [true, false, true]);
    }
}
