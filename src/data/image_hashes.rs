//! Which image files are the same picture, found out as it is asked and remembered.

use super::Picture;
use crate::files::fingerprint::Fingerprint;
use crate::files::known_files::KnownFiles;
use anyhow::Result;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Sizes and content hashes of image files asked for so far.
#[derive(Debug, Default)]
pub(super) struct ImageHashes {
    sizes: Mutex<HashMap<PathBuf, Option<u64>>>,
    contents: Mutex<HashMap<PathBuf, Fingerprint>>,
    /// What earlier starts have hashed; `None` until it is asked for.
    known: Mutex<Option<KnownFiles>>,
}

impl ImageHashes {
    /// Hash of a file's content.
    pub fn content(&self, path: &Path) -> Result<Fingerprint> {
        if let Some(known) = self.contents.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(known.clone());
        }
        let content = Picture::fingerprint_of(&Picture::read_bytes(path)?);
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).insert(path.into(), content.clone());
        Ok(content)
    }

    /// Hashes of many files' contents as they are now, one a path; `None` where a file cannot be read. Files that were hashed
    /// before are looked at, not read again.
    pub fn contents_now(&self, root: &Path, paths: &[PathBuf]) -> Vec<Option<Fingerprint>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_with(|| KnownFiles::of_folder(root)).contents(paths)
    }

    /// Whether two files hold the same bytes. A file that cannot be read is the same as no other; whoever shows it
    /// says what is wrong with it.
    pub fn same_content(&self, one: &Path, other: &Path) -> bool {
        let (Some(one_size), Some(other_size)) = (self.size(one), self.size(other)) else { return false };
        if one_size != other_size {
            return false;
        }
        match (self.content(one), self.content(other)) {
            (Ok(one_content), Ok(other_content)) => one_content == other_content,
            _ => false,
        }
    }

    fn size(&self, path: &Path) -> Option<u64> {
        let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sizes.get(path) {
            return *known;
        }
        let size = std::fs::metadata(path).ok().map(|metadata| metadata.len());
        sizes.insert(path.into(), size);
        size
    }
}
