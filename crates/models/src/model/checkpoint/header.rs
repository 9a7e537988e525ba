//! A check that the safetensors crate lacks: of two tensors with the same name in a header, it silently keeps the last.

use dissent_core::files::input_file;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Error, ErrorKind, Read};
use std::path::Path;

/// The longest header in bytes, as in the crate; headers of the largest models have a few MB.
const LONGEST_HEADER: u64 = 100 << 20;

/// Checks the header of a weight file.
///
/// # Errors
/// Fails if the path is not a regular file, and with [`ErrorKind::InvalidData`] if the header is longer than the file or
/// contains a tensor name twice.
pub(super) fn check_header(path: &Path) -> io::Result<()> {
    let mut file = input_file::open(path)?;
    let length = header_length(&mut file)?;
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(length).read_to_end(&mut bytes)?;
    let mut json = serde_json::Deserializer::from_slice(&bytes);
    json.deserialize_map(DistinctNames).map_err(|error| bad(error.to_string()))
}

fn header_length(file: &mut File) -> io::Result<u64> {
    let size = file.metadata()?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|_| bad(format!("expected at least 8 bytes of header, found a file of {size} bytes")))?;
    let length = u64::from_le_bytes(length);
    let most = size.saturating_sub(8).min(LONGEST_HEADER);
    if length > most {
        return Err(bad(format!("expected a header of at most {most} bytes, found a length of {length}")));
    }
    Ok(length)
}

fn bad(reason: String) -> Error {
    Error::new(ErrorKind::InvalidData, reason)
}

struct DistinctNames;

impl<'de> Visitor<'de> for DistinctNames {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object from tensor name to type, shape and offsets")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format!("the file contains tensor {name} twice")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(length: Option<u64>, header: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let length = length.unwrap_or(header.len() as u64);
        std::fs::write(&path, [&length.to_le_bytes(), header.as_bytes()].concat()).unwrap();
        check_header(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_tensor_name_occurs_once() {
        assert_eq!(checked(None, r#"{"a": {"shape": [1]}, "b": {}}"#), Ok(()));
        assert!(
            checked(None, r#"{"a": {}, "b": {}, "a": {}}"#).unwrap_err().contains("the file contains tensor a twice")
        );
    }

    #[test]
    fn header_length_is_checked_against_the_file_size() {
        assert!(checked(Some(u64::MAX), "{}").unwrap_err().contains("expected a header of at most 2 bytes"));
        assert!(checked(None, "[]").unwrap_err().contains("expected an object"));
    }
}
