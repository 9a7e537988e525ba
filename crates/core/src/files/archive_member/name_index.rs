//! Finds the place of a member by its name, in 16 bytes per member: a zip file of 1.6 million images takes 26 MB. The
//! names stay in the file; whoever looks one up compares it there.

use std::hash::{BuildHasher, RandomState};

/// Maximum number of members of one container; the index then takes 256 MiB.
pub(super) const MOST_MEMBERS: usize = 1 << 24;

/// Hashes of names, each with the place of its member in the file.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    hasher: RandomState,
    /// Sorted by hash once [`NameIndex::finish`] was called.
    places: Vec<(u64, u64)>,
}

impl NameIndex {
    pub fn add(&mut self, name: &str, place: u64) {
        self.places.push((self.hasher.hash_one(name), place));
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Sorts the members; nothing is found before.
    pub fn finish(&mut self) {
        self.places.sort_unstable();
        self.places.shrink_to_fit();
    }

    /// Places of the members that may have this name, usually one.
    pub fn places(&self, name: &str) -> impl Iterator<Item = u64> {
        let hash = self.hasher.hash_one(name);
        let start = self.places.partition_point(|(other, _)| *other < hash);
        self.places[start..].iter().take_while(move |(other, _)| *other == hash).map(|(_, place)| *place)
    }

    /// Memory in bytes.
    pub fn size(&self) -> usize {
        self.places.capacity() * size_of::<(u64, u64)>()
    }
}
