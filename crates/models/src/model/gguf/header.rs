//! Validates GGUF headers before candle parses them.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Seek};

/// The largest alignment in bytes; llama.cpp writes 32.
const LARGEST_ALIGNMENT: u64 = 1 << 16;
/// The largest number of metadata fields; published files have some dozens.
const MOST_FIELDS: u64 = 1 << 16;
/// The longest tensor name in bytes; ggml allows 63.
const LONGEST_TENSOR_NAME: usize = 1 << 10;
const MAX_DIMENSIONS: u32 = 4;

/// ggml type ids supported by candle: F32 to `Q4_1`, `Q5_0` to `Q8_K`, BF16.
const KNOWN_KINDS: [std::ops::RangeInclusive<u32>; 3] = [0..=3, 6..=15, 30..=30];
/// Further ggml types that llama.cpp writes, for messages.
const OTHER_KINDS: [(u32, &str); 14] = [
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (28, "F64"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
    (40, "NVFP4"),
];

/// Checks the header; `reader` must be at the start of the file.
///
/// # Errors
/// Fails if the file is not GGUF version 2 or 3, ends within the header, or has a field of unknown type, a nested list or
/// an invalid alignment. Fails with [`ErrorKind::Unsupported`] if a tensor has an unsupported type, or a field or tensor
/// name occurs twice.
pub(super) fn check_header<R: Read + Seek>(reader: &mut BufReader<R>) -> Result<()> {
    if u32_of(reader)?.to_le_bytes() != *b"GGUF" {
        return Err(bad("expected a file that starts with GGUF".into()));
    }
    let version = u32_of(reader)?;
    if !(2..=3).contains(&version) {
        return Err(bad(format!("expected GGUF of version 2 or 3, found version {version}")));
    }
    let tensors = u64_of(reader)?;
    let fields = u64_of(reader)?;
    if fields > MOST_FIELDS {
        return Err(bad(format!("expected at most {MOST_FIELDS} fields, found {fields}")));
    }
    // candle keeps the last of two entries with the same name; llama.cpp refuses them.
    let mut names = HashSet::new();
    for _ in 0..fields {
        if reader.fill_buf()?.is_empty() {
            return Err(bad(format!("the file ends within the {fields} fields of its header")));
        }
        let name = name_of(reader)?;
        if name.len() > LONGEST_TENSOR_NAME {
            return Err(bad(format!("a field has a name of {} bytes", name.len())));
        }
        let kind = u32_of(reader)?;
        if name == b"general.alignment" {
            check_alignment(kind, reader)?;
        } else {
            skip(kind, reader)?;
        }
        if let Some(name) = names.replace(name) {
            let name = String::from_utf8_lossy(&name);
            return Err(Error::new(ErrorKind::Unsupported, format!("the file contains field {name} twice")));
        }
    }
    let mut names = HashSet::new();
    for _ in 0..tensors {
        let name = name_of(reader)?;
        let dimensions = u32_of(reader)?;
        if name.len() > LONGEST_TENSOR_NAME || dimensions > MAX_DIMENSIONS {
            return Err(bad(format!("a tensor has a name of {} bytes and {dimensions} dimensions", name.len())));
        }
        skip_bytes(8 * u64::from(dimensions), reader)?;
        check_kind(u32_of(reader)?, &name)?;
        let _offset = u64_of(reader)?;
        if let Some(name) = names.replace(name) {
            let name = String::from_utf8_lossy(&name);
            return Err(Error::new(ErrorKind::Unsupported, format!("the file contains tensor {name} twice")));
        }
    }
    Ok(())
}

fn name_of<R: Read>(reader: &mut BufReader<R>) -> Result<Vec<u8>> {
    let length = u64_of(reader)?;
    let mut name = Vec::new();
    reader.by_ref().take(length.min(1 << 16)).read_to_end(&mut name)?;
    Ok(name)
}

fn check_kind(kind: u32, tensor: &[u8]) -> Result<()> {
    if KNOWN_KINDS.iter().any(|known| known.contains(&kind)) {
        return Ok(());
    }
    let named = OTHER_KINDS.iter().find(|(number, _)| *number == kind);
    let found = named.map_or_else(|| format!("type {kind}"), |(_, name)| (*name).to_string());
    let tensor = String::from_utf8_lossy(tensor);
    let expected = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 or Q2_K to Q6_K";
    Err(Error::new(ErrorKind::Unsupported, format!("tensor {tensor} is stored as {found}; expected {expected}")))
}

fn check_alignment<R: Read>(kind: u32, reader: &mut BufReader<R>) -> Result<()> {
    let found = match kind {
        4 => u64::from(u32_of(reader)?),
        _ => return Err(bad(format!("general.alignment: expected a 32-bit integer, found a field of type {kind}"))),
    };
    if found == 0 || found > LARGEST_ALIGNMENT {
        return Err(bad(format!("general.alignment: expected 1 to {LARGEST_ALIGNMENT}, found {found}")));
    }
    Ok(())
}

fn skip<R: Read + Seek>(kind: u32, reader: &mut BufReader<R>) -> Result<()> {
    const STRING: u32 = 8;
    const LIST: u32 = 9;
    match kind {
        STRING => skip_bytes(u64_of(reader)?, reader),
        LIST => {
            let of = u32_of(reader)?;
            let count = u64_of(reader)?;
            if of == STRING {
                for _ in 0..count {
                    skip_bytes(u64_of(reader)?, reader)?;
                }
                return Ok(());
            }
            skip_bytes(size_of_kind(of)?.saturating_mul(count), reader)
        }
        _ => skip_bytes(size_of_kind(kind)?, reader),
    }
}

/// Size of a scalar type in bytes.
fn size_of_kind(kind: u32) -> Result<u64> {
    match kind {
        0 | 1 | 7 => Ok(1),
        2 | 3 => Ok(2),
        4..=6 => Ok(4),
        10..=12 => Ok(8),
        _ => Err(bad(format!("a field has the unknown type {kind}"))),
    }
}

fn skip_bytes<R: Read + Seek>(count: u64, reader: &mut BufReader<R>) -> Result<()> {
    let too_long = || bad("a field is longer than any file".into());
    let count = i64::try_from(count).map_err(|_| too_long())?;
    // The system refuses offsets beyond any file size.
    reader
        .seek_relative(count)
        .map_err(|error| if error.kind() == ErrorKind::InvalidInput { too_long() } else { error })
}

fn u32_of<R: Read>(reader: &mut BufReader<R>) -> Result<u32> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn u64_of<R: Read>(reader: &mut BufReader<R>) -> Result<u64> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn bad(reason: String) -> Error {
    Error::new(ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn check(fields: &[&[u8]]) -> std::result::Result<(), String> {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend((fields.len() as u64).to_le_bytes());
        for field in fields {
            bytes.extend(*field);
        }
        check_header(&mut BufReader::new(Cursor::new(bytes))).map_err(|error| error.to_string())
    }

    fn field(name: &str, kind: u32, value: &[u8]) -> Vec<u8> {
        let length = (name.len() as u64).to_le_bytes();
        [length.as_slice(), name.as_bytes(), &kind.to_le_bytes(), value].concat()
    }

    #[test]
    fn valid_fields_are_skipped() {
        let list = [4_u32.to_le_bytes().as_slice(), &2_u64.to_le_bytes(), &[0; 8]].concat();
        let text = [3_u64.to_le_bytes().as_slice(), b"abc"].concat();
        let texts = [8_u32.to_le_bytes().as_slice(), &1_u64.to_le_bytes(), &text].concat();
        let alignment = field("general.alignment", 4, &32_u32.to_le_bytes());
        assert_eq!(check(&[&field("a", 9, &list), &field("b", 8, &text), &field("c", 9, &texts), &alignment]), Ok(()));
        let number = field("a", 4, &7_u32.to_le_bytes());
        assert_eq!(check(&[&alignment, &number, &number]), Err("the file contains field a twice".into()));
    }

    #[test]
    fn unsupported_types_are_named() {
        let tensor = |kind: u32| {
            let mut bytes = b"GGUF\x03\0\0\0".to_vec();
            bytes.extend([1_u64, 0, 1].map(u64::to_le_bytes).concat());
            bytes.extend([b"a".as_slice(), &1_u32.to_le_bytes(), &32_u64.to_le_bytes()].concat());
            bytes.extend([kind.to_le_bytes().as_slice(), &0_u64.to_le_bytes()].concat());
            check_header(&mut BufReader::new(Cursor::new(bytes))).map_err(|error| error.to_string())
        };
        for kind in [0, 1, 2, 8, 12, 14, 30] {
            assert_eq!(tensor(kind), Ok(()));
        }
        assert!(tensor(20).unwrap_err().starts_with("tensor a is stored as IQ4_NL; expected F32"));
        assert!(tensor(77).unwrap_err().contains("stored as type 77"));
    }

    #[test]
    fn duplicate_tensors_are_refused() {
        let tensors = |names: [&str; 3]| {
            let mut bytes = b"GGUF\x03\0\0\0".to_vec();
            bytes.extend([3_u64, 0].map(u64::to_le_bytes).concat());
            for name in names {
                bytes.extend([(name.len() as u64).to_le_bytes().as_slice(), name.as_bytes()].concat());
                bytes.extend([0_u32.to_le_bytes(), 0_u32.to_le_bytes(), [0; 4], [0; 4]].concat());
            }
            check_header(&mut BufReader::new(Cursor::new(bytes))).map_err(|error| error.to_string())
        };
        assert_eq!(tensors(["a", "b", "c"]), Ok(()));
        assert_eq!(tensors(["a", "b", "a"]), Err("the file contains tensor a twice".into()));
    }

    #[test]
    fn hostile_headers_are_refused() {
        for (field, word) in [
            (field("general.alignment", 4, &0_u32.to_le_bytes()), "expected 1 to"),
            (field("general.alignment", 10, &32_u64.to_le_bytes()), "of type 10"),
            (field("a", 8, &u64::MAX.to_le_bytes()), "longer than any file"),
            (field("a", 9, &[9_u32.to_le_bytes().as_slice(), &1_u64.to_le_bytes()].concat()), "unknown type 9"),
            (field("a", 77, &[]), "unknown type 77"),
        ] {
            let message = check(&[&field]).unwrap_err();
            assert!(message.contains(word), "{message}");
        }
        let long = field("a", 9, &[8_u32.to_le_bytes().as_slice(), &(1_u64 << 60).to_le_bytes()].concat());
        assert!(check(&[&long]).is_err(), "as many texts as no file holds");
        let mut reader = BufReader::new(Cursor::new(b"GGUF\x01\0\0\0".to_vec()));
        assert!(check_header(&mut reader).unwrap_err().to_string().contains("found version 1"));
    }
}
