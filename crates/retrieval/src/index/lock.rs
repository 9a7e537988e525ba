//! Allows one builder at a time, and cleans up after killed ones.

use super::{Progress, Stage};
use anyhow::{Context, Result};
use dissent_core::files::durable::make_folder;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// Prefix of temporary folders.
pub(super) const ASIDE_PREFIX: &str = ".index-building-";

/// Takes the lock of the workspace that the index folder is in; a wait is reported as progress.
pub(super) fn begin_build<'a>(
    folder: &'a Path,
    progress: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<(&'a Path, BuildLock)> {
    let workspace = folder.parent().context("expected the index folder inside a workspace")?;
    let mut waiting = || progress(Progress { stage: Stage::Waiting, done: 0, total: 1 });
    Ok((workspace, BuildLock::take(workspace, &mut waiting)?))
}

/// Held while an index is built; the operating system releases it even if the process is killed.
#[derive(Debug)]
pub(super) struct BuildLock {
    file: File,
}

impl BuildLock {
    /// Takes the lock of a workspace and removes the folders of killed builders. While another process has it, `waiting` is
    /// called ten times a second; its error ends the wait.
    pub fn take(workspace: &Path, waiting: &mut dyn FnMut() -> Result<()>) -> Result<Self> {
        make_folder(workspace)?;
        let path = workspace.join("index.lock");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    waiting()?;
                    std::thread::sleep(BETWEEN_TRIES);
                }
                // Some network file systems have no locks; two concurrent builders there waste time but stay correct.
                Err(TryLockError::Error(_)) => return Ok(Self { file }),
            }
        }
        let entries = std::fs::read_dir(workspace).with_context(|| format!("cannot list {}", workspace.display()))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(ASIDE_PREFIX) {
                std::fs::remove_dir_all(entry.path())
                    .with_context(|| format!("cannot remove {}", entry.path().display()))?;
            }
        }
        Ok(Self { file })
    }
}

impl Drop for BuildLock {
    /// Releases the lock now: closing the file alone leaves it with a child process that is being started and has not yet
    /// closed its inherited files.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_builder_waits_and_rubbish_goes() {
        let folder = tempfile::tempdir().unwrap();
        let rubbish = folder.path().join(format!("{ASIDE_PREFIX}x"));
        std::fs::create_dir(&rubbish).unwrap();
        let mut first = Some(BuildLock::take(folder.path(), &mut || panic!("nobody else has it")).unwrap());
        assert!(!rubbish.exists());
        let gave_up = BuildLock::take(folder.path(), &mut || anyhow::bail!("gave up"));
        assert_eq!(gave_up.unwrap_err().to_string(), "gave up");
        let mut calls = 0;
        let second = BuildLock::take(folder.path(), &mut || {
            calls += 1;
            if calls == 2 {
                first = None;
            }
            Ok(())
        });
        assert!(second.is_ok() && calls == 2, "{calls}");
    }
}
