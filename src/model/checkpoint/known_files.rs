//! Fingerprints of large files, remembered from one start to the next: reading and hashing the weights of seven billion
//! parameters takes ten seconds and more.
//!
//! A note is named after the file's path and everything that the file system says when a file changes, so a changed file
//! has no note.

use crate::durable::write_file;
use crate::fingerprint::Fingerprint;
use directories::ProjectDirs;
use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Smaller files are hashed in no time.
const LARGE: u64 = 64 << 20;
/// A file that was changed so recently might be changed again within one tick of the file system's clock.
const SETTLED: Duration = Duration::from_secs(2);

/// Fingerprint of the content of the file.
pub(super) fn fingerprint_of_file(path: &Path) -> io::Result<Fingerprint> {
    match ProjectDirs::from("", "", "dissent") {
        Some(folders) => remembered(path, &folders.cache_dir().join("fingerprints"), LARGE),
        None => Fingerprint::of_file(path),
    }
}

fn remembered(path: &Path, notes: &Path, large: u64) -> io::Result<Fingerprint> {
    let before = fs::metadata(path)?;
    if before.len() < large {
        return Fingerprint::of_file(path);
    }
    let path = path.canonicalize()?;
    let state = state_of(&path, &before)?;
    let note = notes.join(state.as_str());
    if let Some(known) = fs::read_to_string(&note).ok().and_then(|text| Fingerprint::parse(&text)) {
        return Ok(known);
    }
    let found = Fingerprint::of_file(&path)?;
    let after = fs::metadata(&path)?;
    if state_of(&path, &after)? == state && is_settled(&after)? {
        // Without a note the file is hashed again next time, which is slow but right.
        let _ = write_file(&note, found.as_str().as_bytes());
    }
    Ok(found)
}

#[cfg(unix)]
fn state_of(path: &Path, metadata: &Metadata) -> io::Result<Fingerprint> {
    use std::os::unix::fs::MetadataExt;
    // The time of the inode's change moves even where a copy keeps the time of the file's.
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

/// Was it last changed long enough ago? Not if the clock says in the future.
fn is_settled(metadata: &Metadata) -> io::Result<bool> {
    Ok(metadata.modified()?.elapsed().is_ok_and(|age| age >= SETTLED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    fn age(path: &Path, seconds: u64) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn a_note_serves_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (file, notes) = (folder.path().join("weights"), folder.path().join("notes"));
        let count = || fs::read_dir(&notes).map_or(0, Iterator::count);
        fs::write(&file, "first").unwrap();
        let first = remembered(&file, &notes, 1).unwrap();
        assert_eq!((first.clone(), count()), (Fingerprint::of_bytes(b"first"), 0), "not settled");
        age(&file, 100);
        assert_eq!((remembered(&file, &notes, 1).unwrap(), count()), (first.clone(), 1));
        // That the note is read shows where it says something else.
        let note = fs::read_dir(&notes).unwrap().next().unwrap().unwrap().path();
        fs::write(&note, Fingerprint::of_bytes(b"noted").as_str()).unwrap();
        assert_eq!(remembered(&file, &notes, 1).unwrap(), Fingerprint::of_bytes(b"noted"));
        assert_eq!(remembered(&file, &notes, 6).unwrap(), first, "a small file is always read");
        fs::write(&note, "torn").unwrap();
        assert_eq!(remembered(&file, &notes, 1).unwrap(), first);
        // As long and as old as before.
        fs::write(&file, "other").unwrap();
        age(&file, 100);
        assert_eq!(remembered(&file, &notes, 1).unwrap(), Fingerprint::of_bytes(b"other"));
    }
}
