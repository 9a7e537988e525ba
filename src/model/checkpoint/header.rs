//! What the safetensors crate takes on trust: of two tensors of one name in a header it keeps the last.

use crate::files::input_file;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Error, ErrorKind, Read};
use std::path::Path;

/// The crate's own limit; the headers of the largest models have some MB.
const LONGEST_HEADER: u64 = 100 << 20;

/// Opens a weight file and reads over its header.
///
/// # Errors
/// Anything but a regular file; [`ErrorKind::InvalidData`] for a header that is longer than the file, or names a tensor
/// twice.
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
    file.read_exact(&mut length).map_err(|_| bad(format!("the file has {size} bytes, its header needs 8 and more")))?;
    let length = u64::from_le_bytes(length);
    let most = size.saturating_sub(8).min(LONGEST_HEADER);
    if length > most {
        return Err(bad(format!("the header says that it has {length} bytes, the file has room for {most}")));
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
                return Err(A::Error::custom(format!("tensor {name} is in the file twice")));
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
    fn a_tensor_is_in_a_file_once() {
        assert_eq!(checked(None, r#"{"a": {"shape": [1]}, "b": {}}"#), Ok(()));
        assert!(checked(None, r#"{"a": {}, "b": {}, "a": {}}"#).unwrap_err().contains("tensor a is in the file twice"));
    }

    #[test]
    fn a_length_is_not_believed_before_the_bytes_are_there() {
        assert!(checked(Some(u64::MAX), "{}").unwrap_err().contains("the file has room for 2"));
        assert!(checked(None, "[]").unwrap_err().contains("expected an object"));
    }
}
