//! Tables whose columns a release fixes: CSV, compressed with gzip or not, one row in memory at a time.

use crate::files::input_file;
use anyhow::{Context, Result, anyhow, bail};
use csv::{ReaderBuilder, StringRecord};
use flate2::read::MultiGzDecoder;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// First bytes of a gzip file. The ending is not enough: browsers unpack a `.csv.gz` and keep its name.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// A table being read.
pub(super) struct KnownTable {
    path: PathBuf,
    reader: csv::Reader<Box<dyn BufRead>>,
    columns: Vec<String>,
    record: StringRecord,
    bytes_read: Arc<AtomicU64>,
}

/// One row.
pub(super) struct KnownRow<'a> {
    path: &'a Path,
    columns: &'a [String],
    record: &'a StringRecord,
}

/// Counts the bytes that are read from a file.
struct Counted {
    file: File,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl KnownTable {
    /// Opens a table and reads its header; blanks around the names of columns do not count.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is no UTF-8 text or has no header.
    pub fn open(path: &Path) -> Result<Self> {
        let cannot_read = || format!("cannot read the table {}", path.display());
        let file = input_file::open(path).with_context(cannot_read)?;
        let bytes_read = Arc::new(AtomicU64::new(0));
        let mut counted = BufReader::with_capacity(1 << 16, Counted { file, bytes_read: bytes_read.clone() });
        let is_gzip = counted.fill_buf().with_context(cannot_read)?.starts_with(&GZIP);
        let mut text: Box<dyn BufRead> = if is_gzip {
            Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(counted)))
        } else {
            Box::new(counted)
        };
        input_file::refuse_other_encodings(text.fill_buf().with_context(cannot_read)?).with_context(cannot_read)?;
        let mut reader = ReaderBuilder::new().from_reader(text);
        let header = reader.headers().with_context(cannot_read)?;
        let columns: Vec<String> =
            header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        if columns.iter().all(String::is_empty) {
            bail!("{}: expected a first line with the names of the columns, found none", path.display());
        }
        Ok(Self { path: path.into(), reader, columns, record: StringRecord::new(), bytes_read })
    }

    /// Position of a column.
    ///
    /// # Errors
    /// Fails if the table does not have it.
    pub fn column(&self, name: &str) -> Result<usize> {
        self.optional_column(name).ok_or_else(|| {
            anyhow!(
                "{}: expected a column {name:?}, found only {}",
                self.path.display(),
                self.columns.iter().map(|column| format!("{column:?}")).collect::<Vec<_>>().join(", ")
            )
        })
    }

    /// Position of a column, if the table has it.
    pub fn optional_column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// Fails if the row has more or fewer fields than the header, or is not UTF-8.
    pub fn next_row(&mut self) -> Result<Option<KnownRow<'_>>> {
        let is_row = self
            .reader
            .read_record(&mut self.record)
            .with_context(|| format!("cannot read the table {} further", self.path.display()))?;
        if !is_row {
            return Ok(None);
        }
        Ok(Some(KnownRow { path: &self.path, columns: &self.columns, record: &self.record }))
    }

    /// Bytes of the file that were read.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}

impl<'a> KnownRow<'a> {
    /// The text in a column, without blanks around it.
    pub fn text(&self, column: usize) -> &'a str {
        self.record.get(column).unwrap_or_default().trim()
    }

    /// An error about the value in a column.
    pub fn wrong(&self, column: usize, expected: &str) -> anyhow::Error {
        let name = self.columns.get(column).map_or("", String::as_str);
        anyhow!("{}, column {name}: expected {expected}, found {:?}", self.full_place(), self.text(column))
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn full_place(&self) -> String {
        format!("{}:{}", self.path.display(), self.line())
    }
}

/// The row as file and line, for lists of rows that were left out.
impl fmt::Display for KnownRow<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy();
        write!(formatter, "{name}:{}", self.line())
    }
}
