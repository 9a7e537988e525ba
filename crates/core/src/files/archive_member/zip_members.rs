//! Members of a zip file, stored or deflated.

use super::name_index::{MOST_MEMBERS, NameIndex};
use super::zip_directory::{Directory, Entry, bytes_at, text_of, word};
use super::{damaged, no_member, too_long};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::io::{self, BufReader, Error, ErrorKind, Read, Seek, SeekFrom};

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const LOCAL_LENGTH: usize = 30;
/// The bit of an encrypted member.
const ENCRYPTED: u16 = 1;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Deflate packs at most so many bytes into one.
const MOST_RATIO: u64 = 1032;

/// The index of a zip file.
#[derive(Debug)]
pub(super) struct ZipMembers {
    /// Place of each member's entry in the central directory.
    index: NameIndex,
    /// Bytes before the archive.
    before: u64,
}

impl ZipMembers {
    /// Reads the central directory.
    ///
    /// # Errors
    /// Fails if the file is no zip file or damaged.
    pub fn read(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut index = NameIndex::default();
        let before = for_each_entry(file, &mut |entry, place| {
            if index.len() == MOST_MEMBERS {
                return Err(damaged(format!("expected at most {MOST_MEMBERS} members of a zip file, found more")));
            }
            index.add(&entry.name, place);
            Ok(())
        })?;
        index.finish();
        Ok(Self { index, before })
    }

    /// The content of a member of at most `most` bytes.
    ///
    /// # Errors
    /// Fails if there is no such member or several, or it is longer, damaged, encrypted or compressed in another way.
    pub fn content(&self, file: &mut (impl Read + Seek), name: &str, most: u64) -> io::Result<Vec<u8>> {
        let entry = self.entry(file, name)?;
        if entry.flags & ENCRYPTED != 0 {
            return Err(Error::new(ErrorKind::Unsupported, "the member is encrypted; unpack the zip file"));
        }
        if entry.length > most {
            return Err(too_long(entry.length, most));
        }
        let packed = self.find_data(file, &entry)?;
        let mut bytes = Vec::with_capacity(entry.length.min(packed.limit().saturating_mul(MOST_RATIO)) as usize);
        let unpacked = match entry.method {
            STORED => packed.take(entry.length + 1).read_to_end(&mut bytes),
            DEFLATED => DeflateDecoder::new(packed).take(entry.length + 1).read_to_end(&mut bytes),
            other => {
                let message =
                    format!("expected a stored or deflated member, found method {other}; pack the files again");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        unpacked.map_err(|error| damaged(format!("the member is damaged: {error}")))?;
        let mut checksum = Crc::new();
        checksum.update(&bytes);
        if bytes.len() as u64 != entry.length {
            let found = if bytes.len() as u64 > entry.length { "more".to_owned() } else { bytes.len().to_string() };
            return Err(damaged(format!("the member is damaged: expected {} bytes, found {found}", entry.length)));
        }
        if checksum.sum() != entry.checksum {
            return Err(damaged("the member is damaged: its checksum (CRC-32) is wrong".into()));
        }
        Ok(bytes)
    }

    /// Length of a member in bytes, as the directory says.
    pub fn length(&self, file: &mut (impl Read + Seek), name: &str) -> io::Result<u64> {
        Ok(self.entry(file, name)?.length)
    }

    /// Memory in bytes.
    pub fn size(&self) -> usize {
        self.index.size()
    }

    fn entry(&self, file: &mut (impl Read + Seek), name: &str) -> io::Result<Entry> {
        let mut found = None;
        for place in self.index.places(name) {
            file.seek(SeekFrom::Start(place))?;
            let entry = Entry::read(file)?;
            if entry.name != name {
                continue;
            }
            if found.replace(entry).is_some() {
                return Err(damaged("the zip file has several members of this name".into()));
            }
        }
        found.ok_or_else(no_member)
    }

    /// Reads the local header; the result gives the packed bytes.
    fn find_data<'a, F: Read + Seek>(&self, file: &'a mut F, entry: &Entry) -> io::Result<io::Take<&'a mut F>> {
        let all = file.seek(SeekFrom::End(0))?;
        let outside = || damaged("the zip file is cut short or damaged: the member lies outside it".into());
        let start = self.before.checked_add(entry.offset).ok_or_else(outside)?;
        if start.checked_add(LOCAL_LENGTH as u64).is_none_or(|end| end > all) {
            return Err(outside());
        }
        let header = bytes_at(file, start, LOCAL_LENGTH)?;
        let (name, extra) = (word(&header, 26), word(&header, 28));
        let data = start + LOCAL_LENGTH as u64 + u64::from(name) + u64::from(extra);
        if data.checked_add(entry.packed).is_none_or(|end| end > all) {
            return Err(outside());
        }
        let name = bytes_at(file, start + LOCAL_LENGTH as u64, name.into())?;
        if !header.starts_with(LOCAL) || text_of(&name) != entry.name {
            return Err(damaged("the zip file is damaged: the member is not where its directory says".into()));
        }
        file.seek(SeekFrom::Start(data))?;
        Ok(file.take(entry.packed))
    }
}

/// Visits the names and lengths of all files.
pub(super) fn for_each(
    file: &mut (impl Read + Seek),
    visit: &mut dyn FnMut(&str, u64) -> io::Result<()>,
) -> io::Result<()> {
    for_each_entry(file, &mut |entry, _| visit(&entry.name, entry.length)).map(|_| ())
}

/// Visits every entry that is not a folder, with its place; returns the number of bytes before the archive.
fn for_each_entry(
    file: &mut (impl Read + Seek),
    visit: &mut dyn FnMut(&Entry, u64) -> io::Result<()>,
) -> io::Result<u64> {
    let directory = Directory::find(file)?;
    file.seek(SeekFrom::Start(directory.start))?;
    let mut entries = BufReader::with_capacity(1 << 16, file.take(directory.length));
    let (mut at, mut count) = (0, 0);
    while at < directory.length {
        let entry = Entry::read(&mut entries)?;
        if !entry.is_folder() {
            visit(&entry, directory.start + at)?;
        }
        at += entry.own_length;
        count += 1;
    }
    directory.check_count(count)?;
    Ok(directory.before)
}
