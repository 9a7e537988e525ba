//! A table of fingerprints on disk that is mapped, not read: two million entries are looked up without two million insertions.
//!
//! After [`MAGIC`] come entries in ascending order of their keys, three numbers of 8 bytes each (little-endian): key, state,
//! content; the last 4 bytes are the checksum of all before them. A table with another beginning, length or checksum is none.

use super::durable::write_with;
use super::mapped_bytes::MappedBytes;
use anyhow::Result;
use rustc_hash::FxHashMap;
use std::fmt;
use std::path::Path;

const MAGIC: &[u8; 16] = b"dissent known 1\n";
const ENTRY: usize = 24;
/// An older table with more entries is begun anew.
const MOST_ENTRIES: usize = 10_000_000;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub state: u64,
    pub content: u64,
}

/// Entries of a file, if there is a sound one.
#[derive(Default)]
pub(super) struct KnownTable(Option<MappedBytes>);

impl fmt::Debug for KnownTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KnownTable({} entries)", self.entries().len())
    }
}

impl KnownTable {
    pub fn open(path: &Path) -> Self {
        Self(MappedBytes::open(path).ok().filter(|bytes| is_sound(bytes)))
    }

    /// What is known of this key.
    pub fn get(&self, key: u64) -> Option<Known> {
        let entries = self.entries();
        let place = entries.binary_search_by_key(&key, |entry| number(entry, 0)).ok()?;
        Some(Known { state: number(&entries[place], 1), content: number(&entries[place], 2) })
    }

    fn entries(&self) -> &[[u8; ENTRY]] {
        let Some(bytes) = &self.0 else { return &[] };
        bytes[MAGIC.len()..bytes.len() - 4].as_chunks().0
    }

    /// Writes these entries, and those of this table that have other keys.
    pub fn write_with(&self, path: &Path, new: &FxHashMap<u64, Known>) -> Result<()> {
        let mut keys: Vec<u64> = new.keys().copied().collect();
        keys.sort_unstable();
        let is_full = self.entries().len() + keys.len() > MOST_ENTRIES;
        let mut old = if is_full { &[] } else { self.entries() };
        write_with(path, &mut |out| {
            let mut sum = crc32fast::Hasher::new();
            let mut write = |bytes: &[u8]| {
                sum.update(bytes);
                out.write_all(bytes)
            };
            write(MAGIC)?;
            for key in &keys {
                while let Some((entry, rest)) = old.split_first().filter(|(entry, _)| number(*entry, 0) <= *key) {
                    if number(entry, 0) < *key {
                        write(entry)?;
                    }
                    old = rest;
                }
                let Known { state, content } = new[key];
                for number in [*key, state, content] {
                    write(&number.to_le_bytes())?;
                }
            }
            write(old.as_flattened())?;
            Ok(out.write_all(&sum.finalize().to_le_bytes())?)
        })
    }
}

/// A number of an entry: its key, state or content.
fn number(entry: &[u8; ENTRY], place: usize) -> u64 {
    u64::from_le_bytes(entry.as_chunks().0[place])
}

fn is_sound(bytes: &[u8]) -> bool {
    let Some((all, sum)) = bytes.split_last_chunk::<4>() else { return false };
    let entries = all.strip_prefix(MAGIC);
    entries.is_some_and(|entries| entries.len() % ENTRY == 0) && crc32fast::hash(all) == u32::from_le_bytes(*sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(entries: &[(u64, u64)]) -> FxHashMap<u64, Known> {
        entries.iter().map(|(key, content)| (*key, Known { state: key.wrapping_mul(10), content: *content })).collect()
    }

    #[test]
    fn entries_are_added_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        assert_eq!(KnownTable::open(&path).get(1), None);
        KnownTable::open(&path).write_with(&path, &known(&[(7, 1), (3, 2), (u64::MAX, 3)])).unwrap();
        KnownTable::open(&path).write_with(&path, &known(&[(1, 4), (7, 5), (9, 6)])).unwrap();
        let table = KnownTable::open(&path);
        let contents = [1, 3, 7, 9, u64::MAX, 2].map(|key| table.get(key).map(|known| known.content));
        assert_eq!(contents, [Some(4), Some(2), Some(5), Some(6), Some(3), None]);
        assert_eq!(table.get(7), Some(Known { state: 70, content: 5 }));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 16 + 5 * 24 + 4);
    }

    #[test]
    fn a_damaged_table_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        KnownTable::default().write_with(&path, &known(&[(7, 1), (3, 2)])).unwrap();
        let sound = std::fs::read(&path).unwrap();
        assert!(KnownTable::open(&path).get(3).is_some());
        for place in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[place] ^= 0x20;
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(KnownTable::open(&path).get(3), None, "byte {place}");
            std::fs::write(&path, &sound[..place]).unwrap();
            assert_eq!(KnownTable::open(&path).get(3), None, "cut at {place}");
        }
    }
}
