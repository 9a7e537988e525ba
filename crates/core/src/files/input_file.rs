//! Reading files of other programs: regular files only, up to a maximum size, text in UTF-8 with or without a byte
//! order mark.
//!
//! These functions replace those of `std::fs`. They return `io::Error`; callers add the path and the purpose.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Error, ErrorKind, Read, Seek};
use std::path::Path;

/// First line of a Git LFS pointer file, which replaces content that was not downloaded.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
/// Maximum length of a Git LFS pointer (specification of Git LFS, "The Pointer").
const LONGEST_LFS_POINTER: u64 = 1024;
/// UTF-8 byte order mark, written by Notepad, PowerShell and Excel.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Whether anything has this name, even a FIFO, a folder or a dangling link: reading it then fails with a clear error.
/// With `Path::is_file`, an unreadable settings file would count as absent.
pub fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Opens a regular file for reading; follows symbolic links.
///
/// # Errors
/// Fails if the file is not regular (a FIFO would block, a device may be endless), a dangling link or a Git LFS pointer.
pub fn open(path: &Path) -> io::Result<File> {
    // Checked before opening, because opening a device can have side effects.
    refuse_special(&std::fs::metadata(path).map_err(|error| name_link_to_nothing(path, error))?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    // A FIFO created in the meantime must not block.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let mut file = options.open(path)?;
    let metadata = file.metadata()?;
    refuse_special(&metadata)?;
    if metadata.len() < LONGEST_LFS_POINTER && metadata.len() >= LFS_POINTER.len() as u64 {
        let mut start = Vec::new();
        (&mut file).take((BOM.len() + LFS_POINTER.len()) as u64).read_to_end(&mut start)?;
        if without_bom(&start).starts_with(LFS_POINTER) {
            let message = "found a Git LFS pointer instead of the content; run `git lfs pull`";
            return Err(Error::new(ErrorKind::InvalidData, message));
        }
        file.rewind()?;
    }
    Ok(file)
}

/// Reads a regular file of at most `most` bytes.
///
/// # Errors
/// Fails like [`open`], and if the file is longer.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    if length > most {
        return Err(too_long(length, most));
    }
    // `take` limits a file that grows while it is read.
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_long(bytes.len() as u64, most));
    }
    Ok(bytes)
}

/// Reads a text file of at most `most` bytes, without its byte order mark.
///
/// # Errors
/// Fails like [`read`] and [`text`].
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    text(&read(path, most)?).map(str::to_owned)
}

/// The text of a file's bytes, without its byte order mark.
///
/// # Errors
/// Fails if the text is not UTF-8; the message names UTF-16 or the offset of the first invalid byte.
pub fn text(bytes: &[u8]) -> io::Result<&str> {
    refuse_other_encodings(bytes)?;
    let bytes = without_bom(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("expected UTF-8 text, found other bytes at offset {}", error.valid_up_to());
        Error::new(ErrorKind::InvalidData, message)
    })
}

/// Detects UTF-16 and UTF-32 by the byte order mark, or by the zeros between the first letters, which
/// are ASCII in every file that we read.
///
/// # Errors
/// Fails if the text has another encoding.
pub fn refuse_other_encodings(start: &[u8]) -> io::Result<()> {
    let found = match start {
        // Checked before UTF-16, whose mark starts with the same bytes.
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] | [0, 0, 0, 1..=0x7F, ..] | [1..=0x7F, 0, 0, 0, ..] => "UTF-32",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, 1..=0x7F, 0, 1..=0x7F, ..] | [1..=0x7F, 0, 1..=0x7F, 0, ..] => {
            "UTF-16"
        }
        _ => return Ok(()),
    };
    let message =
        format!("expected UTF-8 text, found {found} (PowerShell's `>` writes UTF-16; save the file as UTF-8)");
    Err(Error::new(ErrorKind::InvalidData, message))
}

/// The bytes after a UTF-8 byte order mark, or all of them.
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}

fn name_link_to_nothing(path: &Path, error: Error) -> Error {
    match std::fs::read_link(path) {
        Ok(target) if error.kind() == ErrorKind::NotFound => {
            let message = format!("expected a regular file, found a link to nothing ({})", target.display());
            Error::new(ErrorKind::InvalidInput, message)
        }
        _ => error,
    }
}

fn refuse_special(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let message = format!("expected a regular file, found {}", kind_of(metadata));
    Err(Error::new(ErrorKind::InvalidInput, message))
}

/// The kind of a file, for messages.
pub fn kind_of(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        return "a folder";
    }
    if metadata.is_file() {
        return "a file";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a FIFO";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    "a special file"
}

fn too_long(length: u64, most: u64) -> Error {
    let message = format!("expected at most {most} bytes, found {length}");
    Error::new(ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use crate::files::input_file::*;

    fn in_folder(content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    #[test]
    fn a_text_is_read_with_and_without_byte_order_mark() {
        for content in ["a\u{e9}".as_bytes(), "\u{feff}a\u{e9}".as_bytes()] {
            let (_folder, path) = in_folder(content);
            assert_eq!(read_text(&path, 100).unwrap(), "a\u{e9}");
        }
    }

    #[test]
    fn what_is_no_utf8_is_named() {
        for (content, named) in [
            (&b"\xFF\xFEa\0"[..], "UTF-16"),
            (&b"\xFE\xFF\0a"[..], "UTF-16"),
            (&b"{\0\"\0"[..], "UTF-16"),
            (&b"\0{\0\""[..], "UTF-16"),
            (&b"\xFF\xFE\0\0{\0\0\0"[..], "UTF-32"),
            (&b"\0\0\xFE\xFF\0\0\0{"[..], "UTF-32"),
            (&b"{\0\0\0"[..], "UTF-32"),
            (&b"\0\0\0{"[..], "UTF-32"),
            (&b"abc\xE9"[..], "offset 3"),
        ] {
            let error = text(content).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_longer_file_is_refused_with_its_size() {
        let (_folder, path) = in_folder(b"12345");
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err().to_string();
        assert_eq!(error, "expected at most 4 bytes, found 5");
    }

    #[test]
    fn a_git_lfs_pointer_is_named() {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n";
        for content in [pointer.to_owned(), format!("\u{feff}{pointer}")] {
            let (_folder, path) = in_folder(content.as_bytes());
            assert!(read(&path, 1000).unwrap_err().to_string().contains("Git LFS"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn special_files_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(open(&fifo).unwrap_err().to_string().contains("a FIFO"));
        assert!(open(Path::new("/dev/zero")).unwrap_err().to_string().contains("a device"));
        assert!(open(folder.path()).unwrap_err().to_string().contains("a folder"));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/nonexistent/file", &link).unwrap();
        let error = open(&link).unwrap_err();
        // Callers treat `NotFound` as an absent file.
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("a link to nothing (/nonexistent/file)"), "{error}");
        assert!(is_there(&link) && !is_there(&folder.path().join("none")));
    }

    #[test]
    fn a_missing_file_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(open(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
