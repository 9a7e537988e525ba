//! The page headers of a parquet column (parquet-format, "PageHeader"; Thrift compact protocol). Where a page lies and how
//! long it is must be known before it is decompressed, so that memory does not depend on what a file claims; the library
//! does not tell.

use super::{damaged, too_long};
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes read at first for a header; most take less than a hundred.
const USUAL_HEADER: usize = 1 << 10;
/// Maximum length of a header; statistics in it hold two values.
const MOST_HEADER: usize = 1 << 22;
/// Maximum size of a page in memory. Old versions of `datasets` put hundreds of images into one page.
pub(super) const MOST_PAGE: u64 = 1 << 30;
const MOST_DEPTH: usize = 16;
/// The type that ends a struct.
const STOP: u8 = 0;

/// A page with values.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataPage {
    /// Its first row in the row group, and its number of rows.
    pub first_row: u64,
    pub rows: u64,
    /// Bytes after decompression, with those of the dictionary.
    pub size: u64,
}

/// Lists the pages of a column chunk in bytes `start..end` of the file. The column must not be repeated, so that a value is a row.
///
/// # Errors
/// Fails if a header is damaged, or a page is too large.
pub(super) fn data_pages(file: &mut (impl Read + Seek), start: u64, end: u64) -> io::Result<Vec<DataPage>> {
    let (mut at, mut first_row, mut dictionary) = (start, 0_u64, 0);
    let mut pages = Vec::new();
    while at < end {
        let (header, length) = PageHeader::read(file, at, end)?;
        let outside = || damaged("the parquet file is damaged: a page ends after its column".into());
        let packed = u64::try_from(header.packed).map_err(|_| outside())?;
        let size = u64::try_from(header.size).map_err(|_| outside())?;
        at = at.checked_add(length + packed).filter(|next| *next <= end).ok_or_else(outside)?;
        if size > MOST_PAGE {
            return Err(too_long(size, MOST_PAGE));
        }
        match header.kind {
            0 | 3 => {
                let rows = u64::try_from(header.values).map_err(|_| outside())?;
                pages.push(DataPage { first_row, rows, size: size + dictionary });
                first_row = first_row.saturating_add(rows);
            }
            2 => dictionary = size,
            _ => {}
        }
    }
    Ok(pages)
}

#[derive(Default)]
struct PageHeader {
    /// 0 data, 1 index, 2 dictionary, 3 data of version 2.
    kind: i64,
    size: i64,
    packed: i64,
    values: i64,
}

impl PageHeader {
    /// Reads the header at a place; returns it with its length.
    fn read(file: &mut (impl Read + Seek), at: u64, end: u64) -> io::Result<(Self, u64)> {
        let mut most = USUAL_HEADER;
        loop {
            file.seek(SeekFrom::Start(at))?;
            let mut bytes = Vec::new();
            file.take((end - at).min(most as u64)).read_to_end(&mut bytes)?;
            let mut fields = Compact { bytes: &bytes, at: 0 };
            let mut header = Self::default();
            if header.parse(&mut fields).is_some() {
                return Ok((header, fields.at as u64));
            }
            if most >= MOST_HEADER || bytes.len() < most {
                return Err(damaged("the parquet file is damaged: a page has no whole header".into()));
            }
            most *= 16;
        }
    }

    fn parse(&mut self, fields: &mut Compact) -> Option<()> {
        let mut last = 0;
        loop {
            match fields.field(&mut last)? {
                (_, STOP) => return Some(()),
                (1, 5) => self.kind = fields.number()?,
                (2, 5) => self.size = fields.number()?,
                (3, 5) => self.packed = fields.number()?,
                // The first field of both kinds of data pages is their number of values.
                (5 | 8, 12) => {
                    let mut inner = 0;
                    loop {
                        match fields.field(&mut inner)? {
                            (_, STOP) => break,
                            (1, 5) => self.values = fields.number()?,
                            (_, kind) => fields.skip(kind, 0)?,
                        }
                    }
                }
                (_, kind) => fields.skip(kind, 0)?,
            }
        }
    }
}

/// Reads the Thrift compact protocol; `None` beyond the end.
struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Compact<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A number in zigzag coding.
    fn number(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Identifier and type of the next field; [`STOP`] at the end of the struct.
    fn field(&mut self, last: &mut i64) -> Option<(i64, u8)> {
        let byte = self.byte()?;
        if byte == STOP {
            return Some((0, STOP));
        }
        let delta = i64::from(byte >> 4);
        *last = if delta == 0 { self.number()? } else { last.checked_add(delta)? };
        Some((*last, byte & 0x0F))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > MOST_DEPTH {
            return None;
        }
        match kind {
            // Booleans of a field are in its type.
            1 | 2 => {}
            3 => self.advance(1)?,
            4..=6 => drop(self.unsigned()?),
            7 => self.advance(8)?,
            8 => {
                let length = self.unsigned()?;
                self.advance(length)?;
            }
            12 => {
                let mut last = 0;
                loop {
                    match self.field(&mut last)? {
                        (_, STOP) => break,
                        (_, kind) => self.skip(kind, depth + 1)?,
                    }
                }
            }
            // Page headers have no lists, sets or maps.
            _ => return None,
        }
        Some(())
    }

    fn advance(&mut self, count: u64) -> Option<()> {
        let to = self.at.checked_add(usize::try_from(count).ok()?)?;
        self.at = to;
        (to <= self.bytes.len()).then_some(())
    }
}
