//! The document vectors: a safetensors file that is written row by row and mapped for reading, so that it may be larger than
//! the memory. FAISS is built from it in blocks, training compares cases with its rows, the best of approximate results are
//! scored by them again, and the next build reuses those that are unchanged (an IVF index does not return its vectors).

use super::IndexError;
use anyhow::{Context, Result, ensure};
use dissent_core::files::mapped_bytes::MappedBytes;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

// The file has the byte order of safetensors; rows are used as they lie in memory.
const _: () = assert!(cfg!(target_endian = "little"), "expected a processor with the byte order of safetensors");

/// Name and number of rows of each tensor.
pub(super) type Shapes<'a> = &'a [(&'static str, usize)];

/// Tensors [rows, dimension] in f32 that are being written; a row that is not written is zero.
pub(super) struct VectorFileWriter {
    path: PathBuf,
    file: File,
    tensors: Tensors,
    dimension: usize,
}

impl VectorFileWriter {
    /// Creates the file with all its rows. The caller syncs.
    pub fn create(path: &Path, shapes: Shapes, dimension: usize) -> Result<Self> {
        let Layout { header, tensors, length } = Layout::of(shapes, dimension);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .with_context(|| format!("cannot create {}", path.display()))?;
        file.write_all(&header)
            .and_then(|()| file.set_len(length))
            .with_context(|| format!("cannot write {} (is the disk full?)", path.display()))?;
        Ok(Self { path: path.into(), file, tensors, dimension })
    }

    /// Writes one row.
    pub fn write_row(&mut self, tensor: usize, row: usize, vector: &[f32]) -> Result<()> {
        ensure!(vector.len() == self.dimension, "expected a row of {} numbers, found {}", self.dimension, vector.len());
        self.go_to(tensor, row)?;
        let bytes: &[u8] = bytemuck::cast_slice(vector);
        self.file.write_all(bytes).with_context(|| format!("cannot write {} (is the disk full?)", self.path.display()))
    }

    /// Reads a row that was written.
    pub fn read_row(&mut self, tensor: usize, row: usize) -> Result<Vec<f32>> {
        self.go_to(tensor, row)?;
        let mut vector = vec![0.0; self.dimension];
        self.file
            .read_exact(bytemuck::cast_slice_mut(&mut vector))
            .with_context(|| format!("cannot read {}", self.path.display()))?;
        Ok(vector)
    }

    fn go_to(&mut self, tensor: usize, row: usize) -> Result<()> {
        let Tensor { start, rows, .. } = self.tensors.get(tensor).copied().unwrap_or_default();
        ensure!(row < rows, "{}: expected a row below {rows}, found {row}", self.path.display());
        let place = start + (row * self.dimension * size_of::<f32>()) as u64;
        self.file.seek(SeekFrom::Start(place)).with_context(|| format!("cannot read {}", self.path.display()))?;
        Ok(())
    }

    /// Maps what was written. Rows that are written afterwards change the map.
    pub fn map(&self) -> Result<VectorFile, IndexError> {
        VectorFile::open(
            &self.path,
            &self.tensors.iter().map(|tensor| (tensor.name, tensor.rows)).collect::<Vec<_>>(),
            self.dimension,
        )
    }

    /// Maps what was written, of which nothing changes any more.
    pub fn finish(self) -> Result<VectorFile, IndexError> {
        self.map()
    }
}

/// The mapped file. A row without a vector is zero.
#[derive(Clone)]
pub(super) struct VectorFile {
    bytes: Arc<MappedBytes>,
    tensors: Tensors,
    dimension: usize,
}

impl VectorFile {
    /// Maps a file that must have tensors of these numbers of rows.
    pub fn open(path: &Path, shapes: Shapes, dimension: usize) -> Result<Self, IndexError> {
        let bytes = MappedBytes::open(path).map_err(|error| IndexError::unreadable(path, &error))?;
        let Layout { header, tensors, length } = Layout::of(shapes, dimension);
        if bytes.len() as u64 != length {
            return Err(IndexError::damaged(path, format!("expected {length} bytes, found {}", bytes.len())));
        }
        if !bytes.starts_with(&header) {
            let expected: Vec<String> = shapes.iter().map(|(name, rows)| format!("{rows} ({name})")).collect();
            let reason = format!("expected rows of {dimension} numbers, {}, found others", expected.join(" and "));
            return Err(IndexError::damaged(path, reason));
        }
        Ok(Self { bytes: Arc::new(bytes), tensors, dimension })
    }

    /// Number of rows of a tensor.
    pub fn rows(&self, tensor: usize) -> usize {
        self.tensors.get(tensor).map_or(0, |tensor| tensor.rows)
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// All rows of a tensor, one after the other.
    pub fn all(&self, tensor: usize) -> &[f32] {
        let Tensor { start, rows, .. } = self.tensors.get(tensor).copied().unwrap_or_default();
        let start = start as usize;
        let bytes = self.bytes.get(start..start + rows * self.dimension * size_of::<f32>());
        // The header's length is a multiple of 8 and a mapped file begins at a page, so that the numbers are aligned.
        bytes.and_then(|bytes| bytemuck::try_cast_slice(bytes).ok()).unwrap_or_default()
    }

    /// One row of a tensor.
    pub fn row(&self, tensor: usize, row: usize) -> Option<&[f32]> {
        let start = row.checked_mul(self.dimension)?;
        self.all(tensor).get(start..start.checked_add(self.dimension)?)
    }
}

/// Where a tensor is.
#[derive(Clone, Copy, Default)]
struct Tensor {
    name: &'static str,
    /// Offset of its first byte.
    start: u64,
    rows: usize,
}

type Tensors = Vec<Tensor>;

/// The parts of a file.
struct Layout {
    /// Length and JSON of the safetensors header, padded to 8 bytes.
    header: Vec<u8>,
    tensors: Tensors,
    /// Length of the file.
    length: u64,
}

impl Layout {
    fn of(shapes: Shapes, dimension: usize) -> Self {
        let mut end = 0;
        let (mut entries, mut tensors) = (Vec::with_capacity(shapes.len()), Vec::with_capacity(shapes.len()));
        for (name, rows) in shapes {
            let start = end;
            end += rows * dimension * size_of::<f32>();
            entries.push(format!(
                "\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{rows},{dimension}],\"data_offsets\":[{start},{end}]}}"
            ));
            tensors.push(Tensor { name, start: start as u64, rows: *rows });
        }
        let mut json = format!("{{{}}}", entries.join(","));
        while json.len() % 8 != 0 {
            json.push(' ');
        }
        let mut header = (json.len() as u64).to_le_bytes().to_vec();
        header.extend(json.as_bytes());
        for tensor in &mut tensors {
            tensor.start += header.len() as u64;
        }
        let length = (header.len() + end) as u64;
        Self { header, tensors, length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: Shapes = &[("image", 3), ("caption", 2)];

    fn written(path: &Path) -> VectorFile {
        let mut writer = VectorFileWriter::create(path, SHAPES, 2).unwrap();
        writer.write_row(1, 1, &[7.0, 8.0]).unwrap();
        writer.write_row(0, 0, &[1.0, 2.0]).unwrap();
        writer.write_row(0, 2, &[3.0, 4.0]).unwrap();
        assert_eq!(writer.read_row(0, 2).unwrap(), [3.0, 4.0]);
        assert!(writer.write_row(0, 3, &[1.0, 2.0]).is_err(), "there are three");
        assert!(writer.write_row(0, 0, &[1.0]).is_err(), "too short");
        writer.finish().unwrap()
    }

    #[test]
    fn other_programs_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.safetensors");
        let file = written(&path);
        let bytes = std::fs::read(&path).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.tensor("image").unwrap().shape(), [3, 2]);
        assert_eq!(tensors.tensor("caption").unwrap().data()[8..12], 7.0_f32.to_le_bytes());

        assert_eq!(file.row(0, 2), Some(&[3.0, 4.0][..]));
        assert_eq!(file.row(1, 0), Some(&[0.0, 0.0][..]), "not written");
        assert_eq!(file.all(0), [1.0, 2.0, 0.0, 0.0, 3.0, 4.0]);
        assert_eq!(file.row(1, 2), None);
        assert_eq!(file.row(1, usize::MAX), None);
    }

    #[test]
    fn a_cut_file_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.safetensors");
        drop(written(&path));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let error = VectorFile::open(&path, SHAPES, 2).err().unwrap();
        assert!(matches!(error, IndexError::Damaged { .. }), "{error}");
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(VectorFile::open(&path, &[("image", 2), ("caption", 3)], 2), Err(IndexError::Damaged { .. })));
        assert!(matches!(VectorFile::open(&path, SHAPES, 1), Err(IndexError::Damaged { .. })));
    }
}
