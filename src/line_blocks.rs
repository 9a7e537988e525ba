//! A file of lines, read in blocks of whole lines: each block can be parsed on all cores, and the file is never held whole.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Bytes of a block; it ends with the line that reaches them.
const BLOCK: u64 = 4 << 20;

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
    /// Opens the file.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufReader::with_capacity(1 << 18, File::open(path)?), lines: 0 })
    }

    /// The next lines; `None` at the end.
    pub fn next_block(&mut self) -> io::Result<Option<Block>> {
        let mut bytes = Vec::new();
        (&mut self.file).take(BLOCK).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if !bytes.ends_with(b"\n") {
            self.file.read_until(b'\n', &mut bytes)?;
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
    use super::*;

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
