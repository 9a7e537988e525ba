//! Opens a text file of another program as a stream: plain or gzip, UTF-8 with or without a byte order mark.

use crate::files::input_file;
use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER: usize = 1 << 16;

/// The text of a file.
///
/// # Errors
/// Fails if the file cannot be read or begins like UTF-16 or UTF-32.
pub(in crate::data::import) fn open_text(path: &Path) -> Result<Box<dyn BufRead>> {
    let cannot_read = || format!("cannot read {}", path.display());
    let file = input_file::open(path).with_context(cannot_read)?;
    let mut plain = BufReader::with_capacity(BUFFER, file);
    let is_gzip = plain.fill_buf().with_context(cannot_read)?.starts_with(&GZIP);
    let mut text: Box<dyn BufRead> =
        if is_gzip { Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(plain))) } else { Box::new(plain) };
    // The first read of a decompressor may give few bytes.
    let mut start = Vec::new();
    (&mut text).take(4).read_to_end(&mut start).with_context(cannot_read)?;
    input_file::refuse_other_encodings(&start).with_context(cannot_read)?;
    let start = input_file::without_bom(&start).to_owned();
    Ok(Box::new(BufReader::new(std::io::Cursor::new(start).chain(text))))
}
