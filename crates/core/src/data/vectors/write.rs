//! Writes vectors in the formats that [`super::VectorTable`] reads.

use super::safetensors::{IDS, TENSOR};
use super::{VectorFormat, ids_beside};
use crate::files::durable;
use crate::files::npy_header::NpyHeader;
#[cfg(feature = "import")]
use anyhow::Context;
use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Rows of `dimension` numbers; the function copies one.
pub type CopyRow<'a> = &'a mut dyn FnMut(usize, &mut [f32]) -> Result<()>;

/// A line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    vector: &'a [f32],
}

/// Writes a row for each id, in `f32` and in the format of the file's ending; for `.npy` also `FILE.ids.txt`. Returns the
/// paths of the written files.
///
/// # Errors
/// Fails if a row cannot be read, a file cannot be written, or an id cannot be a line of text.
pub fn write_vectors(path: &Path, ids: &[&str], dimension: usize, copy_row: CopyRow) -> Result<Vec<PathBuf>> {
    let format = VectorFormat::of(path)?;
    let list = ids_beside(path);
    ensure!(
        format == VectorFormat::Npy || !list.exists(),
        "{} lists ids of other vectors, and {} has its own: delete the list, or choose another name",
        list.display(),
        path.display()
    );
    match format {
        VectorFormat::Npy => {
            let broken = ids.iter().find(|id| id.contains(['\n', '\r']));
            ensure!(broken.is_none(), "the id {broken:?} has a line end; write .jsonl or .safetensors");
            durable::write_with(path, &mut |file| {
                file.write_all(&NpyHeader::bytes_for_f32_rows(ids.len(), dimension))?;
                write_rows(file, ids.len(), dimension, copy_row)
            })?;
            durable::write_file(&list, (ids.join("\n") + "\n").as_bytes())?;
            return Ok(vec![path.into(), list]);
        }
        VectorFormat::Safetensors => durable::write_with(path, &mut |file| {
            file.write_all(&safetensors_header(ids, dimension)?)?;
            write_rows(file, ids.len(), dimension, copy_row)
        })?,
        VectorFormat::Jsonl => durable::write_with(path, &mut |file| {
            let mut vector = vec![0.0; dimension];
            for (row, id) in ids.iter().enumerate() {
                copy_row(row, &mut vector)?;
                serde_json::to_writer(&mut *file, &Line { id, vector: &vector })?;
                file.write_all(b"\n")?;
            }
            Ok(())
        })?,
        #[cfg(feature = "import")]
        VectorFormat::Parquet => durable::write_with(path, &mut |file| write_parquet(file, ids, dimension, copy_row))?,
        #[cfg(not(feature = "import"))]
        VectorFormat::Parquet => anyhow::bail!("{}: this build writes no parquet files", path.display()),
    }
    Ok(vec![path.into()])
}

fn write_rows(file: &mut dyn Write, count: usize, dimension: usize, copy_row: CopyRow) -> Result<()> {
    let mut vector = vec![0.0_f32; dimension];
    let mut bytes = Vec::with_capacity(dimension * 4);
    for row in 0..count {
        copy_row(row, &mut vector)?;
        bytes.clear();
        bytes.extend(vector.iter().flat_map(|value| value.to_le_bytes()));
        file.write_all(&bytes)?;
    }
    Ok(())
}

/// Length and JSON of the header, padded to 8 bytes.
fn safetensors_header(ids: &[&str], dimension: usize) -> Result<Vec<u8>> {
    let size = ids.len() * dimension * 4;
    let tensor = json!({ "dtype": "F32", "shape": [ids.len(), dimension], "data_offsets": [0, size] });
    let metadata = json!({ IDS: serde_json::to_string(ids)? });
    let mut text = serde_json::to_string(&json!({ "__metadata__": metadata, TENSOR: tensor }))?;
    while text.len() % 8 != 0 {
        text.push(' ');
    }
    let mut header = (text.len() as u64).to_le_bytes().to_vec();
    header.extend_from_slice(text.as_bytes());
    Ok(header)
}

/// Columns `id` and `vector`, a fixed-size list of `f32`.
#[cfg(feature = "import")]
fn write_parquet(file: &mut (dyn Write + Send), ids: &[&str], dimension: usize, copy_row: CopyRow) -> Result<()> {
    use arrow_array::{ArrayRef, FixedSizeListArray, Float32Array, RecordBatch, StringArray};
    use arrow_schema::{DataType, Field, Schema};
    use parquet::arrow::ArrowWriter;
    use std::sync::Arc;

    const ROWS_AT_A_TIME: usize = 4096;
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let list = DataType::FixedSizeList(item.clone(), i32::try_from(dimension).context("too long a vector")?);
    let schema =
        Arc::new(Schema::new(vec![Field::new("id", DataType::Utf8, false), Field::new("vector", list, false)]));
    let mut writer = ArrowWriter::try_new(file, schema.clone(), None)?;
    let mut vector = vec![0.0; dimension];
    for (part, named) in ids.chunks(ROWS_AT_A_TIME).enumerate() {
        let mut values = Vec::with_capacity(named.len() * dimension);
        for row in 0..named.len() {
            copy_row(part * ROWS_AT_A_TIME + row, &mut vector)?;
            values.extend_from_slice(&vector);
        }
        let values = Arc::new(Float32Array::from(values));
        let lists = FixedSizeListArray::try_new(item.clone(), i32::try_from(dimension)?, values, None)?;
        let columns: [ArrayRef; 2] = [Arc::new(StringArray::from(named.to_vec())), Arc::new(lists)];
        writer.write(&RecordBatch::try_new(schema.clone(), columns.to_vec())?)?;
    }
    writer.close()?;
    Ok(())
}
