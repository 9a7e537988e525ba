//! Reads a file in blocks of whole lines: all cores can parse each block, and memory holds only one block.

use super::input_file;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read};
use std::path::Path;

/// Size of a block in bytes; it ends with the line that reaches this size.
const BLOCK: u64 = 4 << 20;
/// Maximum length of a line in bytes: some programs put whole pictures into a line, but a huge file without line ends
/// must not be read into memory.
const LONGEST_LINE: u64 = 64 << 20;

/// A file being read.
pub struct LineBlocks {
    file: BufReader<File>,
    lines: usize,
}

/// Consecutive lines.
pub struct Block {
    bytes: Vec<u8>,
    /// Number of its first line in the file, from 1.
    first: usize,
}

impl LineBlocks {
    /// Opens a regular file.
    ///
    /// # Errors
    /// Fails like [`input_file::open`], and if the file is UTF-16 or UTF-32.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 18, input_file::open(path)?);
        input_file::refuse_other_encodings(file.fill_buf()?)?;
        Ok(Self { file, lines: 0 })
    }

    /// The next lines; `None` at the end.
    ///
    /// # Errors
    /// Fails if the file cannot be read or a line is too long.
    pub fn next_block(&mut self) -> io::Result<Option<Block>> {
        let mut bytes = Vec::new();
        (&mut self.file).take(BLOCK).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if !bytes.ends_with(b"\n") {
            (&mut self.file).take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
            if !bytes.ends_with(b"\n") && !self.file.fill_buf()?.is_empty() {
                let message = format!("expected lines of at most {} MiB, found a longer one", LONGEST_LINE >> 20);
                return Err(Error::new(ErrorKind::InvalidData, message));
            }
        }
        let block = Block { first: self.lines + 1, bytes };
        self.lines += memchr::memchr_iter(b'\n', &block.bytes).count() + usize::from(!block.bytes.ends_with(b"\n"));
        Ok(Some(block))
    }

    /// Number of lines in the blocks so far.
    pub(crate) fn lines_read(&self) -> usize {
        self.lines
    }
}

impl Block {
    /// Each line with its number and its line end, if it has one.
    pub fn lines(&self) -> Vec<(usize, &[u8])> {
        self.bytes
            .split_inclusive(|byte| *byte == b'\n')
            .enumerate()
            .map(|(at, line)| (self.first + at, line))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::files::line_blocks::*;

    #[test]
    fn lines_are_whole_and_counted_across_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let long = "x".repeat(BLOCK as usize - 3);
        std::fs::write(&path, format!("a\n{long}\n\nlast")).unwrap();
        let mut blocks = LineBlocks::open(&path).unwrap();
        let first = blocks.next_block().unwrap().unwrap();
        assert_eq!(
            first.lines().iter().map(|(number, line)| (*number, line.len())).collect::<Vec<_>>(),
            [(1, 2), (2, long.len() + 1)]
        );
        let second = blocks.next_block().unwrap().unwrap();
        assert_eq!(second.lines(), [(3, b"\n".as_slice()), (4, b"last".as_slice())]);
        assert!(blocks.next_block().unwrap().is_none());
        assert_eq!(blocks.lines_read(), 4);
    }
}
