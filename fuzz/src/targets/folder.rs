//! A folder for the files that a target reads: one per thread, emptied by its user.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

thread_local! {
    static FOLDER: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

/// This thread's folder; it still holds the files of the previous run.
pub fn folder() -> PathBuf {
    FOLDER.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = tempfile::tempdir().ok();
        }
        slot.as_ref().map(|folder| folder.path().to_path_buf()).expect("a temporary folder")
    })
}

/// The project's folder, for fixtures and the sample.
pub fn project() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    if here.join("sample-data").is_dir() { here.into() } else { here.join("..") }
}

/// Copies the small files of a checkpoint, without its weights, into `to`, which is created if missing.
pub fn copy_settings(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the fixture").flatten() {
        let name = entry.file_name();
        let is_weights = name.to_string_lossy().ends_with(".safetensors") || name.to_string_lossy().ends_with(".gguf");
        if !is_weights && entry.path().is_file() {
            std::fs::copy(entry.path(), to.join(name)).expect("a copy");
        }
    }
}

/// Writes a file of the input.
pub fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a file");
}
