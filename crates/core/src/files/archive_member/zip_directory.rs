//! The central directory of a zip file (APPNOTE 6.3.10, sections 4.3.12 to 4.3.16), parsed here and not by a library:
//! one that keeps a record of every member takes hundreds of bytes for each, a gigabyte for 1.6 million.

use super::damaged;
use std::borrow::Cow;
use std::io::{self, Read, Seek, SeekFrom};

const END: &[u8; 4] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const END_64: &[u8; 4] = b"PK\x06\x06";
const END_64_LENGTH: u64 = 56;
const LOCATOR: &[u8; 4] = b"PK\x06\x07";
const LOCATOR_LENGTH: u64 = 20;
const ENTRY: &[u8; 4] = b"PK\x01\x02";
const ENTRY_LENGTH: usize = 46;
/// A comment of 16-bit length follows the end record.
const MOST_COMMENT: u64 = 0xFFFF;
/// Identifier of the extra field with lengths and offsets of 64 bits.
const EXTRA_64: u16 = 1;

/// The upper half of code page 437, in which names are written that are not UTF-8 (APPNOTE, appendix D).
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Where the central directory is.
#[derive(Debug)]
pub(super) struct Directory {
    pub start: u64,
    pub length: u64,
    /// Number of entries, as far as the file says (16 bits of it in a file without 64-bit records).
    entries: u64,
    is_64: bool,
    /// Bytes before the first member, which no offset counts (a program that unpacks itself).
    pub before: u64,
}

/// An entry of the central directory.
#[derive(Debug)]
pub(super) struct Entry {
    pub name: String,
    pub flags: u16,
    pub method: u16,
    pub checksum: u32,
    pub packed: u64,
    pub length: u64,
    /// Offset of the local header, without the bytes before the archive.
    pub offset: u64,
    /// Length of this entry in the directory.
    pub own_length: u64,
}

impl Directory {
    /// Finds the directory from the end of the file.
    ///
    /// # Errors
    /// Fails if the file is no zip file, cut short, or in several parts.
    pub fn find(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let all = file.seek(SeekFrom::End(0))?;
        let tail_start = all.saturating_sub(MOST_COMMENT + END_LENGTH as u64);
        let tail = bytes_at(file, tail_start, (all - tail_start) as usize)?;
        let missing = || damaged("the zip file is cut short or none: it has no end record (PK\\x05\\x06)".into());
        let last = tail.len().checked_sub(END_LENGTH).ok_or_else(missing)?;
        let place = (0..=last).rev().find(|at| {
            tail[*at..].starts_with(END) && at + END_LENGTH + usize::from(word(&tail, at + 20)) <= tail.len()
        });
        let end = &tail[place.ok_or_else(missing)?..];
        let mut end_at = tail_start + place.unwrap_or_default() as u64;
        let mut directory = Self {
            start: long(end, 16).into(),
            length: long(end, 12).into(),
            entries: word(end, 10).into(),
            is_64: false,
            before: 0,
        };
        let (disk, disk_of_directory) = (word(end, 4), word(end, 6));
        if directory.entries == 0xFFFF || directory.length == 0xFFFF_FFFF || directory.start == 0xFFFF_FFFF {
            end_at = directory.read_64(file, end_at)?.unwrap_or(end_at);
        }
        let is_split = |number: u16| number != 0 && number != 0xFFFF;
        if is_split(disk) || is_split(disk_of_directory) {
            return Err(damaged("the zip file is one part of several; join them (`zip -s 0 IN --out OUT`)".into()));
        }
        // The directory ends where its end record begins.
        let start = end_at.checked_sub(directory.length).filter(|start| *start >= directory.start);
        let outside = || damaged("the zip file is damaged: its directory lies outside it".into());
        let start = start.ok_or_else(outside)?;
        directory.before = start - directory.start;
        directory.start = start;
        Ok(directory)
    }

    /// Replaces the fields by those of the 64-bit end record; returns its place, `None` if there is none.
    fn read_64(&mut self, file: &mut (impl Read + Seek), end_at: u64) -> io::Result<Option<u64>> {
        let Some(locator_at) = end_at.checked_sub(LOCATOR_LENGTH) else { return Ok(None) };
        let locator = bytes_at(file, locator_at, LOCATOR_LENGTH as usize)?;
        if !locator.starts_with(LOCATOR) {
            return Ok(None);
        }
        // Bytes before the archive are not counted by the offset, so the record is tried right before the locator too.
        for place in [locator_at.checked_sub(END_64_LENGTH), Some(quad(&locator, 8))] {
            let Some(place) = place.filter(|place| place.saturating_add(END_64_LENGTH) <= locator_at) else { continue };
            let record = bytes_at(file, place, END_64_LENGTH as usize)?;
            if record.starts_with(END_64) {
                self.entries = quad(&record, 32);
                self.length = quad(&record, 40);
                self.start = quad(&record, 48);
                self.is_64 = true;
                return Ok(Some(place));
            }
        }
        Err(damaged("the zip file is damaged: its 64-bit end record is not where it says".into()))
    }

    /// Checks the number of entries found in the directory.
    ///
    /// # Errors
    /// Fails if it is another than the end record says.
    pub fn check_count(&self, found: u64) -> io::Result<()> {
        // Old writers count in 16 bits whatever the number is.
        let said = if self.is_64 { found } else { found & 0xFFFF };
        if said == self.entries {
            return Ok(());
        }
        Err(damaged(format!("the zip file is damaged: its end record says {} members, found {found}", self.entries)))
    }
}

impl Entry {
    /// Reads the entry at the current place.
    ///
    /// # Errors
    /// Fails if there is none.
    pub fn read(file: &mut impl Read) -> io::Result<Self> {
        let mut fixed = [0; ENTRY_LENGTH];
        let cut = |_| damaged("the zip file is damaged: its directory is cut short".into());
        file.read_exact(&mut fixed).map_err(cut)?;
        if !fixed.starts_with(ENTRY) {
            return Err(damaged("the zip file is damaged: expected an entry (PK\\x01\\x02) in its directory".into()));
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(word(&fixed, at)));
        let mut rest = vec![0; name + extra + comment];
        file.read_exact(&mut rest).map_err(cut)?;
        let mut entry = Self {
            name: text_of(&rest[..name]).into_owned(),
            flags: word(&fixed, 8),
            method: word(&fixed, 10),
            checksum: long(&fixed, 16),
            packed: long(&fixed, 20).into(),
            length: long(&fixed, 24).into(),
            offset: long(&fixed, 42).into(),
            own_length: (ENTRY_LENGTH + rest.len()) as u64,
        };
        entry.widen(&rest[name..name + extra])?;
        Ok(entry)
    }

    /// Takes the fields that do not fit into 32 bits from the extra field.
    fn widen(&mut self, mut extra: &[u8]) -> io::Result<()> {
        let fields = [&mut self.length, &mut self.packed, &mut self.offset];
        let mut wide: Vec<&mut u64> = fields.into_iter().filter(|field| **field == 0xFFFF_FFFF).collect();
        while extra.len() >= 4 && !wide.is_empty() {
            let (kind, length) = (word(extra, 0), usize::from(word(extra, 2)));
            let Some(data) = extra.get(4..4 + length) else { break };
            if kind == EXTRA_64 && data.len() >= 8 * wide.len() {
                for (field, value) in wide.drain(..).zip(data.chunks_exact(8)) {
                    *field = quad(value, 0);
                }
            }
            extra = &extra[4 + length..];
        }
        if wide.is_empty() {
            return Ok(());
        }
        Err(damaged(format!("the zip file is damaged: member {:?} has no 64-bit lengths", self.name)))
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }
}

/// Names are UTF-8, or code page 437 if they cannot be UTF-8.
pub(super) fn text_of(name: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(name) {
        return Cow::Borrowed(text);
    }
    let letter = |byte: &u8| match byte {
        0..=0x7F => char::from(*byte),
        _ => CP437.chars().nth(usize::from(*byte) - 0x80).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Cow::Owned(name.iter().map(letter).collect())
}

/// Reads bytes at a place.
pub(super) fn bytes_at(file: &mut (impl Read + Seek), place: u64, count: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(place))?;
    let mut bytes = vec![0; count];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A little-endian number at a place, 0 beyond the end.
pub(super) fn word(bytes: &[u8], at: usize) -> u16 {
    number(bytes, at, 2) as u16
}

pub(super) fn long(bytes: &[u8], at: usize) -> u32 {
    number(bytes, at, 4) as u32
}

fn quad(bytes: &[u8], at: usize) -> u64 {
    number(bytes, at, 8)
}

fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    bytes.iter().skip(at).take(width).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
