//! Temporary folders in which datasets are written. A killed import leaves one behind; the next import
//! beside it removes it, unless a process still uses it.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use uuid::Uuid;

const MARK: &str = ".unfinished-";
/// Number of tries to create a folder; a try only fails if another process cleans up at the same moment.
const TRIES: usize = 10;

/// A folder `.NAME.unfinished-UUID`, locked while this value lives and then removed if it still exists.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub path: PathBuf,
    /// The owner of the lock may remove the folder.
    _lock: File,
}

impl Unfinished {
    /// Creates a folder in `parent` and removes those of killed processes.
    ///
    /// # Errors
    /// Fails if `parent` cannot be written.
    pub fn create(parent: &Path, name: &str) -> Result<Self> {
        sweep(parent);
        for _ in 0..TRIES {
            let path = parent.join(format!(".{name}{MARK}{}", Uuid::now_v7()));
            fs::create_dir(&path).with_context(|| format!("cannot write in {}", parent.display()))?;
            let Ok(lock) = File::open(&path) else { continue };
            // Some file systems cannot lock folders; there, no process cleans up.
            let is_swept = matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock));
            if !is_swept && path.is_dir() {
                return Ok(Self { path, _lock: lock });
            }
        }
        bail!("cannot keep a new folder in {}: another process removes it", parent.display())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // The folder is gone if it was moved into place; if it cannot be removed, the next import tries again.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes unlocked folders of this kind; ignores failures.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours =
            name.starts_with('.') && name.rsplit_once(MARK).is_some_and(|(_, id)| Uuid::parse_str(id).is_ok());
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        if let Ok(lock) = File::open(entry.path())
            && lock.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_import_left_is_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let at_work = Unfinished::create(parent.path(), "data").unwrap();
        let left = parent.path().join(format!(".data{MARK}{}", Uuid::now_v7()));
        let others = parent.path().join(format!(".data{MARK}mine"));
        for folder in [&left, &others] {
            fs::create_dir(folder).unwrap();
        }
        let second = Unfinished::create(parent.path(), "data").unwrap();
        assert!(at_work.path.is_dir() && second.path.is_dir() && others.is_dir() && !left.exists());
        let path = second.path.clone();
        drop(second);
        assert!(!path.exists());
    }
}
