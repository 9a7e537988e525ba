//! What the importers of image-caption corpora share: lines of big text files, articles of PubMed Central, licences.

use super::{ImportOptions, ProgressReport, RowsAs};
use crate::files::line_blocks::LineBlocks;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::Path;

/// Most different licences that a note lists.
const NAMED_LICENCES: usize = 12;

/// Refuses to make cases of a format that has captions only.
///
/// # Errors
/// Fails if the options ask for cases.
pub(super) fn refuse_cases(options: &ImportOptions, format: &str) -> Result<()> {
    if matches!(options.rows, Some(RowsAs::Cases | RowsAs::Both)) {
        bail!("{format} has captions, but neither questions nor labels to make cases of: expected --as corpus");
    }
    Ok(())
}

/// Calls `visit` with each line and its number; one block of lines is in memory at a time.
///
/// # Errors
/// Fails if the file cannot be read or is not UTF-8, and with the first error of `visit`.
pub(super) fn for_each_line(path: &Path, visit: &mut dyn FnMut(usize, &str) -> Result<()>) -> Result<()> {
    let cannot_read = || format!("cannot read {}", path.display());
    let mut blocks = LineBlocks::open(path).with_context(cannot_read)?;
    while let Some(block) = blocks.next_block().with_context(cannot_read)? {
        for (number, line) in block.lines() {
            let line = if number == 1 { crate::files::input_file::without_bom(line) } else { line };
            let Ok(line) = std::str::from_utf8(line) else {
                bail!("{}:{number}: expected UTF-8 text, found other bytes", path.display());
            };
            visit(number, line.trim_end_matches(['\n', '\r']))?;
        }
    }
    Ok(())
}

/// Counts what was read of several files, in units of 1024 bytes.
pub(super) struct BytesRead<'a> {
    done: u64,
    all: u64,
    rows: u64,
    report: ProgressReport<'a>,
}

impl<'a> BytesRead<'a> {
    /// `all` is the length of all files together.
    pub fn new(all: u64, report: ProgressReport<'a>) -> Self {
        Self { done: 0, all, rows: 0, report }
    }

    /// Adds a row of this length; reports now and then.
    pub fn add(&mut self, bytes: u64) {
        self.done += bytes;
        self.rows += 1;
        if self.rows.is_multiple_of(1024) {
            (self.report)((self.done >> 10) as usize, (self.all >> 10).max(self.done >> 10) as usize);
        }
    }
}

/// The number of the article of PubMed Central at the start of a name: 212319 of `PMC212319_Fig3_4.jpg`.
pub(super) fn article_of(name: &str) -> Option<u64> {
    let digits = name.trim().strip_prefix("PMC")?;
    let end = digits.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// The name of an article as group: all its figures are of the same patients.
pub(super) fn article_group(article: u64) -> String {
    format!("PMC{article}")
}

/// The licences that an import takes, and how many images came in under each.
pub(super) struct Licences {
    wanted: Vec<String>,
    counts: BTreeMap<String, usize>,
}

impl Licences {
    /// `wanted` are names as the source spells them, in any case; none takes all.
    pub fn new(wanted: &[String]) -> Self {
        Self { wanted: wanted.iter().map(|name| plain(name)).collect(), counts: BTreeMap::new() }
    }

    /// Whether images under this licence come in.
    pub fn take(&self, licence: &str) -> bool {
        self.wanted.is_empty() || self.wanted.contains(&plain(licence))
    }

    /// Counts an image that came in.
    pub fn count(&mut self, licence: &str) {
        match self.counts.get_mut(licence) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(licence.into(), 1)),
        }
    }

    /// The licences with their counts, the most frequent first: "CC BY 61, CC0 4".
    pub fn listed(&self) -> String {
        let mut counts: Vec<(&String, &usize)> = self.counts.iter().collect();
        counts.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        let more = if counts.len() > NAMED_LICENCES { ", …" } else { "" };
        let named: Vec<String> =
            counts.iter().take(NAMED_LICENCES).map(|(name, count)| format!("{name} {count}")).collect();
        format!("{}{more}", named.join(", "))
    }
}

/// A licence without differences of case and blanks.
fn plain(licence: &str) -> String {
    licence.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_at_the_start_of_names() {
        assert_eq!(article_of("PMC212319_Fig3_4.jpg"), Some(212_319));
        assert_eq!(article_of("PMC5665693"), Some(5_665_693));
        for other in ["", "PMC", "PMC_1", "xPMC1", "pmc1", "PMC99999999999999999999"] {
            assert_eq!(article_of(other), None, "{other}");
        }
    }

    #[test]
    fn licences_are_compared_without_case_and_counted_as_written() {
        let mut licences = Licences::new(&["cc by".into()]);
        assert!(licences.take(" CC  BY") && !licences.take("CC BY-NC"));
        assert!(Licences::new(&[]).take("NO-CC CODE"));
        for name in ["CC0", "CC BY", "CC BY"] {
            licences.count(name);
        }
        assert_eq!(licences.listed(), "CC BY 2, CC0 1");
    }
}
