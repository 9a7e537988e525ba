//! An open file of vectors.

use super::number::Number;
use super::{id_list, jsonl, npy, safetensors};
use crate::files::input_file;
use crate::files::mapped_bytes::MappedBytes;
use anyhow::{Context, Result, bail, ensure};
use std::fmt;
use std::path::{Path, PathBuf};

/// Largest length of a vector; embeddings have at most some ten thousand numbers.
const LONGEST_VECTOR: usize = 1 << 20;

/// The format of a file, by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorFormat {
    Npy,
    Safetensors,
    Parquet,
    Jsonl,
}

impl VectorFormat {
    /// The format that a file's ending says.
    ///
    /// # Errors
    /// Fails for every other ending.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        Ok(match ending.as_str() {
            "npy" => Self::Npy,
            "safetensors" => Self::Safetensors,
            "parquet" => Self::Parquet,
            "jsonl" => Self::Jsonl,
            _ => {
                bail!("{}: expected a file of vectors ending in .npy, .safetensors, .parquet or .jsonl", path.display())
            }
        })
    }
}

/// Vectors of one length, and the ids of their rows, if they have any.
pub struct VectorTable {
    path: PathBuf,
    ids: Option<Vec<String>>,
    /// The file of the ids, if it is another one.
    ids_file: Option<PathBuf>,
    rows: Rows,
}

enum Rows {
    Mapped(MappedRows),
    Loaded(LoadedRows),
}

/// Rows in a mapped file.
pub(super) struct MappedRows {
    bytes: MappedBytes,
    start: usize,
    number: Number,
    count: usize,
    dimension: usize,
}

impl MappedRows {
    /// Rows from `start` to `end`, which is the end of the file if it is `None`.
    ///
    /// # Errors
    /// Fails if that is not the space of `count` rows of `dimension` numbers.
    pub fn new(
        bytes: MappedBytes,
        start: usize,
        end: Option<usize>,
        number: Number,
        count: usize,
        dimension: usize,
    ) -> Result<Self> {
        let expected = count.checked_mul(dimension).and_then(|numbers| numbers.checked_mul(number.bytes()));
        let end = end.unwrap_or(bytes.len());
        let found = end.saturating_sub(start);
        if expected != Some(found) || end > bytes.len() {
            bail!(
                "expected {} bytes for {count} rows of {dimension} numbers in {number}, found {}: the file is cut short \
                 or damaged",
                expected.map_or_else(|| "too many".into(), |bytes| bytes.to_string()),
                found.min(bytes.len().saturating_sub(start))
            );
        }
        Ok(Self { bytes, start, number, count, dimension })
    }
}

/// Rows that were read into memory.
#[derive(Default)]
pub(super) struct LoadedRows {
    values: Vec<f32>,
    count: usize,
    dimension: usize,
    ids: Vec<String>,
    /// Line of each row, in a file of lines.
    lines: Vec<usize>,
}

impl LoadedRows {
    #[cfg(feature = "import")]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Fails if it has another length than the first row, or an id where others have none.
    pub fn push(&mut self, id: Option<String>, vector: &[f32], line: Option<usize>) -> Result<()> {
        let place = line.map_or_else(|| format!("row {} (from 0)", self.count), |line| format!("line {line}"));
        let named = id.as_ref().map_or_else(|| place.clone(), |id| format!("{place}, id {id}"));
        if self.count == 0 {
            self.dimension = vector.len();
        }
        ensure!(
            vector.len() == self.dimension,
            "{named}: expected {} numbers, as in the first row, found {}",
            self.dimension,
            vector.len()
        );
        ensure!(
            id.is_some() == (self.ids.len() == self.count) || self.count == 0,
            "{named}: expected an id in every row or in none"
        );
        if let Some(id) = id {
            ensure!(!id.is_empty(), "{place}: expected an id, found an empty text");
            self.ids.push(id);
        }
        self.values.extend_from_slice(vector);
        self.lines.extend(line);
        self.count += 1;
        Ok(())
    }
}

impl VectorTable {
    /// Opens a file of vectors. `ids` is a text file with an id a line; without it, `FILE.ids.txt` is read where it is.
    ///
    /// # Errors
    /// Fails if the file has another format than its ending says, is damaged, is empty, or its ids are not one a row.
    pub fn open(path: &Path, ids: Option<&Path>) -> Result<Self> {
        let format = VectorFormat::of(path)?;
        let in_file = || path.display().to_string();
        let (rows, own_ids) = match format {
            VectorFormat::Npy => (Rows::Mapped(npy::open(path).with_context(in_file)?), None),
            VectorFormat::Safetensors => {
                let (rows, ids) = safetensors::open(path).with_context(in_file)?;
                (Rows::Mapped(rows), ids)
            }
            VectorFormat::Jsonl => with_ids(jsonl::read(path).with_context(in_file)?),
            #[cfg(feature = "import")]
            VectorFormat::Parquet => with_ids(super::parquet::read(path).with_context(in_file)?),
            #[cfg(not(feature = "import"))]
            VectorFormat::Parquet => bail!("{}: this build reads no parquet files", path.display()),
        };
        let beside = id_list::ids_beside(path);
        let ids_file = ids.map(Path::to_path_buf).or_else(|| input_file::is_there(&beside).then_some(beside));
        let mut table = Self { path: path.into(), ids: own_ids, ids_file: None, rows };
        if table.count() == 0 {
            bail!("{}: expected vectors, found none", path.display());
        }
        let dimension = table.dimension();
        ensure!(
            (1..=LONGEST_VECTOR).contains(&dimension),
            "{}: expected vectors of 1 to {LONGEST_VECTOR} numbers, found {dimension}",
            path.display()
        );
        if let Some(file) = ids_file {
            if table.ids.is_some() {
                bail!(
                    "{} has ids of its own, and {} names ids, too; expected one of the two",
                    path.display(),
                    file.display()
                );
            }
            table.ids = Some(id_list::read(&file)?);
            table.ids_file = Some(file);
        }
        if let Some(ids) = &table.ids {
            ensure!(
                ids.len() == table.count(),
                "{}: expected {} ids, one for each vector of {}, found {}",
                table.ids_file.as_deref().unwrap_or(path).display(),
                table.count(),
                path.display(),
                ids.len()
            );
        }
        Ok(table)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the ids, if they are not in the file itself.
    pub fn ids_file(&self) -> Option<&Path> {
        self.ids_file.as_deref()
    }

    /// The id of each row; `None` if the file has none.
    pub fn ids(&self) -> Option<&[String]> {
        self.ids.as_deref()
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        match &self.rows {
            Rows::Mapped(rows) => rows.count,
            Rows::Loaded(rows) => rows.count,
        }
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        match &self.rows {
            Rows::Mapped(rows) => rows.dimension,
            Rows::Loaded(rows) => rows.dimension,
        }
    }

    /// Copies a row as it is in the file.
    pub fn copy_row(&self, row: usize, vector: &mut [f32]) {
        match &self.rows {
            Rows::Mapped(rows) => {
                let size = rows.dimension * rows.number.bytes();
                // The length was checked when the file was opened.
                let from = rows.start + row * size;
                rows.number.convert(&rows.bytes[from..from + size], vector);
            }
            Rows::Loaded(rows) => {
                let from = row * rows.dimension;
                vector.copy_from_slice(&rows.values[from..from + rows.dimension]);
            }
        }
    }

    /// Text such as "clip.npy: row 17 (from 0), id d17".
    pub fn place(&self, row: usize) -> String {
        let mut place = match &self.rows {
            Rows::Loaded(LoadedRows { lines, .. }) if !lines.is_empty() => {
                format!("{}: line {}", self.path.display(), lines[row])
            }
            _ => format!("{}: row {row} (from 0)", self.path.display()),
        };
        if let Some(ids) = &self.ids {
            place.push_str(&format!(", id {}", ids[row]));
        }
        place
    }
}

fn with_ids(mut rows: LoadedRows) -> (Rows, Option<Vec<String>>) {
    let ids = std::mem::take(&mut rows.ids);
    (Rows::Loaded(rows), (!ids.is_empty()).then_some(ids))
}

impl fmt::Display for VectorTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match (&self.ids, &self.ids_file) {
            (None, _) => "rows by order".into(),
            (Some(_), None) => "rows by id".into(),
            (Some(_), Some(file)) => format!("rows by the ids of {}", file.display()),
        };
        write!(formatter, "{} vectors of {} from {}, {order}", self.count(), self.dimension(), self.path.display())
    }
}
