//! Copies of the taxonomy, one of each version that people worked with, named after its content.

use dissent_core::files::durable;
use dissent_core::files::fingerprint::Fingerprint;
use std::fs;
use std::path::{Path, PathBuf};

/// Folder of the copies in the annotations folder.
pub const TAXONOMIES_FOLDER: &str = "taxonomies";

/// Keeps a copy of the file's text, unless there is one already. Copies are named after their content, so that folders
/// of several people merge. A folder that cannot be written is no error here.
pub(super) fn keep_version(folder: &Path, text: &[u8]) {
    let path = folder.join(TAXONOMIES_FOLDER).join(format!("{}.toml", Fingerprint::of_bytes(text)));
    if !path.exists() {
        let _ = durable::write_file(&path, text);
    }
}

/// The copies in the annotations folder.
pub(super) fn kept_versions(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(TAXONOMIES_FOLDER)).into_iter().flatten().flatten();
    let visible = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    visible.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect()
}
