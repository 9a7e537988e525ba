//! The rows of one parquet file or Arrow stream, read batch by batch.

use super::super::{Record, RowPlace, Value};
use super::cells::{bytes, class_value, classes_value, plain_value};
use super::features::{Column, ColumnKind, Features, METADATA_KEY, columns_of, features_in};
use crate::files::{archive_member, input_file};
use crate::panics::caught;
use anyhow::{Context, Result, anyhow, bail};
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, RecordBatchReader};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Size of a batch in bytes that the number of its rows is chosen for.
const BATCH_BYTES: i64 = 16 << 20;
/// Most rows of a batch.
const MOST_ROWS: i64 = 8192;
/// First bytes of the file format of Arrow.
const FILE_MAGIC: &[u8; 6] = b"ARROW1";
/// The field of an `Image` struct that holds the content of the file.
const BYTES: &str = "bytes";

/// A table that is open for reading.
pub(super) struct TableFile {
    path: Arc<Path>,
    pub columns: Vec<Column>,
    /// `None` if the file does not tell it before all is read.
    pub rows: Option<u64>,
    format: Format,
}

enum Format {
    Parquet(File, Box<ArrowReaderMetadata>),
    /// A stream of Arrow messages, or the file format of Arrow.
    Arrow {
        is_file: bool,
    },
}

/// The columns of interest.
pub(super) struct Wanted {
    /// Names of the record's columns.
    pub names: Arc<[String]>,
    /// Positions of these columns in the table.
    pub columns: Vec<usize>,
    /// Whether the first column is one of images.
    pub has_image: bool,
    /// Whether the content of images is read.
    pub image_bytes: bool,
}

/// A row with the content of its image.
pub(super) struct Row<'a> {
    pub record: Record,
    /// `None` if the content was not asked for, or there is none.
    pub image_bytes: Option<&'a [u8]>,
}

impl TableFile {
    /// Opens a file; `beside` are features that are written beside it, if any.
    ///
    /// # Errors
    /// Fails if the file is no parquet file or Arrow stream, or its features do not fit.
    pub fn open(path: &Path, beside: Option<&Features>) -> Result<Self> {
        let file = input_file::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let opened = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
            Self::open_parquet(path, file, beside)
        } else {
            Self::open_arrow(path, file, beside)
        };
        opened.with_context(|| path.display().to_string())
    }

    fn open_parquet(path: &Path, file: File, beside: Option<&Features>) -> Result<Self> {
        // Without it strings, bytes and lists have one Arrow type each, whatever the writer had.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = without_panic(|| ArrowReaderMetadata::load(&file, options).map_err(|error| anyhow!("{error}")))
            .context("expected a whole parquet file")?;
        let known = metadata.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        let text = known.into_iter().find(|entry| entry.key == METADATA_KEY).and_then(|entry| entry.value.as_deref());
        let features = text.map(features_in).transpose()?.flatten();
        let columns = columns_of(metadata.schema().fields(), features.as_ref().or(beside))?;
        let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).ok();
        Ok(Self { path: path.into(), columns, rows, format: Format::Parquet(file, Box::new(metadata)) })
    }

    fn open_arrow(path: &Path, mut file: File, beside: Option<&Features>) -> Result<Self> {
        let mut start = Vec::new();
        (&mut file).take(FILE_MAGIC.len() as u64).read_to_end(&mut start)?;
        file.rewind()?;
        let is_file = start == FILE_MAGIC;
        let schema = batches_of_arrow(file, is_file, None).context("expected an Arrow stream")?.schema();
        let features = schema.metadata().get(METADATA_KEY).map(|text| features_in(text)).transpose()?.flatten();
        let columns = columns_of(schema.fields(), features.as_ref().or(beside))?;
        Ok(Self { path: path.into(), columns, rows: None, format: Format::Arrow { is_file } })
    }

    /// Calls `visit` with every row, in order.
    ///
    /// # Errors
    /// Fails if the file is damaged, a value is not what its column says, or with the first error of `visit`.
    pub fn read(&self, wanted: &Wanted, visit: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let mut first_row = 0;
        match &self.format {
            Format::Parquet(file, metadata) => {
                for group in 0..metadata.metadata().num_row_groups() {
                    let rows = u64::try_from(metadata.metadata().row_group(group).num_rows()).unwrap_or_default();
                    let image_is_whole = self.has_every_image(wanted, metadata, group);
                    let reader = self
                        .group_reader(wanted, file, metadata, group, wanted.image_bytes || !image_is_whole)
                        .with_context(|| self.path.display().to_string())?;
                    let mut done = 0;
                    if reader.schema().fields().is_empty() {
                        // The image alone is wanted, and nothing has to be read of it.
                        let columns: Vec<_> = wanted.columns.iter().map(|_| None).collect();
                        while done < rows {
                            self.visit_row(wanted, &columns, 0, first_row + done, visit)?;
                            done += 1;
                        }
                    }
                    done += self.read_batches(wanted, reader, first_row + done, visit)?;
                    if done != rows {
                        bail!(
                            "{}: expected {rows} rows in row group {group}, found {done}; the file is damaged",
                            self.path.display()
                        );
                    }
                    first_row += rows;
                }
                Ok(())
            }
            Format::Arrow { is_file } => {
                let file =
                    input_file::open(&self.path).with_context(|| format!("cannot read {}", self.path.display()))?;
                let schema = batches_of_arrow(file, *is_file, None)?.schema();
                let mut roots: Vec<usize> = Vec::new();
                for column in &wanted.columns {
                    let root = schema.index_of(&self.columns[*column].path[0])?;
                    if !roots.contains(&root) {
                        roots.push(root);
                    }
                }
                roots.sort_unstable();
                let file =
                    input_file::open(&self.path).with_context(|| format!("cannot read {}", self.path.display()))?;
                let reader = batches_of_arrow(file, *is_file, Some(roots))?;
                self.read_batches(wanted, reader, 0, visit).map(drop)
            }
        }
    }

    /// The path of an image in the table.
    pub fn image_path(&self, column: &str, row: u64) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(format!("!/{column}/{row}"));
        path.into()
    }

    /// Makes sure that images can be read where they are.
    ///
    /// # Errors
    /// Fails if they cannot, as in compressed Arrow files, or differ from `bytes`.
    pub fn check_in_place(image: &Path, bytes: Option<&[u8]>) -> Result<()> {
        let found = archive_member::read(image, super::super::LONGEST_IMAGE)?;
        if bytes.is_some_and(|bytes| *bytes != found) {
            bail!("{}: expected the bytes of the row, found others; the file is damaged", image.display());
        }
        Ok(())
    }

    /// Whether statistics say that no image of a row group is null.
    fn has_every_image(&self, wanted: &Wanted, metadata: &ArrowReaderMetadata, group: usize) -> bool {
        if !wanted.has_image {
            return true;
        }
        let Some(image) = wanted.columns.first().map(|column| &self.columns[*column].path[0]) else { return false };
        let chunks = metadata.metadata().row_group(group).columns();
        let chunk = chunks.iter().find(|chunk| is_image_leaf(chunk.column_path().parts(), image));
        chunk.and_then(|chunk| chunk.statistics()?.null_count_opt()) == Some(0)
    }

    fn group_reader(
        &self,
        wanted: &Wanted,
        file: &File,
        metadata: &ArrowReaderMetadata,
        group: usize,
        with_images: bool,
    ) -> Result<Box<dyn RecordBatchReader>> {
        let row_group = metadata.metadata().row_group(group);
        let mut leaves = Vec::new();
        let mut size = 0;
        for (leaf, chunk) in row_group.columns().iter().enumerate() {
            let parts = chunk.column_path().parts();
            let is_wanted = wanted.columns.iter().enumerate().any(|(at, column)| {
                let path = &self.columns[*column].path;
                if at == 0 && wanted.has_image {
                    with_images && is_image_leaf(parts, &path[0])
                } else {
                    parts.starts_with(path)
                }
            });
            if is_wanted {
                leaves.push(leaf);
                size += chunk.uncompressed_size().max(0);
            }
        }
        let rows = row_group.num_rows().max(1);
        let batch = (BATCH_BYTES / (size / rows).max(1)).clamp(1, MOST_ROWS);
        let mask = ProjectionMask::leaves(metadata.parquet_schema(), leaves);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file.try_clone()?, metadata.clone());
        let builder = builder.with_row_groups(vec![group]).with_projection(mask);
        let reader = without_panic(|| {
            builder.with_batch_size(batch as usize).build().map_err(|error| anyhow!("the file is damaged: {error}"))
        })?;
        Ok(Box::new(reader))
    }

    /// Visits the rows of all batches, and returns their number.
    fn read_batches(
        &self,
        wanted: &Wanted,
        mut reader: Box<dyn RecordBatchReader>,
        first_row: u64,
        visit: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<u64> {
        let mut done = 0;
        if reader.schema().fields().is_empty() {
            return Ok(0);
        }
        loop {
            let damaged = || format!("{}: rows from {}: the file is damaged", self.path.display(), first_row + done);
            let batch =
                without_panic(|| reader.next().transpose().map_err(anyhow::Error::from)).with_context(damaged)?;
            let Some(batch) = batch else { return Ok(done) };
            let columns: Vec<_> = wanted.columns.iter().map(|column| self.array(&batch, *column)).collect();
            for row in 0..batch.num_rows() {
                self.visit_row(wanted, &columns, row, first_row + done, visit)?;
                done += 1;
            }
        }
    }

    /// The values of a column in a batch; `None` if they were not read.
    fn array<'a>(&self, batch: &'a RecordBatch, column: usize) -> Option<Cells<'a>> {
        let column = &self.columns[column];
        let (root, inner) = column.path.split_first()?;
        let mut cells = Cells { parents: Vec::new(), array: batch.column_by_name(root)?.as_ref() };
        for name in inner {
            cells = cells.child(name)?;
        }
        match cells.array.data_type() {
            DataType::Struct(_) if column.kind == ColumnKind::Image => cells.child(BYTES),
            _ => Some(cells),
        }
    }

    fn visit_row(
        &self,
        wanted: &Wanted,
        columns: &[Option<Cells>],
        row: usize,
        file_row: u64,
        visit: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let mut image_bytes = None;
        let mut values = Vec::with_capacity(columns.len());
        for (at, (column, cells)) in wanted.columns.iter().zip(columns).enumerate() {
            let column = &self.columns[*column];
            let place = || format!("{}: row {file_row}, column {}", self.path.display(), column.name);
            let cells = cells.as_ref();
            if at == 0 && wanted.has_image {
                image_bytes = cells.and_then(|cells| cells.bytes(row)).filter(|bytes| !bytes.is_empty());
                let is_there = cells.is_none() || image_bytes.is_some();
                values.push(if is_there {
                    Value::Image(self.image_path(&column.name, file_row))
                } else {
                    Value::Missing
                });
                continue;
            }
            let value = match (&column.kind, cells) {
                (_, None) => bail!("{}: expected values, found none", place()),
                (_, Some(cells)) if cells.is_in_null(row) => Value::Missing,
                (ColumnKind::Class(names), Some(cells)) => {
                    class_value(cells.array, row, names).map_err(|message| anyhow!("{}: {message}", place()))?
                }
                (ColumnKind::Classes(names), Some(cells)) => {
                    classes_value(cells.array, row, names).map_err(|message| anyhow!("{}: {message}", place()))?
                }
                (_, Some(cells)) => plain_value(cells.array, row)
                    .map_err(|found| anyhow!("{}: expected a text, a number or a list, found {found}", place()))?,
            };
            values.push(value);
        }
        let place = RowPlace { file: self.path.clone(), row: file_row };
        visit(Row { record: Record { columns: wanted.names.clone(), values, place }, image_bytes })
    }
}

/// The values of a column, and the structs around them.
struct Cells<'a> {
    parents: Vec<&'a dyn Array>,
    array: &'a dyn Array,
}

impl<'a> Cells<'a> {
    fn child(mut self, name: &str) -> Option<Self> {
        let child = self.array.as_struct_opt()?.column_by_name(name)?;
        self.parents.push(self.array);
        self.array = child.as_ref();
        Some(self)
    }

    fn is_in_null(&self, row: usize) -> bool {
        self.parents.iter().any(|parent| parent.is_null(row))
    }

    fn bytes(&self, row: usize) -> Option<&'a [u8]> {
        if self.is_in_null(row) { None } else { bytes(self.array, row) }
    }
}

/// Whether this is the path of the leaf that holds the content of an image column.
fn is_image_leaf(parts: &[String], column: &str) -> bool {
    match parts {
        [own] => own == column,
        [own, child] => own == column && child == BYTES,
        _ => false,
    }
}

fn batches_of_arrow(file: File, is_file: bool, roots: Option<Vec<usize>>) -> Result<Box<dyn RecordBatchReader>> {
    let file = BufReader::with_capacity(1 << 20, file);
    without_panic(|| {
        Ok(if is_file {
            Box::new(FileReader::try_new(file, roots)?) as Box<dyn RecordBatchReader>
        } else {
            Box::new(StreamReader::try_new(file, roots)?)
        })
    })
}

/// Turns a panic of a library on a damaged file into an error.
fn without_panic<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    caught(work).unwrap_or_else(|_| Err(anyhow!("it cannot be decoded")))
}
