//! A map with a maximum size in bytes that drops the least recently used entries.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

struct Entry<V> {
    value: V,
    size: usize,
    last_used: u64,
}

/// Recently used values, up to a total size in bytes.
pub struct LruCache<K, V> {
    entries: HashMap<K, Entry<V>>,
    capacity: usize,
    held: usize,
    clock: u64,
}

impl<K: Hash + Eq + Clone, V> LruCache<K, V> {
    /// An empty map for `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), capacity, held: 0, clock: 0 }
    }

    /// The value, which is now the most recently used.
    pub fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.last_used = self.clock;
        Some(&entry.value)
    }

    /// Inserts a value of `size` bytes and drops others to make room. A value larger than the capacity is not kept.
    pub fn insert(&mut self, key: K, value: V, size: usize) {
        if size > self.capacity {
            return;
        }
        self.clock += 1;
        if let Some(old) = self.entries.insert(key, Entry { value, size, last_used: self.clock }) {
            self.held -= old.size;
        }
        self.held += size;
        while self.held > self.capacity {
            // A scan of a few thousand entries is cheap compared with computing a cached value.
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.last_used).map(|(key, _)| key.clone());
            let Some(entry) = oldest.and_then(|key| self.entries.remove(&key)) else { return };
            self.held -= entry.size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut cache = LruCache::new(10);
        cache.insert("a".to_string(), 1, 4);
        cache.insert("b".to_string(), 2, 4);
        assert_eq!(cache.get("a"), Some(&1));
        cache.insert("c".to_string(), 3, 4);
        assert_eq!(cache.get("b"), None);
        assert_eq!((cache.get("a").copied(), cache.get("c").copied()), (Some(1), Some(3)));
        cache.insert("huge".to_string(), 4, 11);
        assert_eq!(cache.get("huge"), None);
        cache.insert("a".to_string(), 5, 6);
        assert_eq!((cache.get("a").copied(), cache.held), (Some(5), 10));
    }
}
