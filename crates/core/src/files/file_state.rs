//! The state of a file or folder: its path and everything that the file system changes with it (size, modification time, inode
//! and inode change time). A file in the same state has the same content, and a folder the same entries.

use super::archive_member;
use super::fingerprint::{Fingerprint, PartsHasher};
use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A file changed more recently could change again within one tick of the file system's clock, unnoticed.
pub(crate) const SETTLED: Duration = Duration::from_secs(2);

/// The state of a file or folder as it is now; that of a member of a container is the state of the container.
pub(crate) fn state_now(path: &Path) -> io::Result<Fingerprint> {
    state_of(path, &fs::metadata(archive_member::on_disk(path))?)
}

/// Whether the file is unchanged since it had this state, and old enough for its times to prove that.
pub(crate) fn is_unchanged(path: &Path, state: &Fingerprint) -> io::Result<bool> {
    let after = fs::metadata(archive_member::on_disk(path))?;
    Ok(state_of(path, &after)? == *state && is_settled(&after)?)
}

/// The states of several files or folders in one, and whether all are old enough for their times to prove anything. One that is
/// missing has a state, too.
pub(crate) fn state_of_all(paths: impl Iterator<Item: AsRef<Path>>) -> (Fingerprint, bool) {
    let mut states = PartsHasher::default();
    let mut all_settled = true;
    for path in paths {
        let path = path.as_ref();
        match fs::metadata(path).and_then(|metadata| Ok((state_of(path, &metadata)?, is_settled(&metadata)?))) {
            Ok((state, settled)) => {
                states.add(state.as_str());
                all_settled &= settled;
            }
            Err(_) => states.add("missing"),
        }
    }
    (states.finish(), all_settled)
}

#[cfg(unix)]
pub(super) fn state_of(path: &Path, metadata: &Metadata) -> io::Result<Fingerprint> {
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
pub(super) fn state_of(path: &Path, metadata: &Metadata) -> io::Result<Fingerprint> {
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
    use super::*;

    #[test]
    fn the_states_of_folders_tell_of_entries_that_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let places = [folder.path().join("images"), folder.path().join("more")];
        fs::create_dir(&places[0]).unwrap();
        let state = || state_of_all(places.iter());
        let (first, settled) = state();
        assert!(!settled, "the folder is too new");
        assert_eq!(state().0, first);
        std::thread::sleep(SETTLED + Duration::from_millis(50));
        assert_eq!(state(), (first.clone(), true));
        fs::write(places[0].join("new.png"), "x").unwrap();
        let (second, settled) = state();
        assert!(second != first && !settled);
        fs::create_dir(&places[1]).unwrap();
        assert_ne!(state().0, second, "a missing folder has a state, too");
    }
}
