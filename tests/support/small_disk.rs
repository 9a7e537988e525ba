//! A file system of a few pages.

use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Unmounted when dropped.
pub struct SmallDisk {
    folder: TempDir,
}

/// Mounts some memory, which takes root on Linux.
pub fn mount(kilobytes: usize) -> SmallDisk {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "dissent-test"])
        .arg(folder.path())
        .output();
    assert!(
        mounted.is_ok_and(|output| output.status.success()),
        "expected to mount a tmpfs, which takes root on Linux"
    );
    SmallDisk { folder }
}

impl SmallDisk {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the disk another size, above what is on it.
    #[allow(dead_code, reason = "not every test file that mounts a disk needs it")]
    pub fn resize(&self, kilobytes: usize) {
        let size = format!("remount,size={kilobytes}k");
        let status = Command::new("mount").args(["-o", &size]).arg(self.path()).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because the test may still have a file open there.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
