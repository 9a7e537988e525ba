//! Vectors kept on disk: an append-only file of records of one length, of which only the keys are held in memory.
//!
//! A record is the key, the vector in f32 and the fingerprint of both, so that a torn record, or one that another program
//! wrote into, is passed over.

use anyhow::{Context, Result};
use dissent_core::files::fingerprint::Fingerprint;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes of a fingerprint.
const HASH: usize = 16;

/// A map from keys to vectors that outlives the program.
#[derive(Debug)]
pub(super) struct VectorLog {
    path: PathBuf,
    file: File,
    places: HashMap<Fingerprint, u64>,
    dimension: usize,
}

impl VectorLog {
    /// Opens or creates the file for vectors of this length.
    ///
    /// # Errors
    /// Fails if the file cannot be read or written.
    pub fn open(path: &Path, dimension: usize) -> Result<Self> {
        let failed = || format!("cannot open {}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).with_context(failed)?;
        let file = OpenOptions::new().create(true).read(true).append(true).open(path).with_context(failed)?;
        let mut log = Self { path: path.to_path_buf(), file, places: HashMap::new(), dimension };
        let length = log.file.metadata().with_context(failed)?.len();
        let mut record = vec![0; log.record_length()];
        let mut place = 0;
        log.file.rewind().with_context(failed)?;
        while place + record.len() as u64 <= length {
            log.file.read_exact(&mut record).with_context(failed)?;
            if let Some(key) = key_of(&record) {
                log.places.insert(key, place);
            }
            place += record.len() as u64;
        }
        // Ends a torn record, so that the next one starts where records start.
        let rest = (length - place) as usize;
        if rest > 0 {
            log.file.write_all(&vec![0; record.len() - rest]).with_context(failed)?;
        }
        Ok(log)
    }

    /// Removes all vectors.
    ///
    /// # Errors
    /// Fails if the file cannot be changed.
    pub fn clear(&mut self) -> Result<()> {
        self.places.clear();
        self.file.set_len(0).context("cannot empty the file of kept vectors")
    }

    fn record_length(&self) -> usize {
        2 * HASH + 4 * self.dimension
    }

    /// The vector under this key.
    ///
    /// # Errors
    /// Fails if the file can no longer be read.
    pub fn get(&mut self, key: &Fingerprint) -> Result<Option<Vec<f32>>> {
        let Some(place) = self.places.get(key) else { return Ok(None) };
        let mut record = vec![0; self.record_length()];
        self.file.seek(SeekFrom::Start(*place)).and_then(|_| self.file.read_exact(&mut record))?;
        if key_of(&record).as_ref() != Some(key) {
            return Ok(None);
        }
        let numbers = &record[HASH..record.len() - HASH];
        Ok(Some(numbers.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()))
    }

    /// Appends a vector in one write.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn insert(&mut self, key: Fingerprint, vector: &[f32]) -> Result<()> {
        let mut record = key.as_str().as_bytes().to_vec();
        record.extend(vector.iter().flat_map(|value| value.to_le_bytes()));
        let check = Fingerprint::of_bytes(&record);
        record.extend(check.as_str().bytes());
        self.file.write_all(&record).with_context(|| format!("cannot write {}", self.path.display()))?;
        // Another program may have written since.
        let end = self.file.stream_position()?;
        self.places.insert(key, end - record.len() as u64);
        Ok(())
    }
}

/// The key of a record; `None` if its checksum is wrong.
fn key_of(record: &[u8]) -> Option<Fingerprint> {
    let (content, check) = record.split_at(record.len() - HASH);
    if Fingerprint::of_bytes(content).as_str().as_bytes() != check {
        return None;
    }
    Fingerprint::parse(std::str::from_utf8(&content[..HASH]).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Fingerprint {
        Fingerprint::of_bytes(text.as_bytes())
    }

    #[test]
    fn vectors_survive_and_a_torn_record_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/vectors.bin");
        let mut log = VectorLog::open(&path, 2).unwrap();
        log.insert(key("a"), &[0.5, -1.25]).unwrap();
        log.insert(key("b"), &[1.0, 0.0]).unwrap();
        assert_eq!(log.get(&key("a")).unwrap(), Some(vec![0.5, -1.25]));
        drop(log);
        let content = fs::read(&path).unwrap();
        fs::write(&path, &content[..content.len() - 5]).unwrap();

        let mut log = VectorLog::open(&path, 2).unwrap();
        assert_eq!(log.get(&key("a")).unwrap(), Some(vec![0.5, -1.25]));
        assert_eq!(log.get(&key("b")).unwrap(), None);
        log.insert(key("c"), &[2.0, 3.0]).unwrap();
        drop(log);
        let mut content = fs::read(&path).unwrap();
        let mut log = VectorLog::open(&path, 2).unwrap();
        assert_eq!(log.get(&key("c")).unwrap(), Some(vec![2.0, 3.0]), "a record after a torn one is whole");
        log.clear().unwrap();
        assert_eq!((log.get(&key("c")).unwrap(), fs::metadata(&path).unwrap().len()), (None, 0));
        log.insert(key("d"), &[4.0, 5.0]).unwrap();
        assert_eq!(log.get(&key("d")).unwrap(), Some(vec![4.0, 5.0]));

        content[HASH] ^= 1;
        fs::write(&path, content).unwrap();
        assert_eq!(VectorLog::open(&path, 2).unwrap().get(&key("a")).unwrap(), None, "a changed number is no vector");
    }
}
