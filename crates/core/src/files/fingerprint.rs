//! Fingerprints of the inputs of derived files, so that stale files are detected.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{self, Read};
use std::path::Path;

/// The first 16 hexadecimal digits of a SHA-256, enough to tell any two files of a workspace apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Fingerprint of some bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::finish(Sha256::new_with_prefix(bytes))
    }

    /// [`Fingerprint::number`] of the fingerprint of some bytes, without its text: millions of ids are compared so.
    pub fn number_of(bytes: &[u8]) -> u64 {
        let digest = Sha256::digest(bytes);
        digest[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Fingerprint of several named parts; the order of the parts matters.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = PartsHasher::default();
        parts.into_iter().for_each(|part| hasher.add(part));
        hasher.finish()
    }

    /// Fingerprint of bytes that come in pieces; where they are cut does not matter.
    pub fn of_pieces(pieces: impl IntoIterator<Item: AsRef<[u8]>>) -> Self {
        let mut hasher = Sha256::new();
        for piece in pieces {
            hasher.update(piece.as_ref());
        }
        Self::finish(hasher)
    }

    /// Fingerprint of a regular file's content, read in chunks.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let mut file = crate::files::input_file::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0_u8; 1 << 16];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok(Self::finish(hasher));
            }
            hasher.update(&buffer[..count]);
        }
    }

    /// Parses the output of `as_str`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| Self(text.into()))
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same digits as a number, which takes less memory.
    pub fn number(&self) -> u64 {
        // A fingerprint always has 16 hexadecimal digits.
        u64::from_str_radix(&self.0, 16).unwrap_or_default()
    }

    /// The fingerprint that gave this number.
    pub(crate) fn from_number(number: u64) -> Self {
        Self(format!("{number:016x}"))
    }

    fn finish(hasher: Sha256) -> Self {
        let digest = hasher.finalize();
        let mut text = String::with_capacity(16);
        for byte in &digest[..8] {
            text.push_str(&format!("{byte:02x}"));
        }
        Self(text)
    }
}

/// Makes [`Fingerprint::of_parts`] of parts that come one by one.
#[derive(Clone, Default)]
pub(crate) struct PartsHasher(Sha256);

impl PartsHasher {
    pub fn add(&mut self, part: &str) {
        // The length distinguishes ("ab", "c") from ("a", "bc").
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part.as_bytes());
    }

    pub fn finish(self) -> Fingerprint {
        Fingerprint::finish(self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::files::fingerprint::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(Fingerprint::of_parts(["ab", "c"]), Fingerprint::of_parts(["a", "bc"]));
    }

    #[test]
    fn pieces_are_the_bytes_that_they_make() {
        assert_eq!(Fingerprint::of_pieces(["dis", "sent"]), Fingerprint::of_bytes(b"dissent"));
    }

    #[test]
    fn a_number_gives_its_fingerprint_back() {
        for digits in ["00000000000000ff", "fedcba9876543210"] {
            let print = Fingerprint::parse(digits).unwrap();
            assert_eq!(Fingerprint::from_number(print.number()), print);
        }
        assert_eq!(Fingerprint::number_of(b"dissent"), Fingerprint::of_bytes(b"dissent").number());
    }

    #[test]
    fn a_file_and_its_bytes_agree() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"dissent").unwrap();
        assert_eq!(Fingerprint::of_file(file.path()).unwrap(), Fingerprint::of_bytes(b"dissent"));
    }
}
