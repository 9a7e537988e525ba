//! Documents in the layout of [`super::layout`], in memory or in a mapped file. Whatever is read from a file is compared with
//! its checksum when it is used, so opening a file of any size reads its end alone.

use super::super::DocumentView;
use super::footer::{Footer, u32_at, u64_at};
use super::layout::{ENTRY_HEAD, Layout, MAGIC, NONE, entry_sum};
use crate::files::fingerprint::Fingerprint;
use crate::files::mapped_bytes::MappedBytes;
use std::path::Path;
use std::sync::OnceLock;

/// Where the bytes are.
enum Bytes {
    /// Ours: they are what was laid out.
    Owned(Vec<u8>),
    /// A file's: they are checked.
    Mapped(MappedBytes),
}

/// Documents that are not changed any more.
pub(super) struct StoredDocuments {
    bytes: Bytes,
    footer: Footer,
    /// Whether the ids of a mapped file have their checksum, once that is known.
    ids_are_whole: OnceLock<bool>,
}

/// Something in a mapped file is not what was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// Documents that are being laid out in memory.
pub(super) struct InMemory {
    layout: Layout,
    bytes: Vec<u8>,
}

impl InMemory {
    pub fn new() -> Self {
        Self { layout: Layout::new(), bytes: MAGIC.to_vec() }
    }

    /// Adds the document of the next row.
    pub fn push(&mut self, document: &DocumentView) {
        self.bytes.extend(self.layout.entry(document));
    }

    pub fn finish(self) -> StoredDocuments {
        let Self { layout, mut bytes } = self;
        let (end, footer) = layout.end(&[], 0);
        bytes.reserve_exact(end.len());
        bytes.extend(end);
        bytes.shrink_to_fit();
        StoredDocuments { bytes: Bytes::Owned(bytes), footer, ids_are_whole: OnceLock::from(true) }
    }
}

impl StoredDocuments {
    /// Documents in a file.
    ///
    /// # Errors
    /// Fails if the file has another layout, was cut, or its end is damaged.
    pub fn map(bytes: MappedBytes) -> Result<Self, Damaged> {
        if !bytes.starts_with(MAGIC) {
            return Err(Damaged);
        }
        let footer = Footer::of(&bytes).ok_or(Damaged)?;
        let end = bytes.get(footer.sources_at as usize..bytes.len() - Footer::LENGTH).ok_or(Damaged)?;
        if crc32fast::hash(end) != footer.tail_sum {
            return Err(Damaged);
        }
        Ok(Self { bytes: Bytes::Mapped(bytes), footer, ids_are_whole: OnceLock::new() })
    }

    pub fn len(&self) -> usize {
        self.footer.rows as usize
    }

    /// Whether the documents are in a file.
    pub fn is_mapped(&self) -> bool {
        matches!(self.bytes, Bytes::Mapped(_))
    }

    /// What the documents were read from.
    pub fn stamp(&self) -> u64 {
        self.footer.stamp
    }

    /// What is kept with the documents.
    pub fn notes(&self) -> &[u8] {
        self.part(self.footer.notes_at, (self.all().len() - Footer::LENGTH) as u64)
    }

    /// The document in a row.
    ///
    /// # Errors
    /// Fails if its bytes are not what was written, or there is no such row.
    pub fn document(&self, row: usize) -> Result<DocumentView<'_>, Damaged> {
        self.checked_document(row).ok_or(Damaged)
    }

    fn checked_document(&self, row: usize) -> Option<DocumentView<'_>> {
        let starts = self.part(self.footer.starts_at, self.footer.ids_at);
        let (start, end) = (u64_at(starts, row * 8)?, u64_at(starts, (row + 1) * 8)?);
        let entry = self.all().get(start as usize..end as usize)?;
        if self.is_mapped() && entry_sum(row, entry.get(4..)?) != u32_at(entry, 0)? {
            return None;
        }
        let length = |place: usize| u64_at(entry, 4 + place * 8);
        let texts = std::str::from_utf8(entry.get(ENTRY_HEAD..)?).ok()?;
        let id_end = length(0)? as usize;
        let image_end = id_end.checked_add(length(1)? as usize)?;
        let caption_end = image_end.checked_add(length(2)? as usize)?;
        let group = match length(3)? {
            NONE => None,
            group => Some(texts.get(caption_end..caption_end.checked_add(group as usize)?)?),
        };
        let source = match length(4)? {
            NONE => None,
            number => Some(self.source(number as usize)?),
        };
        Some(DocumentView {
            id: texts.get(..id_end)?,
            image: Path::new(texts.get(id_end..image_end)?),
            caption: texts.get(image_end..caption_end)?,
            source,
            group,
        })
    }

    /// The different sources, in the order of their first documents.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        (0..self.footer.sources as usize).filter_map(|number| self.source(number))
    }

    fn source(&self, number: usize) -> Option<&str> {
        let part = self.part(self.footer.sources_at, self.footer.notes_at);
        let (starts, texts) = part.split_at_checked((self.footer.sources as usize + 1) * 8)?;
        let (start, end) = (u64_at(starts, number * 8)?, u64_at(starts, (number + 1) * 8)?);
        std::str::from_utf8(texts.get(start as usize..end as usize)?).ok()
    }

    /// The first row whose document has this id.
    ///
    /// # Errors
    /// Fails if the bytes that have to be read for this are not what was written.
    pub fn row_of(&self, id: &str) -> Result<Option<usize>, Damaged> {
        let ids = self.part(self.footer.ids_at, self.footer.sources_at);
        if !self.ids_are_whole.get_or_init(|| crc32fast::hash(ids) == self.footer.ids_sum) {
            return Err(Damaged);
        }
        let (hashes, rows) = ids.split_at_checked(self.len() * 8).ok_or(Damaged)?;
        let number_at = |bytes: &[u8], place: usize| u64_at(bytes, place * 8).ok_or(Damaged);
        let wanted = Fingerprint::number_of(id.as_bytes());
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = usize::midpoint(from, to);
            if number_at(hashes, middle)? < wanted {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        while from < self.len() && number_at(hashes, from)? == wanted {
            let row = number_at(rows, from)? as usize;
            if self.document(row)?.id == id {
                return Ok(Some(row));
            }
            from += 1;
        }
        Ok(None)
    }

    fn all(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Owned(bytes) => bytes,
            Bytes::Mapped(bytes) => bytes,
        }
    }

    /// A part that the footer names; [`Footer::of`] has compared it with the length of the file.
    fn part(&self, from: u64, to: u64) -> &[u8] {
        self.all().get(from as usize..to as usize).unwrap_or_default()
    }
}
