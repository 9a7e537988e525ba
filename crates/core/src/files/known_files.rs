//! A cache of file fingerprints that survives the program: hashing the weights of seven billion parameters takes more than
//! ten seconds, hashing 200,000 images minutes.
//!
//! The key of an entry is the path and everything that the file system changes with the file (size, modification
//! time, inode and inode change time), so a changed or replaced file has no entry. The key of a member of a container has
//! the state of the container.

use super::archive_member::{self, MemberPath};
use super::durable::write_file;
use super::fingerprint::Fingerprint;
use super::input_file;
use directories::ProjectDirs;
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Smaller files are not cached: they are hashed in a few milliseconds.
const LARGE: u64 = 1 << 20;
/// A file changed more recently could change again within one tick of the file system's clock, unnoticed.
const SETTLED: Duration = Duration::from_secs(2);
/// Maximum size of a table: ten million images of 34 bytes each.
const LARGEST_TABLE: u64 = 340 << 20;
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
    Some(ProjectDirs::from("", "", "dissent")?.cache_dir().join("fingerprints"))
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
    table: Option<PathBuf>,
    /// Maps the fingerprint of a file's state to that of its content, both as numbers.
    known: HashMap<u64, u64>,
    is_read: bool,
}

/// The result for one file.
enum Found {
    Known(Fingerprint),
    New {
        state: Fingerprint,
        content: Fingerprint,
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
        Self::in_table(notes_folder().map(|notes| notes.join(format!("folder-{name}.tsv"))))
    }

    fn in_table(table: Option<PathBuf>) -> Self {
        Self { table, known: HashMap::new(), is_read: false }
    }

    /// Fingerprints of the contents, one per path; `None` if a file cannot be read. Reads the files in parallel.
    pub fn contents(&mut self, paths: &[PathBuf]) -> Vec<Option<Fingerprint>> {
        self.read_table();
        let known = &self.known;
        let found: Vec<Found> = paths.par_iter().map(|path| find(path, known).unwrap_or(Found::Unreadable)).collect();
        let mut contents = Vec::with_capacity(paths.len());
        let mut is_new = false;
        for one in found {
            contents.push(match one {
                Found::Known(content) => Some(content),
                Found::Unreadable => None,
                Found::New { state, content, keep } => {
                    if keep {
                        self.known.insert(state.number(), content.number());
                        is_new = true;
                    }
                    Some(content)
                }
            });
        }
        if is_new {
            self.write_table(paths);
        }
        contents
    }

    fn read_table(&mut self) {
        if std::mem::replace(&mut self.is_read, true) {
            return;
        }
        let Some(table) = &self.table else { return };
        let Ok(text) = input_file::read_text(table, LARGEST_TABLE) else { return };
        for line in text.lines() {
            let Some((state, content)) = line.split_once('\t') else { continue };
            if let (Some(state), Some(content)) = (Fingerprint::parse(state), Fingerprint::parse(content)) {
                self.known.insert(state.number(), content.number());
            }
        }
    }

    /// Drops the entries of changed files once they are the majority.
    fn write_table(&mut self, paths: &[PathBuf]) {
        let Some(table) = &self.table else { return };
        if self.known.len() > 2 * paths.len() + 100_000 {
            let states: Vec<Option<u64>> = paths.par_iter().map(|path| Some(state_now(path).ok()?.number())).collect();
            let now: std::collections::HashSet<u64> = states.into_iter().flatten().collect();
            self.known.retain(|state, _| now.contains(state));
        }
        let mut text = String::with_capacity(self.known.len() * 34);
        for (state, content) in &self.known {
            text.push_str(&format!("{state:016x}\t{content:016x}\n"));
        }
        // Without the table the files are hashed again next time, which is slow but correct.
        let _ = write_file(table, text.as_bytes());
    }
}

fn find(path: &Path, known: &HashMap<u64, u64>) -> io::Result<Found> {
    let state = state_now(path)?;
    if let Some(content) = known.get(&state.number()) {
        return Ok(Found::Known(Fingerprint::from_number(*content)));
    }
    let content = match MemberPath::of(path) {
        None => Fingerprint::of_file(path)?,
        Some(_) => Fingerprint::of_bytes(&archive_member::read(path, MOST_MEMBER)?),
    };
    let keep = is_unchanged(path, &state)?;
    Ok(Found::New { state, content, keep })
}

fn state_now(path: &Path) -> io::Result<Fingerprint> {
    state_of(path, &fs::metadata(archive_member::on_disk(path))?)
}

/// Whether the file is unchanged since it was hashed, and old enough for its timestamps to prove that.
fn is_unchanged(path: &Path, state: &Fingerprint) -> io::Result<bool> {
    let after = fs::metadata(archive_member::on_disk(path))?;
    Ok(state_of(path, &after)? == *state && is_settled(&after)?)
}

#[cfg(unix)]
fn state_of(path: &Path, metadata: &Metadata) -> io::Result<Fingerprint> {
    use std::os::unix::fs::MetadataExt;
    // The inode change time moves even if a copy keeps the modification time.
    let numbers = [
        i128::from(metadata.dev()),
        i128::from(metadata.ino()),
        i128::from(metadata.ctime()),
        i128::from(metadata.ctime_nsec()),
    ];
    state_with(path, metadata, &numbers)
}

#[cfg(not(unix))]
fn state_of(path: &Path, metadata: &Metadata) -> io::Result<Fingerprint> {
    state_with(path, metadata, &[])
}

fn state_with(path: &Path, metadata: &Metadata, numbers: &[i128]) -> io::Result<Fingerprint> {
    let modified = metadata.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let parts = format!("{} {} {numbers:?}", metadata.len(), modified.as_nanos());
    Ok(Fingerprint::of_parts([path.to_string_lossy().as_ref(), &parts]))
}

/// Whether the last change is old enough; not if it lies in the future.
fn is_settled(metadata: &Metadata) -> io::Result<bool> {
    Ok(metadata.modified()?.elapsed().is_ok_and(|age| age >= SETTLED) && inode_is_settled(metadata))
}

#[cfg(unix)]
fn inode_is_settled(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let changed =
        Duration::new(metadata.ctime().try_into().unwrap_or(0), metadata.ctime_nsec().try_into().unwrap_or(0));
    now.checked_sub(changed).is_some_and(|age| age >= SETTLED)
}

#[cfg(not(unix))]
fn inode_is_settled(_metadata: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use crate::files::known_files::*;
    use std::fs::File;

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
        let table = at("table.tsv");
        let paths = [at("same"), at("in place"), at("replaced"), at("link"), at("none")];
        let contents = || KnownFiles::in_table(Some(table.clone())).contents(&paths);
        let of = |text: &str| Some(Fingerprint::of_bytes(text.as_bytes()));
        assert_eq!(contents(), [of("aa"), of("bb"), of("cc"), of("cc"), None]);
        // A changed table shows that it is read.
        let lines = fs::read_to_string(&table).unwrap();
        assert_eq!(lines.lines().count(), 4);
        let told = lines.replace(of("aa").unwrap().as_str(), of("told").unwrap().as_str());
        fs::write(&table, told).unwrap();
        assert_eq!(contents()[0], of("told"));

        fs::write(at("in place"), "BB").unwrap();
        set_modified(&at("in place"), long_ago);
        fs::rename(at("other"), at("replaced")).unwrap();
        assert_eq!(contents()[1..4], [of("BB"), of("dd"), of("dd")]);
        fs::write(&table, "no table").unwrap();
        assert_eq!(contents()[0], of("aa"));
    }
}
