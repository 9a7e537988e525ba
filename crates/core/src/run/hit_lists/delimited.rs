//! Hits as CSV or TSV with a header: `case,head,rank,document,score` in any order.

use super::reading::{FIELD_NAMES, HitRow, ReadHits};
use crate::files::input_file;
use anyhow::{Context, Result, bail};
use csv::{ByteRecord, Position, ReaderBuilder};
use std::io::{BufRead, BufReader};
use std::path::Path;

pub(super) fn read(path: &Path, hits: &mut ReadHits) -> Result<()> {
    let cannot_read = || format!("cannot read {}", path.display());
    let mut file = BufReader::with_capacity(1 << 18, input_file::open(path).with_context(cannot_read)?);
    let start = file.fill_buf().with_context(cannot_read)?;
    input_file::refuse_other_encodings(start).with_context(cannot_read)?;
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| memchr::memchr_iter(separator, header).count();
    let separator = [b'\t', b';', b','].into_iter().find(|separator| count(*separator) > 0).unwrap_or(b',');
    let mut rows = ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(file);
    let names: Vec<String> = rows
        .byte_headers()
        .with_context(cannot_read)?
        .iter()
        .map(|name| String::from_utf8_lossy(input_file::without_bom(name)).trim().to_ascii_lowercase())
        .collect();
    let mut columns = [None; 5];
    for (column, known) in columns.iter_mut().zip(FIELD_NAMES) {
        let mut places = names.iter().enumerate().filter(|(_, name)| known.contains(&name.as_str()));
        *column = places.next().map(|(place, _)| place);
        if let Some((_, second)) = places.next() {
            bail!("{}:1: column {second}: expected one column for {}, found two", path.display(), known[0]);
        }
    }
    for (column, known) in columns.iter().zip(FIELD_NAMES).filter(|(_, known)| ["case", "document"].contains(&known[0]))
    {
        if column.is_none() {
            bail!(
                "{}:1: expected a header with the columns case, document, and rank or score (head is optional); found no column \
                 {}",
                path.display(),
                known[0]
            );
        }
    }
    let mut record = ByteRecord::new();
    while rows.read_byte_record(&mut record).with_context(cannot_read)? {
        let line = record.position().map_or(0, Position::line) as usize;
        if record.len() != names.len() {
            let message = format!("expected {} fields, as the header has, found {}", names.len(), record.len());
            hits.refuse(line, None, message);
            continue;
        }
        let Some(texts) = texts_of(&record, columns) else {
            hits.refuse(line, None, "found a byte that is not UTF-8 (save the file as UTF-8)".into());
            continue;
        };
        let [case, head, rank, document, score] = texts;
        let (Some(case), Some(document)) = (case, document) else {
            let missing = if case.is_none() { "case" } else { "document" };
            hits.refuse(line, Some(missing), "the field is empty; expected an id".into());
            continue;
        };
        hits.add(line, &HitRow { case, document, head, rank, score });
    }
    Ok(())
}

/// The texts of the known columns, without empty ones; `None` if a field is not UTF-8.
fn texts_of(record: &ByteRecord, columns: [Option<usize>; 5]) -> Option<[Option<&str>; 5]> {
    let mut texts = [None; 5];
    for (text, column) in texts.iter_mut().zip(columns) {
        let Some(column) = column else { continue };
        let field = std::str::from_utf8(&record[column]).ok()?;
        *text = Some(field).filter(|field| !field.trim().is_empty());
    }
    Some(texts)
}
