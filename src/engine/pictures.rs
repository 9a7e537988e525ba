//! Decoded images, kept while they are likely to be wanted again: one document is a hit of many cases.

use crate::bounded::BoundedCache;
use crate::data::Picture;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of decoded images kept.
const CAPACITY: usize = 64 << 20;

/// Reads images, the recent ones from memory.
pub(super) struct Pictures {
    recent: BoundedCache<PathBuf, Arc<Picture>>,
}

impl Pictures {
    pub fn new() -> Self {
        Self { recent: BoundedCache::new(CAPACITY) }
    }

    /// The image in this file.
    pub fn read(&mut self, path: &Path) -> Result<Arc<Picture>> {
        if let Some(picture) = self.recent.get(path) {
            return Ok(picture.clone());
        }
        let picture = Arc::new(Picture::read(path)?);
        let size = picture.image.as_bytes().len();
        self.recent.insert(path.to_path_buf(), picture.clone(), size);
        Ok(picture)
    }
}
