//! Vectors of the cases that another program computed: `queries.safetensors`, and `queries.jsonl` with the case of each row
//! and the content that its image had then.

use super::IndexError;
use super::vector_file::{VectorFile, VectorFileWriter};
use anyhow::{Context, Result, ensure};
use dissent_core::files::durable;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::input_file;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

pub(super) const QUERY_FILE: &str = "queries.safetensors";
pub(super) const QUERY_IDS: &str = "queries.jsonl";
const TENSOR: &str = "query";
/// Maximum size: ten million cases of 100 bytes.
const MOST: u64 = 1 << 30;

/// The case of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct QueryCase {
    pub case: String,
    /// Content of its image; `None` if that could not be read.
    pub image: Option<Fingerprint>,
}

/// The vectors to write.
pub(super) struct QueryVectors {
    pub cases: Vec<QueryCase>,
    /// [cases, dimension].
    pub values: Vec<f32>,
}

impl QueryVectors {
    /// The lines of `queries.jsonl`.
    pub fn lines(&self) -> Result<String> {
        let mut lines = String::new();
        for case in &self.cases {
            lines.push_str(&serde_json::to_string(case)?);
            lines.push('\n');
        }
        Ok(lines)
    }

    /// Writes both files.
    pub fn write(&self, folder: &Path, dimension: usize) -> Result<()> {
        let mut file = VectorFileWriter::create(&folder.join(QUERY_FILE), &[(TENSOR, self.cases.len())], dimension)?;
        for (row, vector) in self.values.chunks_exact(dimension).enumerate() {
            file.write_row(0, row, vector)?;
        }
        durable::write_file(&folder.join(QUERY_IDS), self.lines()?.as_bytes())
    }
}

/// The vectors of an open index.
pub(super) struct GivenQueries {
    vectors: VectorFile,
    /// Row, and content of the image, of each case.
    rows: HashMap<String, (usize, Option<Fingerprint>)>,
}

impl GivenQueries {
    /// Opens both files, which must have `count` rows.
    pub fn open(folder: &Path, count: usize, dimension: usize) -> Result<Self, IndexError> {
        let vectors = VectorFile::open(&folder.join(QUERY_FILE), &[(TENSOR, count)], dimension)?;
        let path = folder.join(QUERY_IDS);
        let text = input_file::read_text(&path, MOST).map_err(|error| IndexError::unreadable(&path, &error))?;
        let mut rows = HashMap::with_capacity(count);
        for (row, line) in text.lines().enumerate() {
            let QueryCase { case, image } =
                serde_json::from_str(line).map_err(|error| IndexError::damaged(&path, error))?;
            rows.insert(case, (row, image));
        }
        if rows.len() != count {
            return Err(IndexError::damaged(&path, format!("expected {count} cases, found {}", rows.len())));
        }
        Ok(Self { vectors, rows })
    }

    /// The vector of a case whose image has this content now.
    pub fn vector(&self, case: &str, image: &Fingerprint) -> Result<Vec<f32>> {
        let (row, then) = self.rows.get(case).with_context(|| {
            format!(
                "case {case} has no vector: the file of --query-vectors that the index was made with lacks it; add it and \
                 run `dissent index` again"
            )
        })?;
        ensure!(
            then.as_ref() == Some(image),
            "case {case}: its image has changed since its vector was given; compute the vector again and run `dissent \
             index` again"
        );
        let vector = self.vectors.row(0, *row).map(<[f32]>::to_vec);
        vector.with_context(|| format!("case {case} has no row among the vectors of cases"))
    }
}
