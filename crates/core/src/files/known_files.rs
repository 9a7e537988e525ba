//! A cache of file fingerprints that survives the program: hashing the weights of seven billion parameters takes more than
//! ten seconds, hashing 200,000 images minutes.
//!
//! An entry holds for the state that the file had ([`super::file_state`]), so a changed or replaced file has none. A member of a
//! container has the state of the container.

use super::archive_member::{self, MemberPath};
use super::durable::write_file;
use super::file_state::{is_unchanged, state_now, state_of};
use super::fingerprint::Fingerprint;
use super::input_file;
use super::known_table::{Known, KnownTable};
use directories::ProjectDirs;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Smaller files are not cached: they are hashed in a few milliseconds.
const LARGE: u64 = 1 << 20;
/// Maximum size of a member of a container, which is read into memory; pictures are not larger.
const MOST_MEMBER: u64 = 512 << 20;

/// Fingerprint of the content of one file; cached if the file is large.
pub fn fingerprint_of_file(path: &Path) -> io::Result<Fingerprint> {
    match notes_folder() {
        Some(notes) => remembered(path, &notes, LARGE),
        None => Fingerprint::of_file(path),
    }
}

/// Where such notes are kept; `None` where the user has no folder for caches.
pub(crate) fn notes_folder() -> Option<PathBuf> {
    Some(cache_folder()?.join("fingerprints"))
}

/// The user's folder for files that can be made again; `None` where there is none.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    Some(ProjectDirs::from("", "", "dissent")?.cache_dir().to_path_buf())
}

fn remembered(path: &Path, notes: &Path, large: u64) -> io::Result<Fingerprint> {
    let before = fs::metadata(path)?;
    if before.len() < large {
        return Fingerprint::of_file(path);
    }
    let path = path.canonicalize()?;
    let state = state_of(&path, &before)?;
    let note = notes.join(state.as_str());
    if let Some(known) = input_file::read_text(&note, 64).ok().and_then(|text| Fingerprint::parse(&text)) {
        return Ok(known);
    }
    let found = Fingerprint::of_file(&path)?;
    if is_unchanged(&path, &state)? {
        // Without the cache entry the file is hashed again next time, which is slow but correct.
        let _ = write_file(&note, found.as_str().as_bytes());
    }
    Ok(found)
}

/// Fingerprints of many small files, and of members of containers, in one table on disk.
#[derive(Debug)]
pub(crate) struct KnownFiles {
    /// `None` keeps the fingerprints in memory only.
    path: Option<PathBuf>,
    /// By fingerprint of the path; the state is that of the file when it was hashed.
    table: KnownTable,
    /// What was found since the table was read.
    new: FxHashMap<u64, Known>,
}

/// The result for one file.
enum Found {
    Known(Fingerprint),
    New {
        key: u64,
        known: Known,
        keep: bool,
    },
    /// The file is missing or cannot be read.
    Unreadable,
}

impl KnownFiles {
    /// The table for the files of this folder (a dataset).
    pub fn of_folder(folder: &Path) -> Self {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        let name = Fingerprint::of_bytes(folder.as_os_str().as_encoded_bytes());
        Self::in_table(notes_folder().map(|notes| notes.join(format!("folder-{name}.known"))))
    }

    fn in_table(path: Option<PathBuf>) -> Self {
        let table = path.as_deref().map(KnownTable::open).unwrap_or_default();
        Self { path, table, new: FxHashMap::default() }
    }

    /// Fingerprints of the contents, one per path; `None` if a file cannot be read. Reads the files in parallel.
    pub fn contents(&mut self, paths: &[PathBuf]) -> Vec<Option<Fingerprint>> {
        let known = |key: u64| self.new.get(&key).copied().or_else(|| self.table.get(key));
        let found: Vec<Found> = paths.par_iter().map(|path| find(path, &known).unwrap_or(Found::Unreadable)).collect();
        let mut contents = Vec::with_capacity(paths.len());
        for one in found {
            contents.push(match one {
                Found::Known(content) => Some(content),
                Found::Unreadable => None,
                Found::New { key, known, keep } => {
                    if keep {
                        self.new.insert(key, known);
                    }
                    Some(Fingerprint::from_number(known.content))
                }
            });
        }
        contents
    }

    /// Keeps what was found for the next start.
    pub fn save(&mut self) {
        let Some(path) = self.path.as_ref().filter(|_| !self.new.is_empty()) else { return };
        // Without the table the files are hashed again next time, which is slow but correct.
        if self.table.write_with(path, &self.new).is_ok() {
            self.table = KnownTable::open(path);
            self.new.clear();
            // The table of earlier versions was text.
            let _ = fs::remove_file(path.with_extension("tsv"));
        }
    }
}

fn find(path: &Path, known: &(dyn Fn(u64) -> Option<Known> + Sync)) -> io::Result<Found> {
    let state = state_now(path)?;
    let key = Fingerprint::number_of(path.as_os_str().as_encoded_bytes());
    if let Some(known) = known(key).filter(|known| known.state == state.number()) {
        return Ok(Found::Known(Fingerprint::from_number(known.content)));
    }
    let content = match MemberPath::of(path) {
        None => Fingerprint::of_file(path)?,
        Some(_) => Fingerprint::of_bytes(&archive_member::read(path, MOST_MEMBER)?),
    };
    let keep = is_unchanged(path, &state)?;
    Ok(Found::New { key, known: Known { state: state.number(), content: content.number() }, keep })
}

#[cfg(test)]
mod tests {
    use crate::files::file_state::SETTLED;
    use crate::files::known_files::*;
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    fn set_modified(path: &Path, time: SystemTime) {
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    /// The inode change time cannot be set, so the tests wait.
    fn settle() {
        std::thread::sleep(SETTLED + Duration::from_millis(50));
    }

    #[test]
    fn a_note_serves_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (file, notes) = (folder.path().join("weights"), folder.path().join("notes"));
        let count = || fs::read_dir(&notes).map_or(0, Iterator::count);
        let long_ago = SystemTime::now() - Duration::from_secs(100);
        fs::write(&file, "first").unwrap();
        set_modified(&file, long_ago);
        let first = remembered(&file, &notes, 1).unwrap();
        assert_eq!((first.clone(), count()), (Fingerprint::of_bytes(b"first"), 0), "not settled");
        settle();
        assert_eq!((remembered(&file, &notes, 1).unwrap(), count()), (first.clone(), 1));
        // A changed cache entry shows that it is read.
        let note = fs::read_dir(&notes).unwrap().next().unwrap().unwrap().path();
        fs::write(&note, Fingerprint::of_bytes(b"noted").as_str()).unwrap();
        assert_eq!(remembered(&file, &notes, 1).unwrap(), Fingerprint::of_bytes(b"noted"));
        assert_eq!(remembered(&file, &notes, 6).unwrap(), first, "a small file is always read");
        fs::write(&note, "torn").unwrap();
        assert_eq!(remembered(&file, &notes, 1).unwrap(), first);
        // This keeps the length and the modification time.
        fs::write(&file, "other").unwrap();
        set_modified(&file, long_ago);
        assert_eq!(remembered(&file, &notes, 1).unwrap(), Fingerprint::of_bytes(b"other"));
    }

    #[test]
    fn a_table_forgets_files_that_were_changed_or_replaced_with_their_time_kept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let long_ago = SystemTime::now() - Duration::from_secs(100);
        for (name, content) in [("same", "aa"), ("in place", "bb"), ("replaced", "cc"), ("other", "dd")] {
            fs::write(at(name), content).unwrap();
            set_modified(&at(name), long_ago);
        }
        std::os::unix::fs::symlink(at("replaced"), at("link")).unwrap();
        settle();
        let table = at("table.known");
        let paths = [at("same"), at("in place"), at("replaced"), at("link"), at("none")];
        let contents = || {
            let mut known = KnownFiles::in_table(Some(table.clone()));
            let contents = known.contents(&paths);
            known.save();
            contents
        };
        let of = |text: &str| Some(Fingerprint::of_bytes(text.as_bytes()));
        assert_eq!(contents(), [of("aa"), of("bb"), of("cc"), of("cc"), None]);
        // A changed table shows that it is read.
        let key = Fingerprint::number_of(paths[0].as_os_str().as_encoded_bytes());
        let old = KnownTable::open(&table);
        let told = Known { content: of("told").unwrap().number(), ..old.get(key).unwrap() };
        old.write_with(&table, &[(key, told)].into_iter().collect()).unwrap();
        assert_eq!(contents()[0], of("told"));

        fs::write(at("in place"), "BB").unwrap();
        set_modified(&at("in place"), long_ago);
        fs::rename(at("other"), at("replaced")).unwrap();
        assert_eq!(contents()[1..4], [of("BB"), of("dd"), of("dd")]);
        fs::write(&table, "no table").unwrap();
        assert_eq!(contents()[0], of("aa"));
    }
}
