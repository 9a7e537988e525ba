//! Decoded pages of parquet files, kept within a bound: the images of one page are mostly wanted one after the other.

use crate::lru::LruCache;
use parquet::data_type::ByteArray;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Memory for decoded pages in bytes.
const MOST_PAGE_BYTES: usize = 512 << 20;

/// A file, its row group, its column and the page in them.
pub(super) type PageKey = (u64, usize, usize, usize);
/// A value per row; `None` is null.
pub(super) type PageValues = Arc<Vec<Option<ByteArray>>>;

fn pages() -> &'static Mutex<LruCache<PageKey, PageValues>> {
    static PAGES: OnceLock<Mutex<LruCache<PageKey, PageValues>>> = OnceLock::new();
    PAGES.get_or_init(|| Mutex::new(LruCache::new(MOST_PAGE_BYTES)))
}

/// The page, if it is kept.
pub(super) fn kept(key: PageKey) -> Option<PageValues> {
    pages().lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
}

/// Keeps a page of `size` bytes.
pub(super) fn keep(key: PageKey, values: PageValues, size: usize) {
    pages().lock().unwrap_or_else(PoisonError::into_inner).insert(key, values, size);
}
