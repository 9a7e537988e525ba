//! The document vectors: a safetensors file read row by row. Training compares cases with them, and the
//! next build reuses unchanged ones (an IVF index does not return its vectors).

use super::IndexError;
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Tensors `image` and `caption`, both [count, dimension] in f32; a row without a vector is zero.
pub(super) struct VectorFile {
    path: PathBuf,
    file: Mutex<File>,
    /// Offset of each tensor.
    starts: [u64; 2],
    count: usize,
    dimension: usize,
}

impl VectorFile {
    /// Writes both tensors. The caller syncs.
    pub fn write(path: &Path, images: &[f32], captions: &[f32], dimension: usize) -> Result<()> {
        let count = images.len() / dimension.max(1);
        ensure!(
            images.len() == count * dimension && captions.len() == images.len(),
            "expected two tensors [{count}, {dimension}], found {} and {} numbers",
            images.len(),
            captions.len()
        );
        let in_file = || format!("cannot write {} (is the disk full?)", path.display());
        let mut writer = BufWriter::new(File::create(path).with_context(in_file)?);
        writer.write_all(&header(count, dimension)).with_context(in_file)?;
        for value in images.iter().chain(captions) {
            writer.write_all(&value.to_le_bytes()).with_context(in_file)?;
        }
        writer.flush().with_context(in_file)
    }

    /// Opens a file that must contain two tensors of this shape.
    pub fn open(path: &Path, count: usize, dimension: usize) -> Result<Self, IndexError> {
        let damaged = |error: std::io::Error| IndexError::unreadable(path, &error);
        let mut file = dissent_core::files::input_file::open(path).map_err(damaged)?;
        let expected_header = header(count, dimension);
        let tensor_bytes = (count * dimension * 4) as u64;
        let expected_length = expected_header.len() as u64 + 2 * tensor_bytes;
        let length = file.metadata().map_err(damaged)?.len();
        if length != expected_length {
            return Err(IndexError::damaged(path, format!("expected {expected_length} bytes, found {length}")));
        }
        let mut found_header = vec![0; expected_header.len()];
        file.read_exact(&mut found_header).map_err(damaged)?;
        if found_header != expected_header {
            return Err(IndexError::damaged(
                path,
                format!("expected two tensors [{count}, {dimension}], found others"),
            ));
        }
        let start = expected_header.len() as u64;
        Ok(Self { path: path.into(), file: Mutex::new(file), starts: [start, start + tensor_bytes], count, dimension })
    }

    /// One row of the image (0) or caption (1) tensor.
    pub fn row(&self, tensor: usize, row: usize) -> Result<Vec<f32>> {
        ensure!(row < self.count, "{}: expected a row below {}, found {row}", self.path.display(), self.count);
        let bytes_per_row = self.dimension * 4;
        let mut bytes = vec![0; bytes_per_row];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.starts[tensor.min(1)] + (row * bytes_per_row) as u64))
            .and_then(|_| file.read_exact(&mut bytes))
            .with_context(|| format!("cannot read {}", self.path.display()))?;
        Ok(bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
    }
}

/// Length and JSON of the safetensors header, padded to 8 bytes.
fn header(count: usize, dimension: usize) -> Vec<u8> {
    let bytes = count * dimension * 4;
    let mut json = format!(
        "{{\"image\":{{\"dtype\":\"F32\",\"shape\":[{count},{dimension}],\"data_offsets\":[0,{bytes}]}},\
         \"caption\":{{\"dtype\":\"F32\",\"shape\":[{count},{dimension}],\"data_offsets\":[{bytes},{}]}}}}",
        2 * bytes
    );
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
        VectorFile::write(&path, &[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0], 2).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.tensor("caption").unwrap().shape(), [2, 2]);
        assert_eq!(tensors.tensor("caption").unwrap().data()[..4], 5.0_f32.to_le_bytes());

        let file = VectorFile::open(&path, 2, 2).unwrap();
        assert_eq!(file.row(0, 1).unwrap(), [3.0, 4.0]);
        assert_eq!(file.row(1, 0).unwrap(), [5.0, 6.0]);
        assert!(file.row(0, 2).is_err());
    }

    #[test]
    fn a_cut_file_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.safetensors");
        VectorFile::write(&path, &[1.0, 0.0], &[0.0, 1.0], 2).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let error = VectorFile::open(&path, 1, 2).err().unwrap();
        assert!(matches!(error, IndexError::Damaged { .. }), "{error}");
        assert!(matches!(VectorFile::open(&path, 2, 1), Err(IndexError::Damaged { .. })));
    }
}
