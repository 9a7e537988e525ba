//! The data elements of a DICOM data set that pictures need (PS3.5, section 7). Values are slices of the file: each length is
//! checked against the remaining bytes, and the nesting of sequences is limited.

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;

/// Maximum nesting of sequences; functional groups of enhanced images need four.
const MOST_DEPTH: usize = 32;
const UNDEFINED: u32 = u32::MAX;
const ITEM: u32 = 0xFFFE_E000;
const ITEM_END: u32 = 0xFFFE_E00D;
const SEQUENCE_END: u32 = 0xFFFE_E0DD;
pub(super) const PIXEL_DATA: u32 = 0x7FE0_0010;
/// Sequences that are kept; others are skipped.
const KEPT_SEQUENCES: [u32; 6] = [0x0028_3000, 0x0028_3010, 0x0028_9132, 0x0028_9145, 0x5200_9229, 0x5200_9230];

/// The encoding of the elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Coding {
    pub explicit: bool,
    pub big_endian: bool,
}

/// Value of an element.
#[derive(Debug)]
enum Value<'a> {
    /// With the value representation, zero if it is implicit.
    Bytes(&'a [u8], [u8; 2]),
    /// The first item of a kept sequence.
    Item(Box<Attributes<'a>>),
    Fragments(Vec<&'a [u8]>),
}

/// Elements by tag.
#[derive(Debug)]
pub(super) struct Attributes<'a> {
    values: BTreeMap<u32, Value<'a>>,
    big_endian: bool,
    /// The pixels have the value representation OW.
    pixels_are_words: bool,
}

impl<'a> Attributes<'a> {
    /// Reads the elements from the start of `bytes` to the pixels, and ignores the rest.
    ///
    /// # Errors
    /// Fails with the tag whose length or nesting is wrong.
    pub fn read(bytes: &'a [u8], coding: Coding) -> Result<Self> {
        Reader { bytes, at: 0, coding }.data_set(bytes.len(), false, 0, true)
    }

    /// The file meta elements (group 0002) and the start of the data set.
    pub fn read_meta(bytes: &'a [u8], start: usize) -> Result<(Self, usize)> {
        let mut reader = Reader { bytes, at: start, coding: Coding { explicit: true, big_endian: false } };
        let mut values = BTreeMap::new();
        while reader.bytes.get(reader.at..reader.at + 2) == Some(&[2, 0]) {
            let header = reader.header()?;
            let value = reader.take(header.tag, header.length, bytes.len())?;
            values.insert(header.tag, Value::Bytes(value, header.vr));
        }
        Ok((Self { values, big_endian: false, pixels_are_words: false }, reader.at))
    }

    /// Bytes of an element.
    pub fn bytes(&self, tag: u32) -> Option<&'a [u8]> {
        match self.values.get(&tag)? {
            Value::Bytes(bytes, _) => Some(bytes),
            _ => None,
        }
    }

    /// Whether the numbers of an element are signed, if its value representation (US or SS) tells.
    pub fn says_signed(&self, tag: u32) -> Option<bool> {
        match self.values.get(&tag)? {
            Value::Bytes(_, [b'S', b'S']) => Some(true),
            Value::Bytes(_, [b'U', b'S']) => Some(false),
            _ => None,
        }
    }

    /// First item of a sequence.
    pub fn item(&self, tag: u32) -> Option<&Self> {
        match self.values.get(&tag)? {
            Value::Item(item) => Some(item),
            _ => None,
        }
    }

    /// Fragments of encapsulated pixels, without the offset table.
    pub fn fragments(&self) -> Option<&[&'a [u8]]> {
        match self.values.get(&PIXEL_DATA)? {
            Value::Fragments(fragments) => Some(fragments),
            _ => None,
        }
    }

    pub fn has(&self, tag: u32) -> bool {
        self.values.contains_key(&tag)
    }

    /// 16-bit numbers of an element.
    pub fn words(&self, tag: u32) -> Option<Vec<u16>> {
        let bytes = self.bytes(tag)?;
        Some(bytes.chunks_exact(2).map(|pair| self.word([pair[0], pair[1]])).collect())
    }

    /// A 16-bit number in this data set's byte order.
    pub fn word(&self, pair: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }

    pub fn pixels_are_words(&self) -> bool {
        self.pixels_are_words
    }

    pub fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    /// First 16-bit number of an element.
    pub fn number(&self, tag: u32) -> Option<u16> {
        self.words(tag)?.first().copied()
    }

    /// A text without padding; the first of several values.
    pub fn text(&self, tag: u32) -> Option<String> {
        let text = String::from_utf8_lossy(self.bytes(tag)?);
        let first = text.split('\\').next()?.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace());
        (!first.is_empty()).then(|| first.to_owned())
    }

    /// All decimal texts of an element, if they are numbers.
    pub fn decimals(&self, tag: u32) -> Option<Vec<f64>> {
        let text = String::from_utf8_lossy(self.bytes(tag)?);
        text.trim_end_matches('\0').split('\\').map(|number| number.trim().parse().ok()).collect()
    }

    /// A decimal text; the first of several values.
    ///
    /// # Errors
    /// Fails if the text is not a finite number.
    pub fn decimal(&self, tag: u32, name: &str) -> Result<Option<f64>> {
        let Some(text) = self.text(tag) else { return Ok(None) };
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        let number = number.with_context(|| {
            format!("expected a number in {name} of the DICOM file, found '{}'", text.escape_debug())
        })?;
        Ok(Some(number))
    }
}

struct Header {
    tag: u32,
    vr: [u8; 2],
    length: u32,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    coding: Coding,
}

impl<'a> Reader<'a> {
    /// Reads elements up to `end`, or to the end of the item. Without `keep` they are skipped.
    fn data_set(&mut self, end: usize, is_open: bool, depth: usize, keep: bool) -> Result<Attributes<'a>> {
        ensure!(depth <= MOST_DEPTH, "the DICOM file nests sequences deeper than {MOST_DEPTH}");
        let mut values = BTreeMap::new();
        let mut pixels_are_words = false;
        while self.at < end {
            let header = self.header()?;
            if header.tag == ITEM_END && is_open {
                break;
            }
            let wanted = keep && (KEPT_SEQUENCES.contains(&header.tag) || !matches!(&header.vr, b"SQ"));
            if header.length == UNDEFINED && header.tag == PIXEL_DATA && depth == 0 {
                let fragments = self.fragments()?;
                values.insert(header.tag, Value::Fragments(fragments));
                break;
            }
            // Writers that do not know the tag use UN (PS3.5, 6.2.2).
            let is_unnamed = !self.coding.explicit || &header.vr == b"UN";
            let is_sequence = &header.vr == b"SQ" || (is_unnamed && KEPT_SEQUENCES.contains(&header.tag));
            if header.length == UNDEFINED || (is_sequence && wanted) {
                let wanted = wanted && KEPT_SEQUENCES.contains(&header.tag);
                if let Some(item) = self.sequence(&header, end, depth, wanted)? {
                    values.insert(header.tag, Value::Item(Box::new(item)));
                }
                continue;
            }
            let value = self.take(header.tag, header.length, end)?;
            if wanted && is_of_pictures(header.tag) {
                values.insert(header.tag, Value::Bytes(value, header.vr));
            }
            if header.tag == PIXEL_DATA && depth == 0 {
                pixels_are_words = &header.vr == b"OW";
                break;
            }
        }
        Ok(Attributes { values, big_endian: self.coding.big_endian, pixels_are_words })
    }

    /// Reads the first item of a sequence, if it is kept, and skips the others.
    fn sequence(&mut self, header: &Header, end: usize, depth: usize, keep: bool) -> Result<Option<Attributes<'a>>> {
        let outer = self.coding;
        // A sequence of unknown representation is in implicit little endian (PS3.5, 6.2.2).
        if &header.vr == b"UN" {
            self.coding = Coding { explicit: false, big_endian: false };
        }
        let is_open = header.length == UNDEFINED;
        let end = if is_open { end } else { self.end_of(header.tag, header.length, end)? };
        let mut first = None;
        loop {
            if !is_open && self.at >= end {
                break;
            }
            let item = self.header()?;
            if item.tag == SEQUENCE_END && is_open {
                break;
            }
            ensure!(
                item.tag == ITEM,
                "the DICOM file is damaged: expected an item in {}, found {}",
                named(header.tag),
                named(item.tag)
            );
            let is_item_open = item.length == UNDEFINED;
            let wanted = keep && first.is_none();
            if !is_item_open && !wanted {
                self.take(item.tag, item.length, end)?;
                continue;
            }
            let item_end = if is_item_open { end } else { self.end_of(item.tag, item.length, end)? };
            let content = self.data_set(item_end, is_item_open, depth + 1, wanted)?;
            if wanted {
                first = Some(content);
            }
        }
        self.coding = outer;
        Ok(first)
    }

    fn fragments(&mut self) -> Result<Vec<&'a [u8]>> {
        let mut fragments = Vec::new();
        loop {
            let item = self.header().context("the pixels of the DICOM file are cut short")?;
            if item.tag == SEQUENCE_END {
                break;
            }
            ensure!(
                item.tag == ITEM,
                "the DICOM file is damaged: expected a fragment of pixels, found {}",
                named(item.tag)
            );
            fragments.push(self.take(PIXEL_DATA, item.length, self.bytes.len())?);
        }
        ensure!(fragments.len() > 1, "the DICOM file contains no pixels");
        Ok(fragments.split_off(1))
    }

    fn header(&mut self) -> Result<Header> {
        let [a, b, c, d] = self.next::<4>()?;
        let (group, element) = (self.word([a, b]), self.word([c, d]));
        let tag = u32::from(group) << 16 | u32::from(element);
        if !self.coding.explicit || group == 0xFFFE {
            let length = self.long()?;
            return Ok(Header { tag, vr: [0, 0], length });
        }
        let vr = self.next::<2>()?;
        ensure!(
            vr.iter().all(u8::is_ascii_uppercase),
            "the DICOM file is damaged: expected a value representation at {}, found '{}'",
            named(tag),
            vr.escape_ascii()
        );
        let is_long = matches!(
            &vr,
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR" | b"UT" | b"UV"
        );
        let short = self.next::<2>()?;
        let length = if is_long { self.long()? } else { u32::from(self.word(short)) };
        Ok(Header { tag, vr, length })
    }

    fn end_of(&self, tag: u32, length: u32, end: usize) -> Result<usize> {
        let room = end.saturating_sub(self.at);
        if length as usize > room {
            bail!("the DICOM file is damaged or cut short: {} claims {length} bytes, but {room} are left", named(tag));
        }
        Ok(self.at + length as usize)
    }

    fn take(&mut self, tag: u32, length: u32, end: usize) -> Result<&'a [u8]> {
        let to = self.end_of(tag, length, end)?;
        let value = &self.bytes[self.at..to];
        self.at = to;
        Ok(value)
    }

    fn next<const N: usize>(&mut self) -> Result<[u8; N]> {
        let rest = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let found = *rest.context("the DICOM file is cut short within its elements")?;
        self.at += N;
        Ok(found)
    }

    fn word(&self, pair: [u8; 2]) -> u16 {
        if self.coding.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }

    fn long(&mut self) -> Result<u32> {
        let bytes = self.next::<4>()?;
        Ok(if self.coding.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }
}

/// Whether the element belongs to the image pixel, presentation or pixel groups; others are not kept.
fn is_of_pictures(tag: u32) -> bool {
    matches!(tag >> 16, 0x0028 | 0x2050 | 0x7FE0)
}

fn named(tag: u32) -> String {
    format!("({:04X},{:04X})", tag >> 16, tag & 0xFFFF)
}
