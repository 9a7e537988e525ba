//! A checksum on each line of a run detects lines that were changed, removed or moved. It guards against accidents and
//! forgotten edits, not against intent. Runs of other software have no checksums and are read as well.

use anyhow::{Result, bail};
use flate2::Crc;

const BEFORE: &[u8] = b",\"checksum\":\"";
const AFTER: &[u8] = b"\"}\n";
const DIGITS: usize = 8;

/// Turns a JSON object into a line that ends with its checksum: CRC-32 over the checksum of the case's line before it
/// (if any) and the object without its closing brace.
pub(super) fn seal(object: &mut Vec<u8>, before: Option<u32>) -> u32 {
    object.pop();
    let sum = checksum(object, before);
    object.extend_from_slice(BEFORE);
    object.extend_from_slice(format!("{sum:08x}").as_bytes());
    object.extend_from_slice(AFTER);
    sum
}

/// Verifies the checksum of a line and returns it; `None` if the line has none.
///
/// # Errors
/// Fails if checksum and line do not fit.
pub(super) fn check(line: &[u8], before: Option<u32>) -> Result<Option<u32>> {
    let (body, tail) = line.split_at(line.len().saturating_sub(BEFORE.len() + DIGITS + AFTER.len()));
    let Some(digits) = tail.strip_prefix(BEFORE).and_then(|tail| tail.strip_suffix(AFTER)) else {
        if before.is_some() {
            bail!("this line has no checksum and the line before it has one: it was changed after it was written");
        }
        return Ok(None);
    };
    let sum = checksum(body, before);
    if digits != format!("{sum:08x}").as_bytes() {
        bail!(
            "the checksum is {}, the line's content gives {sum:08x}: this line was changed after it was written, or the \
             line before it was removed",
            String::from_utf8_lossy(digits)
        );
    }
    Ok(Some(sum))
}

fn checksum(body: &[u8], before: Option<u32>) -> u32 {
    let mut crc = Crc::new();
    if let Some(before) = before {
        crc.update(&before.to_le_bytes());
    }
    crc.update(body);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use crate::run::checksum::*;

    #[test]
    fn a_changed_or_missing_line_does_not_fit() {
        let mut first = b"{\"a\":1}".to_vec();
        let sum = seal(&mut first, None);
        let mut second = b"{\"a\":2}".to_vec();
        seal(&mut second, Some(sum));
        assert_eq!(check(&first, None).unwrap(), Some(sum));
        assert!(check(&second, Some(sum)).is_ok());
        assert!(check(&second, None).is_err(), "the first line was removed");
        let changed: Vec<u8> = first.iter().map(|byte| if *byte == b'1' { b'3' } else { *byte }).collect();
        assert!(check(&changed, None).unwrap_err().to_string().contains("was changed"));
        assert_eq!(check(b"{\"a\":1}\n", None).unwrap(), None);
        assert!(check(b"{\"a\":1}\n", Some(1)).is_err());
    }
}
