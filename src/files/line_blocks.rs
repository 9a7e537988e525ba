//! A file of lines, read in blocks of whole lines: each block can be parsed on all cores, and the file is never held whole.

use super::input_file;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read};
use std::path::Path;

/// Bytes of a block; it ends with the line that reaches them.
const BLOCK: u64 = 4 << 20;
/// Bytes of the longest line: some programs put whole pictures into their lines. A file without line ends, as long as the
/// disk, must not become one line in memory.
const LONGEST_LINE: u64 = 64 << 20;

/// A file being read.
pub struct LineBlocks {
    file: BufReader<File>,
    lines: usize,
}

/// Some lines in their order.
pub struct Block {
    bytes: Vec<u8>,
    /// Number of its first line in the file, from 1.
    first: usize,
}

impl LineBlocks {
    /// Opens a regular file.
    ///
    /// # Errors
    /// As [`input_file::open`]; UTF-16 and UTF-32 are named, too.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 18, input_file::open(path)?);
        input_file::refuse_other_encodings(file.fill_buf()?)?;
        Ok(Self { file, lines: 0 })
    }

    /// The next lines; `None` at the end.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or a line is longer than any of ours.
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

    /// Lines in the blocks so far.
    pub fn lines_read(&self) -> usize {
        self.lines
    }
}

impl Block {
    /// Each line with its number, its end included where it has one.
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
