//! Repeated pictures: exports with one row per question repeat the picture in every row.

use crate::files::fingerprint::Fingerprint;
use rustc_hash::FxHashMap;
use std::path::PathBuf;

/// The first place of each picture of a split.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    first: FxHashMap<u64, PathBuf>,
}

impl Pictures {
    /// The path of the first row with this picture, so that it is copied and embedded once.
    pub fn first(&mut self, hash: &Fingerprint, path: PathBuf) -> PathBuf {
        self.first.entry(hash.number()).or_insert(path).clone()
    }
}
