//! Validates the replacement table of a SentencePiece normaliser (`precompiled_charsmap`), which `spm_precompiled` does not.
//!
//! Layout: the length of a double-array trie in bytes (u32), the trie (u32 units), NUL-terminated replacements in UTF-8.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The largest table in bytes; published ones have 300 KB.
const LONGEST_TABLE: usize = 16 << 20;

/// Checks that no lookup can leave the table; returns the length of the longest replacement in bytes.
///
/// # Errors
/// Fails if the table is invalid.
pub(super) fn longest_replacement(encoded: &str) -> Result<usize, String> {
    let bytes = STANDARD.decode(encoded).map_err(|error| format!("expected base64: {error}"))?;
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or("expected a table, found an empty one")?;
    let length = u32::from_le_bytes(*length) as usize;
    if length < 4 || !length.is_multiple_of(4) || length > rest.len() || bytes.len() > LONGEST_TABLE {
        return Err(format!("the table declares a trie of {length} bytes, but has {}", rest.len()));
    }
    let (trie, replacements) = rest.split_at(length);
    let units: Vec<usize> =
        trie.chunks_exact(4).map(|unit| u32::from_le_bytes([unit[0], unit[1], unit[2], unit[3]]) as usize).collect();
    let text = std::str::from_utf8(replacements).map_err(|_| "expected replacements in UTF-8")?;
    walk(&units, text)?;
    Ok(text.split('\0').map(str::len).max().unwrap_or(0))
}

/// Visits every unit that a lookup can reach (darts-clone's double array, as read by `spm_precompiled`).
fn walk(units: &[usize], replacements: &str) -> Result<(), String> {
    let offset = |unit: usize| (unit >> 10) << ((unit & (1 << 9)) >> 6);
    let outside = || "the trie has a transition outside of its units".to_string();
    let mut seen = vec![false; units.len()];
    let mut open = vec![0_usize];
    while let Some(place) = open.pop() {
        let Some(&unit) = units.get(place) else { return Err(outside()) };
        let base = place ^ offset(unit);
        // The root's flag is not used.
        if place > 0 && (unit >> 8) & 1 == 1 {
            let value = units.get(base).ok_or_else(outside)? & ((1 << 31) - 1);
            if !replacements.is_char_boundary(value) {
                return Err("the trie refers to a missing replacement".to_string());
            }
        }
        for label in 1..=255_usize {
            let child = base ^ label;
            let &found = units.get(child).ok_or_else(outside)?;
            if found & ((1 << 31) | 0xFF) == label && !std::mem::replace(&mut seen[child], true) {
                open.push(child);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(length: u32, units: &[u32], replacements: &[u8]) -> String {
        let units: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        STANDARD.encode([length.to_le_bytes().as_slice(), &units, replacements].concat())
    }

    /// A trie with one entry, which maps the letter a to the replacement at `value`.
    fn single_entry(value: u32) -> Vec<u32> {
        let mut units = vec![0_u32; 512];
        units[0] = 256 << 10;
        // Its value is stored at the base of its children.
        units[0x161] = 0x61 | (1 << 8) | ((0x61 ^ 0x62) << 10);
        units[0x162] = value | (1 << 31);
        units
    }

    #[test]
    fn the_longest_replacement_is_found() {
        assert_eq!(longest_replacement(&table(2048, &single_entry(2), b"a\0bcd\0")), Ok(3));
    }

    #[test]
    fn invalid_tables_are_refused() {
        for (table, word) in [
            (String::new(), "empty"),
            ("/////w==".to_string(), "4294967295 bytes"),
            (table(8, &[0], b""), "8 bytes, but has 4"),
            (table(4, &[0], b""), "outside of its units"),
            (table(2048, &single_entry(90), b"a\0"), "missing replacement"),
            (table(2048, &single_entry(0), b"\xFF"), "UTF-8"),
            ("%".to_string(), "base64"),
        ] {
            let message = longest_replacement(&table).unwrap_err();
            assert!(message.contains(word), "{message}");
        }
    }
}
