//! Checks the files of the caption index for Tantivy, which opens anything with the right name: a FIFO would block it
//! for ever, an endless file would use up all memory.

use super::IndexError;
use dissent_core::files::input_file::kind_of;
use std::path::Path;
use std::{fs, io};
use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenDirectoryError, OpenReadError, OpenWriteError};

/// Files that are read into memory and not mapped: short lists of segments.
const READ_WHOLE: [&str; 2] = ["meta.json", ".managed.json"];
/// Maximum size of such a list in bytes.
const LONGEST_LIST: u64 = 16 << 20;

/// Checks that every entry is a file as Tantivy writes it.
///
/// # Errors
/// Fails with [`IndexError::Damaged`] for the first other entry; rebuilding the index replaces the folder.
pub(super) fn check_entries(folder: &Path) -> Result<(), IndexError> {
    let unlisted = |error: io::Error| IndexError::unreadable(folder, &error);
    for entry in fs::read_dir(folder).map_err(unlisted)? {
        let path = entry.map_err(unlisted)?.path();
        // Links are refused because their target may change before Tantivy opens it.
        let metadata = path.symlink_metadata().map_err(|error| IndexError::unreadable(&path, &error))?;
        if metadata.is_symlink() {
            return Err(IndexError::damaged(&path, "expected a regular file, found a link"));
        }
        if !metadata.is_file() {
            return Err(IndexError::damaged(&path, format!("expected a regular file, found {}", kind_of(&metadata))));
        }
        let is_read_whole = path.file_name().is_some_and(|name| READ_WHOLE.iter().any(|list| name == *list));
        if is_read_whole && metadata.len() > LONGEST_LIST {
            let reason = format!("expected at most {LONGEST_LIST} bytes, found {}", metadata.len());
            return Err(IndexError::damaged(&path, reason));
        }
    }
    Ok(())
}

/// Converts Tantivy's error for a folder that it cannot open.
pub(super) fn refused(folder: &Path, error: &TantivyError) -> IndexError {
    match io_error_in(error) {
        Some((error, file)) => {
            IndexError::unreadable(&file.map_or(folder.to_path_buf(), |file| folder.join(file)), error)
        }
        None => IndexError::damaged(folder, error),
    }
}

/// The error on one line: Tantivy's own text contains the system's error in Rust's debug format.
pub(super) fn in_words(error: TantivyError) -> anyhow::Error {
    match io_error_in(&error) {
        Some((error, Some(file))) => anyhow::anyhow!("{}: {error}", file.display()),
        Some((error, None)) => anyhow::anyhow!("{error}"),
        None => error.into(),
    }
}

/// The contained system error and its file.
fn io_error_in(error: &TantivyError) -> Option<(&io::Error, Option<&Path>)> {
    match error {
        TantivyError::IoError(error)
        | TantivyError::LockFailure(LockError::IoError(error), _)
        | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error: error, .. }) => Some((error, None)),
        TantivyError::OpenReadError(OpenReadError::IoError { io_error, filepath })
        | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error, filepath }) => {
            Some((io_error, Some(filepath)))
        }
        _ => None,
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::super::TextIndex;
    use super::*;
    use dissent_core::data::{Corpus, Document};
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    fn written() -> (tempfile::TempDir, PathBuf) {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("text");
        let (id, caption, image) = ("d1".into(), "a mass".into(), "1.png".into());
        let document = Document { id, caption, image, source: None, group: None };
        TextIndex::write(&folder, &Corpus::of(&[document])).unwrap();
        assert!(TextIndex::open(&folder, 1).is_ok());
        (parent, folder)
    }

    fn damage_of(folder: &Path) -> String {
        match TextIndex::open(folder, 1).err() {
            Some(error @ IndexError::Damaged { .. }) => error.to_string(),
            Some(error) => panic!("expected a damaged index, found {error}"),
            None => panic!("expected a damaged index, found a sound one"),
        }
    }

    #[test]
    fn what_tantivy_would_wait_for_or_read_for_good_is_damage() {
        let (_parent, folder) = written();
        let store = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let store = store.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "store")).unwrap();
        for path in [store, folder.join("meta.json"), folder.join(".managed.json")] {
            let content = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
            let damage = damage_of(&folder);
            assert!(damage.contains("found a FIFO") && damage.contains(path.to_str().unwrap()), "{damage}");
            fs::remove_file(&path).unwrap();
            symlink("/dev/zero", &path).unwrap();
            assert!(damage_of(&folder).contains("found a link"));
            fs::remove_file(&path).unwrap();
            fs::write(&path, content).unwrap();
            assert!(TextIndex::open(&folder, 1).is_ok());
        }
    }

    #[test]
    fn a_list_as_long_as_the_disk_is_not_read() {
        let (_parent, folder) = written();
        let list = fs::OpenOptions::new().write(true).open(folder.join("meta.json")).unwrap();
        list.set_len(LONGEST_LIST + 1).unwrap();
        assert!(damage_of(&folder).contains("expected at most"));
    }

    #[test]
    fn too_many_open_files_is_no_damage_and_one_line() {
        let error = std::sync::Arc::new(io::Error::from_raw_os_error(libc::EMFILE));
        let error: TantivyError = OpenReadError::IoError { io_error: error, filepath: "meta.json".into() }.into();
        let refused = refused(Path::new("w/text"), &error);
        assert!(matches!(refused, IndexError::Failed(_)) && !refused.is_mended_by_building());
        assert_eq!(format!("{refused:#}"), "cannot read w/text/meta.json: Too many open files (os error 24)");
        assert_eq!(format!("{:#}", in_words(error)), "meta.json: Too many open files (os error 24)");
    }
}
