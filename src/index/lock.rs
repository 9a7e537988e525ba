//! One builder at a time, and no rubbish of a killed one.

use anyhow::{Context, Result, bail};
use std::fs::{File, TryLockError};
use std::path::Path;

/// Folders under construction begin with this.
pub(super) const ASIDE_PREFIX: &str = ".index-building-";

/// Held while an index is built; the operating system lets go of it even if the process is killed.
#[derive(Debug)]
pub(super) struct BuildLock {
    _file: File,
}

impl BuildLock {
    /// Takes the lock of a workspace and removes what a killed builder left.
    pub fn take(workspace: &Path) -> Result<Self> {
        std::fs::create_dir_all(workspace)
            .with_context(|| format!("cannot create the workspace {}", workspace.display()))?;
        let path = workspace.join("index.lock");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another process is building the index in {}; wait for it", workspace.display())
            }
            // Some network file systems have no locks; two builders there cost time, not correctness.
            Err(TryLockError::Error(_)) => return Ok(Self { _file: file }),
        }
        let entries = std::fs::read_dir(workspace).with_context(|| format!("cannot list {}", workspace.display()))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(ASIDE_PREFIX) {
                std::fs::remove_dir_all(entry.path())
                    .with_context(|| format!("cannot remove {}", entry.path().display()))?;
            }
        }
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_builder_is_refused_and_rubbish_goes() {
        let folder = tempfile::tempdir().unwrap();
        let rubbish = folder.path().join(format!("{ASIDE_PREFIX}x"));
        std::fs::create_dir(&rubbish).unwrap();
        let first = BuildLock::take(folder.path()).unwrap();
        assert!(!rubbish.exists());
        assert!(BuildLock::take(folder.path()).unwrap_err().to_string().contains("another process"));
        drop(first);
        BuildLock::take(folder.path()).unwrap();
    }
}
