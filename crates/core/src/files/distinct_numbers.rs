//! Counts distinct numbers in little memory, however many there are: sorted runs of them go to a temporary file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom, Write};

/// Numbers that are held in memory: 8 MB.
const MOST_IN_MEMORY: usize = 1 << 20;
/// Bytes of each run that are in memory while they are merged.
const READ_AT_ONCE: usize = 1 << 16;

/// Numbers, such as hashes of ids, of which only the number of distinct ones matters.
#[derive(Debug, Default)]
pub struct DistinctNumbers {
    recent: Vec<u64>,
    /// Sorted runs of numbers one after the other. It has no name, so that a kill leaves nothing behind.
    file: Option<File>,
    /// Lengths of the runs, in numbers.
    runs: Vec<usize>,
    /// The file cannot be written: everything stays in memory.
    is_full: bool,
}

impl DistinctNumbers {
    /// Adds a number.
    pub fn add(&mut self, number: u64) {
        self.recent.push(number);
        if self.recent.len() >= MOST_IN_MEMORY && !self.is_full {
            self.write_run(MOST_IN_MEMORY / 2);
        }
    }

    /// Writes the recent numbers as a run, if at least `least` of them differ.
    fn write_run(&mut self, least: usize) {
        self.recent.sort_unstable();
        self.recent.dedup();
        if self.recent.len() < least {
            return;
        }
        if self.write_recent().is_err() {
            // A run that is cut short is not in the list of runs, and nothing is written after it.
            self.is_full = true;
            return;
        }
        self.runs.push(self.recent.len());
        self.recent.clear();
    }

    fn write_recent(&mut self) -> Result<()> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile()?);
        }
        let bytes: Vec<u8> = self.recent.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(&bytes))
    }

    /// The number of distinct numbers so far.
    ///
    /// # Errors
    /// Fails if the temporary file cannot be read.
    pub fn count(&mut self) -> Result<usize> {
        let mut count = 0;
        self.for_each(&mut |_| count += 1)?;
        Ok(count)
    }

    /// Calls `visit` with each number once, the smallest first.
    ///
    /// # Errors
    /// Fails if the temporary file cannot be read.
    pub fn for_each(&mut self, visit: &mut dyn FnMut(u64)) -> Result<()> {
        self.recent.sort_unstable();
        self.recent.dedup();
        let Some(file) = &mut self.file else {
            self.recent.iter().copied().for_each(visit);
            return Ok(());
        };
        let mut runs = Vec::with_capacity(self.runs.len());
        let mut start = 0;
        for length in &self.runs {
            runs.push(Run { file: file.try_clone()?, next: start, left: *length, buffer: Vec::new(), at: 0 });
            start += 8 * *length as u64;
        }
        for_each_merged(&mut runs, &self.recent, visit)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(())
    }
}

/// A run that is read from the start.
struct Run {
    /// Clones share their position, so each read seeks.
    file: File,
    next: u64,
    left: usize,
    buffer: Vec<u8>,
    at: usize,
}

impl Run {
    fn next(&mut self) -> Result<Option<u64>> {
        if self.at == self.buffer.len() {
            if self.left == 0 {
                return Ok(None);
            }
            let numbers = self.left.min(READ_AT_ONCE / 8);
            self.buffer.resize(8 * numbers, 0);
            self.file.seek(SeekFrom::Start(self.next))?;
            self.file.read_exact(&mut self.buffer)?;
            self.next += self.buffer.len() as u64;
            self.left -= numbers;
            self.at = 0;
        }
        let bytes = self.buffer.get(self.at..self.at + 8).and_then(|bytes| bytes.try_into().ok());
        self.at += 8;
        Ok(bytes.map(u64::from_le_bytes))
    }
}

/// Visits the distinct numbers in sorted runs and in the sorted `recent`.
fn for_each_merged(runs: &mut [Run], recent: &[u64], visit: &mut dyn FnMut(u64)) -> Result<()> {
    let mut recent = recent.iter().copied();
    let own = runs.len();
    let mut heads = BinaryHeap::new();
    for (run, reader) in runs.iter_mut().enumerate() {
        heads.extend(reader.next()?.map(|number| Reverse((number, run))));
    }
    heads.extend(recent.next().map(|number| Reverse((number, own))));
    let mut last = None;
    while let Some(Reverse((number, run))) = heads.pop() {
        if last != Some(number) {
            visit(number);
            last = Some(number);
        }
        let next = if run == own { recent.next() } else { runs[run].next()? };
        heads.extend(next.map(|number| Reverse((number, run))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_counts_once_in_memory_and_in_runs() {
        let mut numbers = DistinctNumbers::default();
        assert_eq!(numbers.count().unwrap(), 0);
        // The same 100,000 numbers in another order each time, a few new ones each time; a run after each third.
        for round in 0..7_u64 {
            for number in 0..100_000_u64 {
                numbers.add((number * 99_991 + round) % 100_000);
            }
            numbers.add(u64::MAX - round);
            if round % 3 == 2 {
                numbers.write_run(0);
            }
            assert_eq!(numbers.count().unwrap(), 100_001 + round as usize);
        }
        assert_eq!(numbers.runs.len(), 2);
        let mut visited = Vec::new();
        numbers.for_each(&mut |number| visited.push(number)).unwrap();
        assert!(visited.len() == 100_007 && visited.is_sorted());
    }

    #[test]
    fn repeated_numbers_make_no_runs_and_many_different_ones_do() {
        let mut numbers = DistinctNumbers::default();
        for number in 0..2 * MOST_IN_MEMORY as u64 {
            numbers.add(number % 10);
        }
        assert_eq!((numbers.count().unwrap(), numbers.runs.len()), (10, 0));
        for number in 0..(2 * MOST_IN_MEMORY + 5) as u64 {
            numbers.add(number);
        }
        assert!(numbers.runs.len() >= 2 && numbers.recent.len() < MOST_IN_MEMORY);
        assert_eq!(numbers.count().unwrap(), 2 * MOST_IN_MEMORY + 5);
    }
}
