//! A file that is mapped into memory: its pages are read when they are used, so it may be larger than the memory.

use super::input_file;
use memmap2::Mmap;
use std::io;
use std::ops::Deref;
use std::path::Path;

/// The bytes of a regular file.
pub struct MappedBytes(Mmap);

impl MappedBytes {
    /// Maps a file.
    ///
    /// # Errors
    /// Fails like [`input_file::open`], and if the system cannot map the file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = input_file::open(path)?;
        // SAFETY: the bytes must not change while they are borrowed, and the file must not become shorter: the system then
        // ends the program (SIGBUS). No program of ours writes into a file that exists (`durable` renames a new one over
        // it, which leaves the mapped one whole). Another program that writes into the file cannot be stopped; the map is
        // private and read-only, every value read from it is checked, and callers compare the file's size and date with
        // those before the reading.
        #[allow(unsafe_code, reason = "memory-mapping a file is unsafe")]
        let bytes = unsafe { Mmap::map(&file) }?;
        Ok(Self(bytes))
    }
}

impl Deref for MappedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_file_also_of_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for content in [&b"some bytes"[..], b""] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(&*MappedBytes::open(&path).unwrap(), content);
        }
        assert!(MappedBytes::open(folder.path()).is_err());
    }
}
