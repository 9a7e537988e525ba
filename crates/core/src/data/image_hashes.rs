//! Finds image files with the same content; computes hashes on demand and caches them.

use super::Picture;
use crate::files::archive_member;
use crate::files::fingerprint::Fingerprint;
use crate::files::known_files::KnownFiles;
use anyhow::Result;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Sizes and content hashes of the image files requested so far.
#[derive(Debug, Default)]
pub(super) struct ImageHashes {
    sizes: Mutex<HashMap<PathBuf, Option<u64>>>,
    contents: Mutex<HashMap<PathBuf, Fingerprint>>,
    /// Hashes of earlier starts; `None` until needed.
    known: Mutex<Option<KnownFiles>>,
}

impl ImageHashes {
    /// Hash of a file's content.
    fn content(&self, path: &Path) -> Result<Fingerprint> {
        if let Some(known) = self.contents.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(known.clone());
        }
        let content = Picture::fingerprint_of(&Picture::read_bytes(path)?);
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).insert(path.into(), content.clone());
        Ok(content)
    }

    /// Hashes of the current contents of many files, one per path; `None` if a file cannot be read. Unchanged files that were
    /// hashed before are not read again.
    pub fn contents_now(&self, root: &Path, paths: &[PathBuf]) -> Vec<Option<Fingerprint>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_with(|| KnownFiles::of_folder(root)).contents(paths)
    }

    /// Whether two files contain the same bytes. An unreadable file equals no other; its error appears when it is
    /// shown.
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
        let size = archive_member::length(path).ok();
        sizes.insert(path.into(), size);
        size
    }
}
