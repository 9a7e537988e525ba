//! The splits that the rows of each group are in, in memory that does not grow with the number of groups.

use super::captions::hash_of;
use crate::data::Split;
use crate::files::distinct_numbers::DistinctNumbers;
use anyhow::{Context, Result};

/// Bits of a number that are the split; the others are of the group's hash.
const SPLIT: u64 = 0b11;

/// Groups with their splits.
#[derive(Debug, Default)]
pub(super) struct GroupSplits(DistinctNumbers);

impl GroupSplits {
    pub fn add(&mut self, group: &str, split: Split) {
        self.0.add((hash_of(group) & !SPLIT) | split as u64);
    }

    /// The number of groups with rows in several splits.
    ///
    /// # Errors
    /// Fails if a temporary file cannot be read.
    pub fn shared(&mut self) -> Result<usize> {
        let (mut shared, mut last, mut splits) = (0, None, 0);
        // The splits of a group follow one another.
        self.0
            .for_each(&mut |number| {
                let group = Some(number & !SPLIT);
                splits = if group == last { splits + 1 } else { 1 };
                last = group;
                shared += usize::from(splits == 2);
            })
            .context("cannot count groups in a temporary file")?;
        Ok(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_in_three_splits_counts_once() {
        let mut groups = GroupSplits::default();
        for split in [Split::Train, Split::Validation, Split::Test] {
            groups.add("in all", split);
            groups.add("in all", split);
            groups.add(&format!("only in {split}"), split);
        }
        groups.add("in two", Split::Test);
        groups.add("in two", Split::Train);
        assert_eq!(groups.shared().unwrap(), 2);
    }
}
