//! Members of a tar file (ustar, GNU and pax). One pass over the headers finds them all.

use super::name_index::{MOST_MEMBERS, NameIndex};
use super::zip_directory::bytes_at;
use super::{damaged, no_member, too_long};
use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom};

const BLOCK: u64 = 512;
/// Maximum length of a long name or a pax header; file systems allow names of 4096 bytes.
const MOST_NAME: u64 = 1 << 16;

/// The index of a tar file.
#[derive(Debug)]
pub(super) struct TarMembers {
    /// Place of each member's first header.
    index: NameIndex,
    /// Why the file could not be read to its end, if so.
    damage: Option<String>,
}

/// A member, from its first header.
struct Member {
    name: String,
    data: u64,
    length: u64,
    /// Place of the next member.
    next: u64,
    is_file: bool,
}

impl TarMembers {
    /// Reads the headers, up to the first damaged one: the members before it can be read.
    ///
    /// # Errors
    /// Fails if the file cannot be read or does not begin with a member.
    pub fn read(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut index = NameIndex::default();
        let damage = for_each_place(file, &mut |member, place| {
            if index.len() == MOST_MEMBERS {
                return Err(damaged(format!("expected at most {MOST_MEMBERS} members of a tar file, found more")));
            }
            index.add(&member.name, place);
            Ok(())
        })?;
        if let Some(damage) = damage.as_ref().filter(|_| index.len() == 0) {
            return Err(damaged(damage.clone()));
        }
        index.finish();
        Ok(Self { index, damage })
    }

    /// The content of a member of at most `most` bytes.
    ///
    /// # Errors
    /// Fails if there is no such member or several, or it is longer.
    pub fn content(&self, file: &mut (impl Read + Seek), name: &str, most: u64) -> io::Result<Vec<u8>> {
        let member = self.member(file, name)?;
        if member.length > most {
            return Err(too_long(member.length, most));
        }
        // The scan has checked that the member lies inside the file.
        bytes_at(file, member.data, member.length as usize)
    }

    /// Length of a member in bytes.
    pub fn length(&self, file: &mut (impl Read + Seek), name: &str) -> io::Result<u64> {
        Ok(self.member(file, name)?.length)
    }

    /// Memory in bytes.
    pub fn size(&self) -> usize {
        self.index.size()
    }

    fn member(&self, file: &mut (impl Read + Seek), name: &str) -> io::Result<Member> {
        let all = file.seek(SeekFrom::End(0))?;
        let mut found = None;
        for place in self.index.places(without_dot(name)) {
            let Some(member) = Member::read(file, place, all)?.filter(|member| member.name == without_dot(name)) else {
                continue;
            };
            if found.replace(member).is_some() {
                return Err(damaged("the tar file has several members of this name".into()));
            }
        }
        found.ok_or_else(|| match &self.damage {
            Some(damage) => Error::new(ErrorKind::NotFound, format!("{}, and {damage}", no_member())),
            None => no_member(),
        })
    }
}

/// Visits the names and lengths of all files.
pub(super) fn for_each(
    file: &mut (impl Read + Seek),
    visit: &mut dyn FnMut(&str, u64) -> io::Result<()>,
) -> io::Result<()> {
    match for_each_place(file, &mut |member, _| visit(&member.name, member.length))? {
        Some(damage) => Err(damaged(damage)),
        None => Ok(()),
    }
}

/// Visits every file with the place of its first header; returns the damage at which it stopped.
fn for_each_place(
    file: &mut (impl Read + Seek),
    visit: &mut dyn FnMut(&Member, u64) -> io::Result<()>,
) -> io::Result<Option<String>> {
    let all = file.seek(SeekFrom::End(0))?;
    let mut place = 0;
    loop {
        match Member::read(file, place, all) {
            Ok(Some(member)) => {
                if member.is_file {
                    visit(&member, place)?;
                }
                place = member.next;
            }
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => return Ok(Some(error.to_string())),
            Err(error) => return Err(error),
        }
    }
}

impl Member {
    /// Reads the member whose first header is at `place` of a file of `all` bytes; `None` at the end.
    ///
    /// # Errors
    /// Fails if a header is damaged, or the member ends after the file.
    fn read(file: &mut (impl Read + Seek), place: u64, all: u64) -> io::Result<Option<Self>> {
        let cut = |at: u64| damaged(format!("the tar file is cut short at byte {at}"));
        let (mut at, mut long_name, mut pax) = (place, None, PaxRecords::default());
        loop {
            if at == all && at == place && at > 0 {
                // Some writers leave out the end.
                return Ok(None);
            }
            if at.checked_add(BLOCK).is_none_or(|end| end > all) {
                return Err(cut(all));
            }
            let header = bytes_at(file, at, BLOCK as usize)?;
            if header.iter().all(|byte| *byte == 0) {
                return if at == place { Ok(None) } else { Err(cut(at)) };
            }
            let length = checked_length(&header, at)?;
            let kind = header[156];
            let data = at + BLOCK;
            // These kinds have no data, whatever their length says.
            let stored = match (kind, pax.length) {
                (b'1'..=b'6', _) => 0,
                (b'L' | b'K' | b'x' | b'g', _) | (_, None) => length,
                (_, Some(length)) => length,
            };
            let end = data.checked_add(stored).filter(|end| *end <= all).ok_or_else(|| cut(all))?;
            let next = end.next_multiple_of(BLOCK);
            if matches!(kind, b'L' | b'K' | b'x') {
                if length > MOST_NAME {
                    return Err(damaged(format!(
                        "the tar file is damaged: a name of {length} bytes at byte {at}, expected at most {MOST_NAME}"
                    )));
                }
                let text = bytes_at(file, data, length as usize)?;
                match kind {
                    b'L' => long_name = Some(name_of(&text)),
                    b'x' => pax = PaxRecords::parse(&text),
                    _ => {}
                }
                at = next.min(all);
                continue;
            }
            if kind == b'S' || pax.is_sparse {
                return Err(damaged(format!("the tar file has a sparse member at byte {at}, which is not supported")));
            }
            let name = pax.name.or(long_name).unwrap_or_else(|| header_name(&header));
            let is_file = matches!(kind, b'0' | 0 | b'7') && !name.ends_with('/');
            let name = without_dot(&name).to_owned();
            // The last block may be cut to the length of its member.
            return Ok(Some(Self { name, data, length: stored, next: next.min(all), is_file }));
        }
    }
}

/// The records of a pax header that matter here.
#[derive(Default)]
struct PaxRecords {
    name: Option<String>,
    length: Option<u64>,
    is_sparse: bool,
}

impl PaxRecords {
    /// Reads lines of `LENGTH KEY=VALUE\n`, up to the first that is none.
    fn parse(mut text: &[u8]) -> Self {
        let mut records = Self::default();
        loop {
            let Some(space) = text.iter().position(|byte| *byte == b' ') else { return records };
            let length = std::str::from_utf8(&text[..space]).ok().and_then(|length| length.parse::<usize>().ok());
            let Some(length) = length.filter(|length| (space + 2..=text.len()).contains(length)) else {
                return records;
            };
            let record = &text[space + 1..length - 1];
            if let Some(equals) = record.iter().position(|byte| *byte == b'=') {
                let (key, value) = (&record[..equals], String::from_utf8_lossy(&record[equals + 1..]));
                match key {
                    b"path" => records.name = Some(value.into_owned()),
                    b"size" => records.length = value.parse().ok(),
                    _ => records.is_sparse |= key.starts_with(b"GNU.sparse"),
                }
            }
            text = &text[length..];
        }
    }
}

/// Checks the checksum of a header, and reads the length of its data.
fn checked_length(header: &[u8], at: u64) -> io::Result<u64> {
    let wrong = |what: &str| damaged(format!("the tar file is damaged: the header at byte {at} has {what}"));
    let said = octal(&header[148..156]).ok_or_else(|| wrong("no checksum"))?;
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(place, byte)| if (148..156).contains(&place) { u64::from(b' ') } else { u64::from(*byte) })
        .sum();
    if sum != said {
        return Err(wrong("a wrong checksum"));
    }
    let length = &header[124..136];
    let found = if length[0] & 0x80 != 0 {
        // GNU writes lengths of more than eleven octal digits in binary; these eight bytes are enough for any file.
        let small = length[1..4].iter().all(|byte| *byte == 0) && length[0] == 0x80;
        small.then(|| length[4..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    } else {
        octal(length)
    };
    found.ok_or_else(|| wrong("no length"))
}

/// An octal number between spaces and zeros.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

/// The name in the header; ustar has a prefix for it.
fn header_name(header: &[u8]) -> String {
    let name = name_of(&header[..100]);
    let prefix = name_of(&header[345..500]);
    let is_ustar = &header[257..263] == b"ustar\0";
    if is_ustar && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// The text up to the first zero byte.
fn name_of(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// `tar -c .` writes `./` before every name.
fn without_dot(name: &str) -> &str {
    let mut name = name;
    while let Some(rest) = name.strip_prefix("./") {
        name = rest;
    }
    name
}
