//! A cache of decoded images: one document is a hit of many cases.

use anyhow::Result;
use dissent_core::data::Picture;
use dissent_core::files::archive_member;
use dissent_core::lru::LruCache;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Capacity of the cache in bytes.
const CAPACITY: usize = 64 << 20;

/// Identifies a version of a file; a file that was replaced is read again.
type Version = (PathBuf, Option<(u64, Option<SystemTime>)>);

/// Reads images through a cache.
pub(super) struct Pictures {
    recent: LruCache<Version, Arc<Picture>>,
}

impl Pictures {
    pub fn new() -> Self {
        Self { recent: LruCache::new(CAPACITY) }
    }

    /// The image in this file.
    pub fn read(&mut self, path: &Path) -> Result<Arc<Picture>> {
        let stamp = std::fs::metadata(archive_member::on_disk(path))
            .ok()
            .map(|metadata| (metadata.len(), metadata.modified().ok()));
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
