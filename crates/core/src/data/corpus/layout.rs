//! How the documents of a corpus lie in memory and on disk. All numbers are little-endian.
//!
//! ```text
//! MAGIC
//! one entry per document: its checksum (u32), the lengths of id, image, caption and group, the number of its source (u64
//!     each), then the texts of id, image, caption and group
//! starts: where each entry begins, and where the last one ends (u64 each)
//! ids: hashes of the ids in ascending order (u64 each), then the row of each (u64 each)
//! sources: where each source begins, and where the last one ends (u64 each), then their texts
//! notes: what else is kept with the documents, of any length
//! footer: see `Footer`
//! ```
//!
//! The texts come first because they are written as they are read, and the last line is needed before the first start is known.

use super::super::DocumentView;
use super::footer::Footer;
use crate::files::fingerprint::Fingerprint;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// The first bytes; the number at the end is that of the layout.
pub(super) const MAGIC: &[u8; 16] = b"dissent docs 1\0\n";
/// Bytes of an entry before its texts.
pub(super) const ENTRY_HEAD: usize = 4 + 5 * 8;
/// A length or number that stands for "none".
pub(super) const NONE: u64 = u64::MAX;

/// Lays documents out one after the other.
pub(super) struct Layout {
    /// Bytes so far.
    at: u64,
    starts: Vec<u64>,
    ids: Vec<(u64, u64)>,
    sources: Vec<String>,
    source_numbers: FxHashMap<String, u64>,
    entry: Vec<u8>,
}

impl Layout {
    /// Starts after [`MAGIC`].
    pub fn new() -> Self {
        Self {
            at: MAGIC.len() as u64,
            starts: Vec::new(),
            ids: Vec::new(),
            sources: Vec::new(),
            source_numbers: FxHashMap::default(),
            entry: Vec::new(),
        }
    }

    /// The bytes of the document of the next row.
    pub fn entry(&mut self, document: &DocumentView) -> &[u8] {
        let row = self.starts.len();
        // `corpus.jsonl` is UTF-8, and so are its paths.
        let image = document.image.to_string_lossy();
        let group = document.group.map_or(NONE, |group| group.len() as u64);
        let source = document.source.map_or(NONE, |source| self.number_of(source));
        let lengths = [document.id.len() as u64, image.len() as u64, document.caption.len() as u64, group, source];
        self.entry.clear();
        self.entry.extend([0; 4]);
        for length in lengths {
            self.entry.extend(length.to_le_bytes());
        }
        for text in [document.id, &image, document.caption, document.group.unwrap_or_default()] {
            self.entry.extend(text.as_bytes());
        }
        let sum = entry_sum(row, &self.entry[4..]);
        self.entry[..4].copy_from_slice(&sum.to_le_bytes());
        self.starts.push(self.at);
        self.ids.push((Fingerprint::number_of(document.id.as_bytes()), row as u64));
        self.at += self.entry.len() as u64;
        &self.entry
    }

    fn number_of(&mut self, source: &str) -> u64 {
        if let Some(number) = self.source_numbers.get(source) {
            return *number;
        }
        let number = self.sources.len() as u64;
        self.source_numbers.insert(source.to_owned(), number);
        self.sources.push(source.to_owned());
        number
    }

    /// The bytes after those of the last document. `stamp` says what the documents were read from.
    pub fn end(mut self, notes: &[u8], stamp: u64) -> (Vec<u8>, Footer) {
        let (rows, starts_at) = (self.starts.len(), self.at);
        self.starts.push(self.at);
        self.ids.par_sort_unstable();
        let mut bytes = Vec::with_capacity((rows + 1) * 8 * 3 + notes.len());
        self.starts.iter().for_each(|start| bytes.extend(start.to_le_bytes()));
        let ids = bytes.len();
        self.ids.iter().for_each(|(hash, _)| bytes.extend(hash.to_le_bytes()));
        self.ids.iter().for_each(|(_, row)| bytes.extend(row.to_le_bytes()));
        let sources = bytes.len();
        let mut start = 0;
        for source in &self.sources {
            bytes.extend(u64::to_le_bytes(start));
            start += source.len() as u64;
        }
        bytes.extend(start.to_le_bytes());
        self.sources.iter().for_each(|source| bytes.extend(source.as_bytes()));
        let notes_at = bytes.len();
        bytes.extend(notes);
        let footer = Footer {
            stamp,
            rows: rows as u64,
            sources: self.sources.len() as u64,
            starts_at,
            ids_at: starts_at + ids as u64,
            sources_at: starts_at + sources as u64,
            notes_at: starts_at + notes_at as u64,
            ids_sum: crc32fast::hash(&bytes[ids..sources]),
            tail_sum: crc32fast::hash(&bytes[sources..]),
        };
        bytes.extend(footer.to_bytes());
        (bytes, footer)
    }
}

/// Checksum of an entry: of its row, so that no entry stands for another one, and of all bytes after the checksum.
pub(super) fn entry_sum(row: usize, rest: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&(row as u64).to_le_bytes());
    sum.update(rest);
    sum.finalize()
}
