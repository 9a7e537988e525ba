//! Rows of a CSV or TSV file, whatever separates its fields.

use super::text_file::open_text;
use crate::data::import::{Record, RowPlace, Value};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, Read};
use std::path::Path;
use std::sync::Arc;

/// Maximum length of a header in bytes.
const LONGEST_HEADER: u64 = 1 << 20;

/// A table with a header line.
pub(in crate::data::import) struct DelimitedRows {
    reader: csv::Reader<Box<dyn Read>>,
    record: csv::ByteRecord,
    pub columns: Arc<[String]>,
    file: Arc<Path>,
    /// Lines before the header.
    lines_before: u64,
}

/// A row, or why it is none.
pub(in crate::data::import) type Row = Result<Record, (RowPlace, String)>;

impl DelimitedRows {
    /// Reads the header; it tells whether tabs, semicolons or commas separate the fields.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or the header is empty or not UTF-8.
    pub fn open(path: &Path) -> Result<Self> {
        let mut text = open_text(path)?;
        let mut header = first_line(&mut text, path)?;
        let mut lines_before = 0;
        // Excel writes the separator in a line of its own.
        let mut said = None;
        if let [b's', b'e', b'p', b'=', separator] = header.trim_ascii_end()[..] {
            said = Some(separator);
            lines_before = 1;
            header = first_line(&mut text, path)?;
        }
        let delimiter = said.unwrap_or_else(|| delimiter_of(&header));
        let whole: Box<dyn Read> = Box::new(std::io::Cursor::new(header).chain(text));
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(true).from_reader(whole);
        let cannot_read = || format!("cannot read the header of {}", path.display());
        let mut columns = Vec::new();
        for name in reader.byte_headers().with_context(cannot_read)? {
            let name = std::str::from_utf8(name)
                .with_context(|| format!("{}: expected UTF-8 (save the file as UTF-8)", path.display()))?;
            columns.push(name.trim().to_owned());
        }
        // The first release of NIH ChestX-ray14 has a comma behind the last name.
        while columns.last().is_some_and(String::is_empty) {
            columns.pop();
        }
        if columns.is_empty() {
            bail!("{}: expected a line with the names of the columns, found none", path.display());
        }
        Ok(Self { reader, record: csv::ByteRecord::new(), columns: columns.into(), file: path.into(), lines_before })
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        let more = self.reader.read_byte_record(&mut self.record);
        if !more.with_context(|| format!("cannot read {}", self.file.display()))? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line) + self.lines_before;
        let place = RowPlace { file: Arc::clone(&self.file), row: line };
        let mut values = Vec::with_capacity(self.columns.len());
        for (column, field) in self.record.iter().enumerate() {
            if field.is_empty() {
                values.push(Value::Missing);
                continue;
            }
            let Ok(text) = std::str::from_utf8(field) else {
                let column = self.columns.get(column).map_or("?", String::as_str);
                return Ok(Some(Err((place, format!("column {column:?} is not UTF-8 (save the file as UTF-8)")))));
            };
            values.push(Value::Text(text.to_owned()));
        }
        while values.len() > self.columns.len() && values.last() == Some(&Value::Missing) {
            values.pop();
        }
        if values.len() != self.columns.len() {
            let side = if values.len() > self.columns.len() { "more" } else { "fewer" };
            return Ok(Some(Err((place, format!("{side} fields than the header (quotes around a field missing?)")))));
        }
        Ok(Some(Ok(Record { columns: Arc::clone(&self.columns), values, place })))
    }
}

/// The first line with its end; a quoted name may break it.
fn first_line(text: &mut impl BufRead, path: &Path) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    loop {
        let before = line.len();
        let mut rest = text.take(LONGEST_HEADER.saturating_sub(before as u64));
        rest.read_until(b'\n', &mut line).with_context(|| format!("cannot read {}", path.display()))?;
        let quotes = memchr::memchr_iter(b'"', &line).count();
        if quotes.is_multiple_of(2) || line.len() == before {
            return Ok(line);
        }
    }
}

/// What separates the names of a header: a tab if there is one, else the more frequent of semicolon and comma.
fn delimiter_of(header: &[u8]) -> u8 {
    let mut counts = [(b'\t', 0_usize), (b';', 0), (b',', 0)];
    let mut quoted = false;
    for byte in header {
        quoted ^= *byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += usize::from(!quoted && byte == delimiter);
        }
    }
    let [tabs, semicolons, commas] = counts;
    if tabs.1 > 0 {
        return tabs.0;
    }
    if semicolons.1 > commas.1 { semicolons.0 } else { commas.0 }
}
