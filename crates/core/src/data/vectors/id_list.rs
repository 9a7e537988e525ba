//! The ids of a file's rows in a text file, one a line.

use crate::data::identifier::trimmed;
use crate::files::input_file;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// Maximum size: ten million ids of 100 bytes.
const MOST: u64 = 1 << 30;

/// The name that a list of ids has beside its vectors: `FILE.ids.txt`.
pub fn ids_beside(vectors: &Path) -> PathBuf {
    let mut name = vectors.as_os_str().to_owned();
    name.push(".ids.txt");
    name.into()
}

/// Reads a list of ids.
///
/// # Errors
/// Fails if the file cannot be read or a line is empty.
pub fn read(path: &Path) -> Result<Vec<String>> {
    let text = input_file::read_text(path, MOST).with_context(|| format!("cannot read {}", path.display()))?;
    let mut ids = Vec::new();
    for (line, id) in text.lines().enumerate() {
        let id = trimmed(id);
        ensure!(!id.is_empty(), "{}, line {}: expected an id, found an empty line", path.display(), line + 1);
        ids.push(id.to_owned());
    }
    Ok(ids)
}
