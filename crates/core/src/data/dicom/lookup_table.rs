//! Lookup tables (PS3.3, C.11.1.1, C.11.2.1.1 and C.7.6.3.1.5).

use super::elements::Attributes;
use anyhow::{Context, Result, ensure};

/// A table from values to outputs.
#[derive(Debug)]
pub(super) struct LookupTable {
    /// The input value of the first entry; smaller ones use it, too.
    first: i32,
    entries: Vec<u16>,
    /// The largest output that the table's bits allow.
    pub top: u16,
}

impl LookupTable {
    /// Reads the table from a descriptor (entries, first value, bits) and its data. `is_signed` tells whether the first value
    /// is signed if the descriptor's value representation does not.
    ///
    /// # Errors
    /// Fails if the descriptor is impossible or there are fewer entries than it says.
    pub fn read(attributes: &Attributes, descriptor: u32, data: u32, is_signed: bool) -> Result<Self> {
        let words = attributes.words(descriptor).filter(|words| words.len() == 3);
        let words = words.context("expected three numbers in a LUT Descriptor of the DICOM file")?;
        let count = if words[0] == 0 { 1 << 16 } else { usize::from(words[0]) };
        let is_signed = attributes.says_signed(descriptor).unwrap_or(is_signed);
        let first = if is_signed { i32::from(words[1] as i16) } else { i32::from(words[1]) };
        let bits = words[2];
        ensure!((1..=16).contains(&bits), "expected a lookup table of 1 to 16 bits in the DICOM file, found {bits}");
        let bytes = attributes.bytes(data).context("a lookup table of the DICOM file has no data")?;
        // A word may contain two entries of 8 bits.
        let entries: Vec<u16> = if bytes.len() < 2 * count && bits <= 8 {
            bytes.iter().take(count).map(|byte| u16::from(*byte)).collect()
        } else {
            bytes.chunks_exact(2).take(count).map(|pair| attributes.word([pair[0], pair[1]])).collect()
        };
        ensure!(
            entries.len() == count,
            "expected {count} entries in a lookup table of the DICOM file, found {}",
            entries.len()
        );
        Ok(Self { first, entries, top: ((1_u32 << bits) - 1) as u16 })
    }

    /// The entry for a value; values beyond the ends use the first or the last entry.
    pub fn of(&self, value: f64) -> u16 {
        let place = (value.round() - f64::from(self.first)).clamp(0.0, (self.entries.len() - 1) as f64);
        self.entries[place as usize].min(self.top)
    }
}
