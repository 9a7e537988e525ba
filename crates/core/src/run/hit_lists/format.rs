//! The formats of hits, by the ending of the file's name or by its first line.

use crate::files::input_file;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Bytes that are read to tell the format of a file.
const START: u64 = 1 << 16;

/// A format of hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitFormat {
    /// `case Q0 document rank score tag`
    Trec,
    /// An object a line.
    JsonLines,
    /// A header, then a row a hit.
    Csv,
}

impl HitFormat {
    /// The format of a name's ending; `None` for another ending.
    pub fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_string_lossy().to_ascii_lowercase();
        match ending.as_str() {
            "trec" | "run" | "res" => Some(Self::Trec),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "csv" | "tsv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// The format of a file to write.
    ///
    /// # Errors
    /// Fails if the name ends in something else.
    pub fn to_write(path: &Path) -> Result<Self> {
        match Self::of_name(path) {
            Some(format) => Ok(format),
            None => bail!(
                "{}: expected a name that ends in .trec, .run, .jsonl or .csv, which chooses the format",
                path.display()
            ),
        }
    }

    /// The format of a file: its ending, else its first line, because the names of TREC runs end in anything.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or neither tells the format.
    pub(super) fn of_file(path: &Path) -> Result<Self> {
        if let Some(format) = Self::of_name(path) {
            return Ok(format);
        }
        let cannot_read = || format!("cannot read {}", path.display());
        let file = BufReader::new(input_file::open(path).with_context(cannot_read)?.take(START));
        for line in file.split(b'\n') {
            let line = line.with_context(cannot_read)?;
            let line = input_file::without_bom(&line).trim_ascii();
            if line.is_empty() {
                continue;
            }
            if line.starts_with(b"{") {
                return Ok(Self::JsonLines);
            }
            if line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).count() == super::trec::FIELDS {
                return Ok(Self::Trec);
            }
            break;
        }
        bail!(
            "{}: expected a TREC run (case Q0 document rank score tag), JSON lines or CSV; the name may end in .trec, .jsonl or .csv",
            path.display()
        )
    }
}
