//! The last bytes of a file of documents: where its parts are. It is written last, so a file that was cut has none.

/// Where the parts of a file of documents are, from the file's beginning, and their checksums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    /// What the documents were read from.
    pub stamp: u64,
    pub rows: u64,
    /// Number of different sources.
    pub sources: u64,
    pub starts_at: u64,
    pub ids_at: u64,
    pub sources_at: u64,
    pub notes_at: u64,
    /// Checksum of the hashes and rows of the ids.
    pub ids_sum: u32,
    /// Checksum of sources and notes.
    pub tail_sum: u32,
}

impl Footer {
    /// Seven numbers of 8 bytes, two of 4, and the footer's own checksum.
    pub const LENGTH: usize = 7 * 8 + 3 * 4;

    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let numbers =
            [self.stamp, self.rows, self.sources, self.starts_at, self.ids_at, self.sources_at, self.notes_at];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes[56..60].copy_from_slice(&self.ids_sum.to_le_bytes());
        bytes[60..64].copy_from_slice(&self.tail_sum.to_le_bytes());
        let own = crc32fast::hash(&bytes[..64]);
        bytes[64..].copy_from_slice(&own.to_le_bytes());
        bytes
    }

    /// The footer of a file; `None` if the file has none, or one whose parts do not lie one after the other.
    pub fn of(file: &[u8]) -> Option<Self> {
        let at = file.len().checked_sub(Self::LENGTH)?;
        let bytes = &file[at..];
        if crc32fast::hash(&bytes[..64]) != u32_at(bytes, 64)? {
            return None;
        }
        let number = |place: usize| u64_at(bytes, place * 8);
        let footer = Self {
            stamp: number(0)?,
            rows: number(1)?,
            sources: number(2)?,
            starts_at: number(3)?,
            ids_at: number(4)?,
            sources_at: number(5)?,
            notes_at: number(6)?,
            ids_sum: u32_at(bytes, 56)?,
            tail_sum: u32_at(bytes, 60)?,
        };
        let starts_end = footer.rows.checked_add(1)?.checked_mul(8)?.checked_add(footer.starts_at)?;
        let ids_end = footer.rows.checked_mul(16)?.checked_add(footer.ids_at)?;
        let source_texts = footer.sources.checked_add(1)?.checked_mul(8)?.checked_add(footer.sources_at)?;
        let is_whole = starts_end == footer.ids_at
            && ids_end == footer.sources_at
            && source_texts <= footer.notes_at
            && footer.notes_at <= at as u64;
        is_whole.then_some(footer)
    }
}

/// The number at a place; `None` beyond the end.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// The number at a place; `None` beyond the end.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
