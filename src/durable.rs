//! Writing that a crash, a kill or a full disk cannot turn into a half file: write aside, sync, rename.

use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Replaces `path` by `content`, whole or not at all. The folder is made if it is missing.
pub fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot create folder {}", folder.display()))?;
    let mut aside = new_aside().tempfile_in(folder).with_context(|| format!("cannot write in {}", folder.display()))?;
    aside
        .write_all(content)
        .and_then(|()| aside.as_file().sync_all())
        .with_context(|| format!("cannot write {} (is the disk full?)", path.display()))?;
    aside.persist(path).map_err(|error| error.error).with_context(|| format!("cannot replace {}", path.display()))?;
    sync_folder(folder)
}

/// A temporary file is its owner's alone; this one becomes a file like any other, as the umask says.
fn new_aside() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Replaces the folder `target` by the finished folder `aside`, which must be on the same file system.
pub fn replace_folder(aside: &Path, target: &Path) -> Result<()> {
    let parent = target.parent().unwrap_or(Path::new("."));
    let old = parent.join(format!(".old-{}", uuid::Uuid::now_v7()));
    let had_old = target.exists();
    if had_old {
        fs::rename(target, &old).with_context(|| format!("cannot move {} away", target.display()))?;
    }
    if let Err(error) = fs::rename(aside, target) {
        if had_old {
            fs::rename(&old, target).with_context(|| {
                format!("cannot move {} back: what was in it is now in {}", target.display(), old.display())
            })?;
        }
        return Err(error).with_context(|| format!("cannot move {} to {}", aside.display(), target.display()));
    }
    if had_old {
        // Something may still be open in it; the new folder is in place either way.
        let _ = fs::remove_dir_all(&old);
    }
    sync_folder(parent)
}

/// Makes renames inside `folder` survive a power loss.
fn sync_folder(folder: &Path) -> Result<()> {
    // An empty parent means the current folder.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .with_context(|| format!("cannot sync folder {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/file.txt");
        write_file(&path, b"one").unwrap();
        write_file(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_it_where_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write_file(&ours, b"one").unwrap();
        fs::write(&plain, b"one").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn a_folder_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("aside", "new"), ("target", "old")] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("content"), content).unwrap();
        }
        replace_folder(&folder.path().join("aside"), &folder.path().join("target")).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("target/content")).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
