//! Compares files with the checksums that the hub gives.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::File;
use std::io::{Read, Result, Seek};

/// A checksum in one of the two forms of the hub's entity tags; it is the name of the blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    /// SHA-256 of a large file.
    Sha256(String),
    /// Git's hash of a small file: the SHA-1 of `blob SIZE`, a zero byte and the content.
    Git(String),
}

impl Checksum {
    /// Parses an entity tag, with or without quotes; `None` if it is not a checksum.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let name = tag.trim().trim_start_matches("W/").trim_matches('"');
        let is_hex = name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        match name.len() {
            64 if is_hex => Some(Self::Sha256(name.into())),
            40 if is_hex => Some(Self::Git(name.into())),
            _ => None,
        }
    }

    /// Name of the blob.
    pub fn name(&self) -> &str {
        match self {
            Self::Sha256(name) | Self::Git(name) => name,
        }
    }

    /// True if the whole `file` of `size` bytes has this checksum.
    pub fn fits(&self, file: &mut File, size: u64) -> Result<bool> {
        file.rewind()?;
        let found = match self {
            Self::Sha256(_) => hash::<Sha256>(Sha256::new(), file)?,
            Self::Git(_) => hash::<Sha1>(Sha1::new_with_prefix(format!("blob {size}\0")), file)?,
        };
        Ok(found == self.name())
    }
}

fn hash<D: Digest>(mut digest: D, file: &mut File) -> Result<String> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        digest.update(&buffer[..count]);
    }
    let mut text = String::new();
    for byte in &*digest.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn both_kinds_are_those_of_git_and_sha256sum() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"hello\n").unwrap();
        // Output of `git hash-object` and `sha256sum` for the same content.
        let git = "\"ce013625030ba8dba906f756967f9e9ca394464a\"";
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        for tag in [git, sha256] {
            assert!(Checksum::of_tag(tag).unwrap().fits(&mut file, 6).unwrap(), "{tag}");
        }
        assert!(!Checksum::of_tag(&"0".repeat(64)).unwrap().fits(&mut file, 6).unwrap());
        for tag in ["", "\"abc\"", "../../x", &"Z".repeat(40)] {
            assert_eq!(Checksum::of_tag(tag), None, "{tag}");
        }
    }
}
