//! Cells of a stream of Arrow IPC messages, as `datasets` writes it: `COLUMN/ROW`. A cell is read where it lies; no batch
//! is read as a whole.

use super::damaged;
use super::parquet_rows::{BYTES, Cell, no_column, no_content, no_image_column, no_row};
use super::too_long;
use super::zip_directory::bytes_at;
use arrow_ipc::{Buffer, Endianness, Field, FieldNode, Message, MessageHeader, RecordBatch, Schema, Type};
use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom};

/// First bytes of the file format, whose messages begin after eight bytes.
const FILE_MAGIC: &[u8; 6] = b"ARROW1";
/// Marks the length of a message; old writers leave it out.
const CONTINUATION: u32 = u32::MAX;
/// Maximum length of the header of a message; that of a batch has some dozen bytes per column.
const MOST_HEADER: u64 = 64 << 20;

/// The index of an Arrow stream.
#[derive(Debug)]
pub(super) struct ArrowRows {
    /// Place of the schema's header.
    schema: (u64, usize),
    batches: Vec<Batch>,
    rows: u64,
}

/// A message with rows.
#[derive(Debug)]
struct Batch {
    first_row: u64,
    header: (u64, usize),
    body: u64,
    body_length: u64,
}

impl ArrowRows {
    /// Reads the headers of all messages.
    ///
    /// # Errors
    /// Fails if the file is no Arrow stream or cut short.
    pub fn read(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let all = file.seek(SeekFrom::End(0))?;
        let cut = || damaged("expected a whole Arrow stream, found one that is cut short or damaged".into());
        let start = bytes_at(file, 0, 6.min(all) as usize)?;
        let mut at: u64 = if start == FILE_MAGIC { 8 } else { 0 };
        let (mut schema, mut batches, mut rows) = (None, Vec::new(), 0_u64);
        while at < all {
            if all - at < 4 {
                return Err(cut());
            }
            let mut length = length_at(file, at)?;
            at += 4;
            if length == CONTINUATION {
                if all - at < 4 {
                    return Err(cut());
                }
                length = length_at(file, at)?;
                at += 4;
            }
            // The end of the stream.
            if length == 0 {
                break;
            }
            if u64::from(length) > MOST_HEADER.min(all - at) {
                return Err(cut());
            }
            let header = (at, length as usize);
            let bytes = bytes_at(file, at, header.1)?;
            let message = message(&bytes)?;
            let body = at + u64::from(length);
            let body_length = u64::try_from(message.bodyLength()).map_err(|_| cut())?;
            at = body.checked_add(body_length).filter(|next| *next <= all).ok_or_else(cut)?;
            match message.header_type() {
                MessageHeader::Schema => schema = Some(header),
                MessageHeader::RecordBatch => {
                    let count = message.header_as_record_batch().map_or(0, |batch| batch.length());
                    let count = u64::try_from(count).map_err(|_| cut())?;
                    batches.push(Batch { first_row: rows, header, body, body_length });
                    rows = rows.checked_add(count).ok_or_else(cut)?;
                }
                _ => {}
            }
        }
        let schema = schema.ok_or_else(|| damaged("expected an Arrow stream, found no schema in it".into()))?;
        Ok(Self { schema, batches, rows })
    }

    /// The content of a cell of at most `most` bytes.
    ///
    /// # Errors
    /// Fails if there is no such column or row, the cell is null, or the batch is compressed or damaged.
    pub fn content(&self, file: &mut (impl Read + Seek), member: &str, most: u64) -> io::Result<Vec<u8>> {
        let (at, length) = self.place(file, member)?;
        if length > most {
            return Err(too_long(length, most));
        }
        bytes_at(file, at, length as usize)
    }

    pub fn length(&self, file: &mut (impl Read + Seek), member: &str) -> io::Result<u64> {
        Ok(self.place(file, member)?.1)
    }

    /// Memory in bytes.
    pub fn size(&self) -> usize {
        self.batches.capacity() * size_of::<Batch>()
    }

    /// Place and length of a cell.
    fn place(&self, file: &mut (impl Read + Seek), member: &str) -> io::Result<(u64, u64)> {
        let cell = Cell::parse(member)?;
        let header = bytes_at(file, self.schema.0, self.schema.1)?;
        let column = message(&header)?.header_as_schema().map(|schema| Column::find(schema, cell.column));
        let column = column.ok_or_else(|| damaged("the Arrow file has no schema".into()))??;
        if cell.row >= self.rows {
            return Err(no_row(cell.row, self.rows));
        }
        // The first batch may have no rows.
        let batch = &self.batches[self.batches.partition_point(|batch| batch.first_row <= cell.row) - 1];
        let header = bytes_at(file, batch.header.0, batch.header.1)?;
        let message = message(&header)?;
        let record = message.header_as_record_batch().ok_or_else(|| damaged("the Arrow file has no rows".into()))?;
        if record.compression().is_some() {
            let message = "the columns of the Arrow file are compressed, which is not supported; save it again with \
                           `datasets`, or import the parquet files";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let reading = Reading { batch, record };
        let row = cell.row - batch.first_row;
        for (node, buffer) in &column.validities {
            if !reading.is_valid(file, *node, *buffer, row)? {
                return Err(no_content(cell.row));
            }
        }
        let width = if column.is_large { 8 } else { 4 };
        let offsets = reading.span(file, column.offsets, row * width, 2 * width)?;
        let (first, second) = offsets.split_at(width as usize);
        let (start, end) = (number(first), number(second));
        let (data, available) = reading.buffer(column.offsets + 1)?;
        if start > end || end > available {
            return Err(damaged(format!("the Arrow file is damaged: row {} lies outside its column", cell.row)));
        }
        Ok((data + start, end - start))
    }
}

fn length_at(file: &mut (impl Read + Seek), at: u64) -> io::Result<u32> {
    Ok(number(&bytes_at(file, at, 4)?) as u32)
}

/// A little-endian number.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn message(header: &[u8]) -> io::Result<Message<'_>> {
    arrow_ipc::root_as_message(header)
        .map_err(|error| damaged(format!("expected an Arrow stream, found a damaged message: {error}")))
}

/// Where a column is among the nodes and buffers of every batch.
struct Column {
    /// Nodes and validity buffers that say whether the cell is null: of the struct, and of the bytes in it.
    validities: Vec<(usize, usize)>,
    /// The buffer of offsets; the next one holds the content.
    offsets: usize,
    /// Whether offsets have 64 bits.
    is_large: bool,
}

impl Column {
    fn find(schema: Schema, name: &str) -> io::Result<Self> {
        if schema.endianness() != Endianness::Little {
            return Err(damaged("expected an Arrow file with little-endian numbers".into()));
        }
        let fields: Vec<Field> = schema.fields().into_iter().flatten().collect();
        let mut position = (0, 0);
        for field in &fields {
            if field.name() == Some(name) {
                return Self::of(*field, name, position);
            }
            step_over(*field, &mut position)?;
        }
        let names: Vec<&str> = fields.iter().filter_map(Field::name).collect();
        Err(no_column(name, &names))
    }

    fn of(field: Field, name: &str, mut position: (usize, usize)) -> io::Result<Self> {
        let mut validities = vec![position];
        let mut field = field;
        if field.type_type() == Type::Struct_ && field.dictionary().is_none() {
            position = (position.0 + 1, position.1 + 1);
            let mut bytes = None;
            for child in field.children().into_iter().flatten() {
                if child.name() == Some(BYTES) {
                    bytes = Some(child);
                    break;
                }
                step_over(child, &mut position)?;
            }
            field = bytes.ok_or_else(|| no_image_column(name, "a struct without bytes"))?;
            validities.push(position);
        }
        let is_large = match field.type_type() {
            _ if field.dictionary().is_some() => return Err(no_image_column(name, "a dictionary")),
            Type::Binary | Type::Utf8 => false,
            Type::LargeBinary | Type::LargeUtf8 => true,
            other => return Err(no_image_column(name, &other.variant_name().unwrap_or("another type").to_lowercase())),
        };
        Ok(Self { validities, offsets: position.1 + 1, is_large })
    }
}

/// Counts the nodes and buffers of a field (Arrow columnar format, "Recordbatch message").
fn step_over(field: Field, position: &mut (usize, usize)) -> io::Result<()> {
    let own = match field.type_type() {
        // The values of a dictionary are elsewhere.
        _ if field.dictionary().is_some() => {
            *position = (position.0 + 1, position.1 + 2);
            return Ok(());
        }
        Type::Null | Type::RunEndEncoded => 0,
        Type::Struct_ | Type::FixedSizeList => 1,
        Type::Utf8 | Type::Binary | Type::LargeUtf8 | Type::LargeBinary | Type::ListView | Type::LargeListView => 3,
        Type::Union | Type::BinaryView | Type::Utf8View => {
            let message = format!("column {:?} before it has a type that is not supported", field.name());
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        _ => 2,
    };
    *position = (position.0 + 1, position.1 + own);
    for child in field.children().into_iter().flatten() {
        step_over(child, position)?;
    }
    Ok(())
}

/// A batch and its header.
struct Reading<'a> {
    batch: &'a Batch,
    record: RecordBatch<'a>,
}

impl Reading<'_> {
    /// Place in the file and length of a buffer.
    fn buffer(&self, position: usize) -> io::Result<(u64, u64)> {
        let wrong = || damaged("the Arrow file is damaged: a buffer lies outside its batch".into());
        let buffers = self.record.buffers().ok_or_else(wrong)?;
        if position >= buffers.len() {
            return Err(wrong());
        }
        let buffer: &Buffer = buffers.get(position);
        let (offset, length) = (u64::try_from(buffer.offset()), u64::try_from(buffer.length()));
        let (Ok(offset), Ok(length)) = (offset, length) else { return Err(wrong()) };
        if offset.checked_add(length).is_none_or(|end| end > self.batch.body_length) {
            return Err(wrong());
        }
        Ok((self.batch.body + offset, length))
    }

    /// Some bytes of a buffer.
    fn span(&self, file: &mut (impl Read + Seek), position: usize, at: u64, count: u64) -> io::Result<Vec<u8>> {
        let (start, length) = self.buffer(position)?;
        if at.checked_add(count).is_none_or(|end| end > length) {
            return Err(damaged("the Arrow file is damaged: a buffer is shorter than its rows".into()));
        }
        bytes_at(file, start + at, count as usize)
    }

    /// Whether a row is not null.
    fn is_valid(&self, file: &mut (impl Read + Seek), node: usize, position: usize, row: u64) -> io::Result<bool> {
        let nodes = self.record.nodes().filter(|nodes| node < nodes.len());
        let nodes = nodes.ok_or_else(|| damaged("the Arrow file is damaged: a column is missing in a batch".into()))?;
        let node: &FieldNode = nodes.get(node);
        if node.null_count() == 0 {
            return Ok(true);
        }
        let bits = self.span(file, position, row / 8, 1)?;
        Ok(bits[0] >> (row % 8) & 1 == 1)
    }
}
