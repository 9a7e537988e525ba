//! Finds image files with the same content or the same picture; computes hashes and prints on demand and caches them.

use super::known_prints::{KnownPrint, KnownPrints};
use super::{Picture, PicturePrint};
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
    /// Prints by content, with those of earlier starts; `None` until needed.
    prints: Mutex<Option<KnownPrints>>,
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
    /// hashed before are not read again, nor those of earlier starts once [`Self::save`] was called.
    pub fn contents_now(&self, root: &Path, paths: &[PathBuf]) -> Vec<Option<Fingerprint>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_with(|| KnownFiles::of_folder(root)).contents(paths)
    }

    /// Keeps the hashes for the next start.
    pub fn save(&self) {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            known.save();
        }
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

    /// Whether two files of the dataset in `root` show the same picture, however it is encoded. An unreadable file equals no
    /// other.
    pub fn same_picture(&self, root: &Path, one: &Path, other: &Path) -> bool {
        let prints = (self.print(root, one), self.print(root, other));
        matches!(prints, (Ok(Some(one)), Ok(Some(other))) if one.is_same_picture(&other))
    }

    fn print(&self, root: &Path, path: &Path) -> Result<Option<PicturePrint>> {
        let content = self.content(path)?;
        let known =
            |prints: &mut Option<KnownPrints>| prints.get_or_insert_with(|| KnownPrints::of_folder(root)).get(&content);
        if let Some(KnownPrint(print)) = known(&mut self.prints.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(print);
        }
        // Decoded without the lock, so that threads do not wait for each other.
        let picture = Picture::read(path)?;
        let mut prints = self.prints.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(prints.get_or_insert_with(|| KnownPrints::of_folder(root)).insert(&picture))
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
