//! Decoded images, kept while they are likely to be wanted again: one document is a hit of many cases.

use crate::bounded::BoundedCache;
use crate::data::Picture;
use crate::fingerprint::Fingerprint;
use anyhow::{Context, Result};
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
        let picture = Arc::new(read_picture(path)?);
        let size = picture.image.as_bytes().len();
        self.recent.insert(path.to_path_buf(), picture.clone(), size);
        Ok(picture)
    }
}

fn read_picture(path: &Path) -> Result<Picture> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read image {}", path.display()))?;
    let image =
        image::load_from_memory(&bytes).with_context(|| format!("{} is no whole PNG or JPEG image", path.display()))?;
    Ok(Picture { path: path.to_path_buf(), fingerprint: Fingerprint::of_bytes(&bytes), image })
}
