//! The directories (IFD) of a TIFF file (TIFF 6.0, section 2; BigTIFF), as far as the library does not show them.

/// Maximum number of pages that are counted.
const MOST_PAGES: u64 = 100_000;
const PHOTOMETRIC: u16 = 262;

/// Byte order and width of offsets.
#[derive(Clone, Copy)]
struct Coding {
    is_big_endian: bool,
    is_64: bool,
}

/// What the directories say.
pub(super) struct Directories {
    pub pages: u64,
    /// Place of the value of the first page's photometric interpretation, of 16 bits.
    photometric_at: Option<usize>,
    coding: Coding,
}

/// Whether this is the start of a TIFF file, with offsets of 32 or 64 bits.
pub(super) fn is_tiff(bytes: &[u8]) -> bool {
    Coding::of(bytes).is_some()
}

impl Coding {
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'I', b'I', 42, 0, ..] => Some(Self { is_big_endian: false, is_64: false }),
            [b'I', b'I', 43, 0, ..] => Some(Self { is_big_endian: false, is_64: true }),
            [b'M', b'M', 0, 42, ..] => Some(Self { is_big_endian: true, is_64: false }),
            [b'M', b'M', 0, 43, ..] => Some(Self { is_big_endian: true, is_64: true }),
            _ => None,
        }
    }

    fn number(self, bytes: &[u8], at: usize, width: usize) -> Option<u64> {
        let field = bytes.get(at..at.checked_add(width)?)?;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.is_big_endian { field.iter().fold(0, join) } else { field.iter().rev().fold(0, join) })
    }
}

impl Directories {
    /// Walks from one directory to the next, up to the end or the first damaged one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let coding = Coding::of(bytes)?;
        let (count_width, offset_width, entry) = if coding.is_64 { (8, 8, 20) } else { (2, 4, 12) };
        let mut found = Self { pages: 0, photometric_at: None, coding };
        let mut at = coding.number(bytes, offset_width, offset_width)?;
        while at != 0 && found.pages < MOST_PAGES {
            let Ok(start) = usize::try_from(at) else { break };
            let Some(count) = coding.number(bytes, start, count_width) else { break };
            let entries = start + count_width;
            let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(entry));
            let Some(end) = length.and_then(|length| entries.checked_add(length)) else { break };
            let Some(next) = coding.number(bytes, end, offset_width) else { break };
            if found.pages == 0 {
                let place = (entries..end).step_by(entry).find(|place| {
                    coding.number(bytes, *place, 2) == Some(PHOTOMETRIC.into())
                        && coding.number(bytes, place + 2, 2) == Some(3)
                });
                found.photometric_at = place.map(|place| place + entry - offset_width);
            }
            found.pages += 1;
            at = next;
        }
        Some(found)
    }

    /// The photometric interpretation of the first page.
    pub fn photometric(&self, bytes: &[u8]) -> Option<u64> {
        self.coding.number(bytes, self.photometric_at?, 2)
    }

    /// The file with grey values in place of the palette, so that the library returns the positions in the palette.
    pub fn with_grey_in_place_of_palette(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let grey = if self.coding.is_big_endian { [0, 1] } else { [1, 0] };
        if let Some(value) = self.photometric_at.and_then(|at| bytes.get_mut(at..at + 2)) {
            value.copy_from_slice(&grey);
        }
        bytes
    }
}
