//! The document vectors: a safetensors file read row by row. Training compares cases with them, and the
//! next build reuses unchanged ones (an IVF index does not return its vectors).

use super::IndexError;
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Tensors [rows, dimension] in f32; a row without a vector is zero.
pub(super) struct VectorFile {
    path: PathBuf,
    file: Mutex<File>,
    /// Offset and number of rows of each tensor.
    tensors: Vec<(u64, usize)>,
    dimension: usize,
}

impl VectorFile {
    /// Writes tensors by name. The caller syncs.
    pub fn write(path: &Path, tensors: &[(&str, &[f32])], dimension: usize) -> Result<()> {
        let mut shapes = Vec::with_capacity(tensors.len());
        for (name, values) in tensors {
            let count = values.len() / dimension.max(1);
            ensure!(
                values.len() == count * dimension,
                "tensor {name}: expected rows of {dimension} numbers, found {} numbers",
                values.len()
            );
            shapes.push((*name, count));
        }
        let in_file = || format!("cannot write {} (is the disk full?)", path.display());
        let mut writer = BufWriter::new(File::create(path).with_context(in_file)?);
        writer.write_all(&header(&shapes, dimension)).with_context(in_file)?;
        for value in tensors.iter().flat_map(|(_, values)| values.iter()) {
            writer.write_all(&value.to_le_bytes()).with_context(in_file)?;
        }
        writer.flush().with_context(in_file)
    }

    /// Opens a file that must contain tensors of these names and numbers of rows.
    pub fn open(path: &Path, shapes: &[(&str, usize)], dimension: usize) -> Result<Self, IndexError> {
        let damaged = |error: std::io::Error| IndexError::unreadable(path, &error);
        let mut file = dissent_core::files::input_file::open(path).map_err(damaged)?;
        let expected_header = header(shapes, dimension);
        let rows: usize = shapes.iter().map(|(_, count)| count).sum();
        let expected_length = (expected_header.len() + rows * dimension * 4) as u64;
        let length = file.metadata().map_err(damaged)?.len();
        if length != expected_length {
            return Err(IndexError::damaged(path, format!("expected {expected_length} bytes, found {length}")));
        }
        let mut found_header = vec![0; expected_header.len()];
        file.read_exact(&mut found_header).map_err(damaged)?;
        if found_header != expected_header {
            return Err(IndexError::damaged(
                path,
                format!("expected tensors of {rows} rows of {dimension} numbers, found others"),
            ));
        }
        let mut start = expected_header.len() as u64;
        let mut tensors = Vec::with_capacity(shapes.len());
        for (_, count) in shapes {
            tensors.push((start, *count));
            start += (count * dimension * 4) as u64;
        }
        Ok(Self { path: path.into(), file: Mutex::new(file), tensors, dimension })
    }

    /// One row of a tensor, counted in the order of the file.
    pub fn row(&self, tensor: usize, row: usize) -> Result<Vec<f32>> {
        let (start, count) = self.tensors.get(tensor).copied().unwrap_or_default();
        ensure!(row < count, "{}: expected a row below {count}, found {row}", self.path.display());
        let bytes_per_row = self.dimension * 4;
        let mut bytes = vec![0; bytes_per_row];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start + (row * bytes_per_row) as u64))
            .and_then(|_| file.read_exact(&mut bytes))
            .with_context(|| format!("cannot read {}", self.path.display()))?;
        Ok(bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
    }
}

/// Length and JSON of the safetensors header, padded to 8 bytes.
fn header(shapes: &[(&str, usize)], dimension: usize) -> Vec<u8> {
    let mut start = 0;
    let mut entries = Vec::with_capacity(shapes.len());
    for (name, count) in shapes {
        let end = start + count * dimension * 4;
        entries.push(format!(
            "\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{count},{dimension}],\"data_offsets\":[{start},{end}]}}"
        ));
        start = end;
    }
    let mut json = format!("{{{}}}", entries.join(","));
    while json.len() % 8 != 0 {
        json.push(' ');
    }
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.extend(json.as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_programs_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.safetensors");
        VectorFile::write(&path, &[("image", &[1.0, 2.0, 3.0, 4.0]), ("caption", &[5.0, 6.0, 7.0, 8.0])], 2).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.tensor("caption").unwrap().shape(), [2, 2]);
        assert_eq!(tensors.tensor("caption").unwrap().data()[..4], 5.0_f32.to_le_bytes());

        let file = VectorFile::open(&path, &[("image", 2), ("caption", 2)], 2).unwrap();
        assert_eq!(file.row(0, 1).unwrap(), [3.0, 4.0]);
        assert_eq!(file.row(1, 0).unwrap(), [5.0, 6.0]);
        assert!(file.row(0, 2).is_err());
    }

    #[test]
    fn a_cut_file_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.safetensors");
        VectorFile::write(&path, &[("image", &[1.0, 0.0]), ("caption", &[0.0, 1.0])], 2).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let error = VectorFile::open(&path, &[("image", 1), ("caption", 1)], 2).err().unwrap();
        assert!(matches!(error, IndexError::Damaged { .. }), "{error}");
        assert!(matches!(VectorFile::open(&path, &[("image", 2), ("caption", 2)], 1), Err(IndexError::Damaged { .. })));
    }
}
