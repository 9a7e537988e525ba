//! Writes that a crash, a kill or a full disk cannot leave half-done: write to a temporary file, sync, rename. Only regular
//! files are replaced.

use super::input_file::kind_of;
use anyhow::{Context, Result, anyhow, bail};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Maximum length of a chain of symbolic links, as on Linux.
const MOST_LINKS: usize = 40;

/// Replaces the content of `path`, entirely or not at all. Creates a missing folder. Follows a symbolic link and replaces
/// its target. Writes to a device or FIFO. Other hard links of the file keep the old content.
///
/// # Errors
/// Fails if the file cannot be written, or is a folder, a disk, a socket or read-only.
pub fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    let there = fs::metadata(path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) || is_of_a_process(path) {
        return write_through(path, there.as_ref(), content)
            .with_context(|| format!("cannot write to {}", path.display()));
    }
    replace_file(path, there, &mut |file| Ok(file.write_all(content)?))
}

/// Like [`write_file`], for content that `write` writes piece by piece, and for regular files only.
///
/// # Errors
/// Fails like [`write_file`], if the path is no regular file, and with the first error of `write`.
pub fn write_with(path: &Path, write: &mut dyn FnMut(&mut (dyn Write + Send)) -> Result<()>) -> Result<()> {
    let there = fs::metadata(path).ok();
    if let Some(there) = there.as_ref().filter(|there| !there.is_file()) {
        bail!("{}: expected a file, found {}", path.display(), kind_of(there));
    }
    replace_file(path, there, &mut |file| {
        let mut buffered = BufWriter::with_capacity(1 << 20, file);
        write(&mut buffered)?;
        Ok(buffered.flush()?)
    })
}

fn replace_file(path: &Path, there: Option<Metadata>, write: &mut dyn FnMut(&mut File) -> Result<()>) -> Result<()> {
    let path = &linked(path)?;
    if there.as_ref().is_some_and(|there| there.permissions().readonly()) {
        bail!("{} is read-only; make it writable or choose another name", path.display());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let mut aside = new_aside().tempfile_in(folder).with_context(|| format!("cannot write in {}", folder.display()))?;
    write(aside.as_file_mut())
        .and_then(|()| Ok(keep_permissions(aside.as_file(), there.map(|there| there.permissions()))?))
        .and_then(|()| Ok(aside.as_file().sync_all()?))
        .with_context(|| format!("cannot write {} (is the disk full?)", path.display()))?;
    aside.persist(path).map_err(|error| error.error).with_context(|| format!("cannot replace {}", path.display()))?;
    sync_folder(folder)
}

/// Creates a folder and its missing parents.
///
/// # Errors
/// Fails if the folder cannot be created. If a file is in the way, the message says so (the system says "File exists").
pub fn make_folder(folder: &Path) -> Result<()> {
    let Err(error) = fs::create_dir_all(folder) else { return Ok(()) };
    let in_folder = || format!("cannot create folder {}", folder.display());
    // The innermost ancestor that exists.
    let there = folder.ancestors().find_map(|path| Some((path, path.symlink_metadata().ok()?)));
    if let Some((path, own)) = there
        && !path.is_dir()
    {
        let found = fs::metadata(path).map_or("a link to nothing", |metadata| kind_of(&metadata));
        let found = if own.is_file() { "a file" } else { found };
        let place = if path == folder { String::new() } else { format!("{}: ", path.display()) };
        return Err(anyhow!("{place}expected a folder, found {found}")).with_context(in_folder);
    }
    Err(error).with_context(in_folder)
}

/// Gives the new file the permissions of the old one, so that a private file stays private.
fn keep_permissions(file: &File, before: Option<Permissions>) -> io::Result<()> {
    before.map_or(Ok(()), |permissions| file.set_permissions(permissions))
}

/// Follows the symbolic links from `path` to their target, which need not exist; `path` itself if it is not a link.
///
/// # Errors
/// Fails if the links go round in a circle.
pub fn linked(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        // A relative target starts at the folder of the link.
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    bail!("{}: too many symbolic links", path.display())
}

/// Whether the path is an open file of a process, such as `/dev/stdout`, which must not be replaced.
fn is_of_a_process(path: &Path) -> bool {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        if path.starts_with("/proc") || path.starts_with("/dev/fd") {
            return true;
        }
        let Ok(target) = fs::read_link(&path) else { return false };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    false
}

#[cfg(unix)]
fn write_through(path: &Path, there: Option<&Metadata>, content: &[u8]) -> Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
    if let Some(there) = there
        && (there.is_dir() || there.file_type().is_block_device() || there.file_type().is_socket())
    {
        let kind = if there.file_type().is_block_device() { "a disk" } else { kind_of(there) };
        bail!("expected a file, found {kind}");
    }
    // A FIFO without a reader would block for ever.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let opened = File::options().append(true).custom_flags(flags).open(path);
    let mut file = match opened {
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => bail!("no program reads from this FIFO"),
        opened => opened?,
    };
    // Blocking writes again, because its reader may be slow.
    fcntl(&file, FcntlArg::F_SETFL(OFlag::O_APPEND)).map_err(io::Error::from)?;
    file.write_all(content)?;
    match file.sync_all() {
        // Devices and FIFOs cannot be synced.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EROFS)) => Ok(()),
        synced => Ok(synced?),
    }
}

#[cfg(not(unix))]
fn write_through(_: &Path, there: Option<&Metadata>, _: &[u8]) -> Result<()> {
    bail!("expected a file, found {}", there.map_or("a special file", kind_of))
}

/// Temporary files are private by default; this one gets the permissions of the umask.
fn new_aside() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Replaces the folder `target` by the finished folder `aside` on the same file system. Follows a symbolic link and
/// replaces its target.
///
/// # Errors
/// Fails if a folder cannot be renamed. The old folder is then unchanged, or the error says where it is.
pub fn replace_folder(aside: &Path, target: &Path) -> Result<()> {
    let target = &linked(target)?;
    let parent = target.parent().unwrap_or(Path::new("."));
    let old = parent.join(format!(".old-{}", uuid::Uuid::now_v7()));
    let had_old = target.exists();
    if had_old {
        fs::rename(target, &old).with_context(|| format!("cannot move {} away", target.display()))?;
    }
    if let Err(error) = fs::rename(aside, target) {
        if had_old {
            fs::rename(&old, target).with_context(|| {
                format!("cannot move {} back: its content is now in {}", target.display(), old.display())
            })?;
        }
        return Err(error).with_context(|| format!("cannot move {} to {}", aside.display(), target.display()));
    }
    if had_old {
        // A file in it may still be open; the new folder is in place either way.
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
    use crate::files::durable::*;

    #[cfg(unix)]
    #[test]
    fn what_is_in_the_way_of_a_folder_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("name");
        let refused = |folder: &Path| format!("{:#}", make_folder(folder).unwrap_err());
        fs::write(&path, "x").unwrap();
        let expected = format!("cannot create folder {}: expected a folder, found a file", path.display());
        assert_eq!(refused(&path), expected);
        assert!(refused(&path.join("a/b")).ends_with("/name: expected a folder, found a file"));
        for (target, kind) in [("/dev/null", "a device"), ("/nonexistent/x", "a link to nothing")] {
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(target, &path).unwrap();
            assert!(refused(&path).ends_with(&format!("/name: expected a folder, found {kind}")), "{}", refused(&path));
        }
        assert!(!refused(Path::new("/proc/none")).contains("expected a folder"));
        make_folder(&parent.path().join("new/deeper")).unwrap();
        make_folder(parent.path()).unwrap();
    }

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

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::create_dir(place("deep")).unwrap();
        fs::write(place("deep/target"), "old").unwrap();
        for (link, to) in [("link", "deep/target"), ("second", "link"), ("dangling", "deep/new"), ("loop", "loop")] {
            std::os::unix::fs::symlink(to, place(link)).unwrap();
        }
        write_file(&place("second"), b"new").unwrap();
        write_file(&place("dangling"), b"first").unwrap();
        assert_eq!(fs::read(place("deep/target")).unwrap(), b"new");
        assert_eq!(fs::read(place("deep/new")).unwrap(), b"first");
        assert!(["link", "second", "dangling"].iter().all(|link| place(link).is_symlink()));
        assert!(write_file(&place("loop"), b"x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_and_read_only_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        for (mode, replaced) in [(0o600, true), (0o400, false)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(write_file(&path, b"new").is_ok(), replaced);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        }
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_fifos_are_written_to_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let error = format!("{:#}", write_file(&fifo, b"x").unwrap_err());
        assert!(error.contains("no program reads"), "{error}");
        let reader = fifo.clone();
        let reading = std::thread::spawn(move || fs::read(reader).unwrap());
        while write_file(&fifo, b"through").is_err() {
            std::thread::yield_now();
        }
        assert_eq!(reading.join().unwrap(), b"through");
        let link = folder.path().join("full");
        std::os::unix::fs::symlink("/dev/full", &link).unwrap();
        assert!(write_file(&link, b"x").is_err() && link.is_symlink());
        std::os::unix::fs::symlink("/dev/null", folder.path().join("null")).unwrap();
        write_file(&folder.path().join("null"), b"x").unwrap();
        let error = format!("{:#}", write_file(folder.path(), b"x").unwrap_err());
        assert!(error.contains("found a folder"), "{error}");
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
