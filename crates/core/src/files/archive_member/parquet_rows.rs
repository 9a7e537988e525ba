//! Cells of a parquet file: `COLUMN/ROW`. Only the page of the row is decoded.

use super::page_cache::{self, PageValues};
use super::page_headers::{self, DataPage};
use super::{damaged, too_long};
use crate::panics::caught;
use parquet::basic::Type as PhysicalType;
use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::serialized_reader::SerializedPageReader;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Error, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The child of an `Image` column of `datasets` with the content of the file.
pub(super) const BYTES: &str = "bytes";
/// Memory in bytes of a value beside its content.
const SIZE_OF_VALUE: usize = 48;

/// A row group and a column in it.
type ChunkKey = (usize, usize);

/// The index of a parquet file.
#[derive(Debug)]
pub(super) struct ParquetRows {
    /// Distinguishes this state of the file in the cache of pages.
    id: u64,
    metadata: ParquetMetaData,
    /// The first row of each row group, then the number of rows.
    first_rows: Vec<u64>,
    /// The pages of the column chunks read so far. Held while a page is decoded, so that threads that want the same page
    /// decode it once.
    pages: Mutex<HashMap<ChunkKey, Arc<Vec<DataPage>>>>,
}

impl ParquetRows {
    /// Reads the metadata at the end of the file.
    ///
    /// # Errors
    /// Fails if the file is no parquet file, cut short or encrypted.
    pub fn read(file: &File) -> io::Result<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let metadata = without_panic(|| {
            ParquetMetaDataReader::new()
                .parse_and_finish(file)
                .map_err(|error| damaged(format!("expected a whole parquet file: {error}")))
        })?;
        let mut first_rows = vec![0];
        for group in metadata.row_groups() {
            let rows = u64::try_from(group.num_rows()).unwrap_or(0);
            let end = first_rows.last().and_then(|first: &u64| first.checked_add(rows));
            first_rows.push(end.ok_or_else(|| damaged("the parquet file claims too many rows".into()))?);
        }
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Self { id, metadata, first_rows, pages: Mutex::default() })
    }

    /// The content of a cell of at most `most` bytes.
    ///
    /// # Errors
    /// Fails if there is no such column or row, the cell is null, or its page is damaged.
    pub fn content(&self, file: &File, member: &str, most: u64) -> io::Result<Vec<u8>> {
        let cell = Cell::parse(member)?;
        let column = self.column(cell.column)?;
        let rows = self.first_rows.last().copied().unwrap_or_default();
        if cell.row >= rows {
            return Err(no_row(cell.row, rows));
        }
        let group = self.first_rows.partition_point(|first| *first <= cell.row) - 1;
        let row = cell.row - self.first_rows[group];
        let (values, row) = without_panic(|| self.page_of(file, group, column, row))?;
        let value = values.get(row).and_then(Option::as_ref).ok_or_else(|| no_content(cell.row))?;
        if value.len() as u64 > most {
            return Err(too_long(value.len() as u64, most));
        }
        Ok(value.data().to_vec())
    }

    pub fn length(&self, file: &File, member: &str) -> io::Result<u64> {
        Ok(self.content(file, member, u64::MAX)?.len() as u64)
    }

    /// Memory in bytes.
    pub fn size(&self) -> usize {
        self.metadata.memory_size()
    }

    /// The column in the file that holds the content: the named one, or its child `bytes`.
    fn column(&self, name: &str) -> io::Result<usize> {
        let schema = self.metadata.file_metadata().schema_descr();
        let found = schema.columns().iter().position(|column| match column.path().parts() {
            [own] => own == name,
            [own, child] => own == name && child == BYTES,
            _ => false,
        });
        let Some(found) = found else {
            let names: Vec<&str> = schema.root_schema().get_fields().iter().map(|field| field.name()).collect();
            return Err(no_column(name, &names));
        };
        let column = schema.column(found);
        if column.physical_type() != PhysicalType::BYTE_ARRAY || column.max_rep_level() > 0 {
            return Err(no_image_column(name, &column.physical_type().to_string().to_lowercase()));
        }
        Ok(found)
    }

    /// The decoded page with this row of a row group, and the position of the row in it.
    fn page_of(&self, file: &File, group: usize, column: usize, row: u64) -> io::Result<(PageValues, usize)> {
        let mut known = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let chunk = self.metadata.row_group(group).column(column);
        let pages = if let Some(pages) = known.get(&(group, column)) {
            pages.clone()
        } else {
            let pages = Arc::new(pages_of(file, chunk)?);
            known.insert((group, column), pages.clone());
            pages
        };
        let position = pages.partition_point(|page| page.first_row <= row).checked_sub(1);
        let page = position.and_then(|position| pages.get(position)).filter(|page| row - page.first_row < page.rows);
        let (Some(position), Some(page)) = (position, page) else {
            return Err(damaged(format!("the parquet file is damaged: row {row} of row group {group} is in no page")));
        };
        let place = (row - page.first_row) as usize;
        let key = (self.id, group, column, position);
        if let Some(values) = page_cache::kept(key) {
            return Ok((values, place));
        }
        let values = Arc::new(self.decode(file, group, column, page)?);
        let size = page.size as usize + values.len() * SIZE_OF_VALUE;
        page_cache::keep(key, values.clone(), size);
        Ok((values, place))
    }

    fn decode(
        &self,
        file: &File,
        group: usize,
        column: usize,
        page: &DataPage,
    ) -> io::Result<Vec<Option<parquet::data_type::ByteArray>>> {
        let broken = |error: parquet::errors::ParquetError| damaged(format!("the parquet file is damaged: {error}"));
        let descriptor = self.metadata.file_metadata().schema_descr().column(column);
        let group = self.metadata.row_group(group);
        let rows = group.num_rows().try_into().unwrap_or(0);
        let reader = SerializedPageReader::new(Arc::new(file.try_clone()?), group.column(column), rows, None);
        let ColumnReader::ByteArrayColumnReader(mut reader) =
            get_column_reader(descriptor.clone(), Box::new(reader.map_err(broken)?))
        else {
            return Err(damaged("expected a column of bytes".into()));
        };
        let (skipped, wanted) = (page.first_row as usize, page.rows as usize);
        if reader.skip_records(skipped).map_err(broken)? != skipped {
            return Err(damaged("the parquet file is damaged: it has fewer rows than it says".into()));
        }
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        while levels.len().max(values.len()) < wanted {
            let left = wanted - levels.len().max(values.len());
            let (records, ..) = reader.read_records(left, Some(&mut levels), None, &mut values).map_err(broken)?;
            if records == 0 {
                return Err(damaged("the parquet file is damaged: it has fewer rows than it says".into()));
            }
        }
        let top = descriptor.max_def_level();
        if top == 0 {
            return Ok(values.into_iter().map(Some).collect());
        }
        let mut values = values.into_iter();
        Ok(levels.into_iter().map(|level| if level == top { values.next() } else { None }).collect())
    }
}

fn pages_of(file: &File, chunk: &ColumnChunkMetaData) -> io::Result<Vec<DataPage>> {
    let (start, length) = chunk.byte_range();
    let end = start.checked_add(length).filter(|end| file.metadata().is_ok_and(|metadata| *end <= metadata.len()));
    let end = end.ok_or_else(|| damaged("the parquet file is cut short: a column lies outside it".into()))?;
    page_headers::data_pages(&mut &*file, start, end)
}

/// The parts of `COLUMN/ROW`.
pub(super) struct Cell<'a> {
    pub column: &'a str,
    pub row: u64,
}

impl<'a> Cell<'a> {
    /// # Errors
    /// Fails if the text is not of this form.
    pub fn parse(member: &'a str) -> io::Result<Self> {
        let parts = member.rsplit_once('/').filter(|(column, _)| !column.is_empty());
        let cell = parts.and_then(|(column, row)| {
            let is_number = !row.is_empty() && row.bytes().all(|byte| byte.is_ascii_digit());
            Some(Self { column, row: row.parse().ok().filter(|_| is_number)? })
        });
        cell.ok_or_else(|| {
            let message = format!("expected COLUMN/ROW after `!/`, such as image/17, found {member:?}");
            Error::new(ErrorKind::InvalidInput, message)
        })
    }
}

pub(super) fn no_row(row: u64, rows: u64) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no row {row}; the file has {rows} rows, counted from 0"))
}

pub(super) fn no_content(row: u64) -> Error {
    Error::new(ErrorKind::NotFound, format!("row {row} holds no bytes (null, or only a path)"))
}

pub(super) fn no_column(name: &str, names: &[&str]) -> Error {
    let message = format!("there is no column {name:?} of bytes; the columns are {}", names.join(", "));
    Error::new(ErrorKind::NotFound, message)
}

pub(super) fn no_image_column(name: &str, kind: &str) -> Error {
    let message =
        format!("expected a column of bytes, or an Image column (a struct with bytes), found {name:?} of {kind}");
    Error::new(ErrorKind::InvalidInput, message)
}

/// Turns a panic of a library on a damaged file into an error.
fn without_panic<R>(work: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    caught(work).unwrap_or_else(|_| Err(damaged("the parquet file is damaged: it cannot be decoded".into())))
}
