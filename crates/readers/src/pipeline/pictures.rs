//! Decoded images, kept while they are likely to be wanted again: one document is a hit of many cases.

use anyhow::Result;
use dissent_core::data::Picture;
use dissent_core::lru::LruCache;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Bytes of decoded images kept.
const CAPACITY: usize = 64 << 20;

/// A file as it was when it was read: one that is replaced meanwhile is read again.
type Version = (PathBuf, Option<(u64, Option<SystemTime>)>);

/// Reads images, the recent ones from memory.
pub(super) struct Pictures {
    recent: LruCache<Version, Arc<Picture>>,
}

impl Pictures {
    pub fn new() -> Self {
        Self { recent: LruCache::new(CAPACITY) }
    }

    /// The image in this file.
    pub fn read(&mut self, path: &Path) -> Result<Arc<Picture>> {
        let stamp = std::fs::metadata(path).ok().map(|metadata| (metadata.len(), metadata.modified().ok()));
        let version = (path.to_path_buf(), stamp);
        if let Some(picture) = self.recent.get(&version) {
            return Ok(picture.clone());
        }
        let picture = Arc::new(Picture::read(path)?);
        let size = picture.image.as_bytes().len();
        self.recent.insert(version, picture.clone(), size);
        Ok(picture)
    }
}
