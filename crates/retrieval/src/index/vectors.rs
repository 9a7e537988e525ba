//! A FAISS index over unit vectors: the inner product is the cosine similarity.

use super::IndexError;
use anyhow::{Context, Result, bail, ensure};
use faiss::index::autotune::ParameterSpace;
use faiss::index::io::{read_index, write_index};
use faiss::index::{Index as _, IndexImpl, index_factory};
use faiss::metric::MetricType;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Maximum number of vectors for exhaustive search; at 512 dimensions a query takes about 20 ms.
pub const FLAT_LIMIT: usize = 100_000;

/// Tolerance of a vector's length: half types on a GPU round this much. Stored vectors are normalised.
const LENGTH_TOLERANCE: f32 = 1e-2;

/// k-means needs at least this many vectors per list (FAISS warns below it).
const VECTORS_PER_LIST: usize = 39;

/// The kind of FAISS index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum VectorKind {
    /// Exact search: compares every vector.
    Flat,
    /// Approximate search: compares the vectors of the nearest `probes` of `lists` clusters.
    Ivf { lists: usize, probes: usize },
}

impl VectorKind {
    /// Flat up to `flat_limit` vectors; above that about 4 √count lists, of which a sixteenth, at least 8, are probed.
    pub fn choose(count: usize, flat_limit: usize) -> Self {
        if count <= flat_limit || count < 2 * VECTORS_PER_LIST {
            return Self::Flat;
        }
        let lists = (4.0 * (count as f64).sqrt()) as usize;
        let lists = lists.min(count / VECTORS_PER_LIST);
        Self::Ivf { lists, probes: (lists / 16).max(8).min(lists) }
    }

    fn factory(self) -> String {
        match self {
            Self::Flat => "Flat".into(),
            Self::Ivf { lists, .. } => format!("IVF{lists},Flat"),
        }
    }
}

impl fmt::Display for VectorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flat => formatter.write_str("Flat"),
            Self::Ivf { lists, probes } => write!(formatter, "IVF of {lists} lists, {probes} probed"),
        }
    }
}

/// Vectors of the documents, searched by inner product.
pub struct VectorIndex {
    /// FAISS needs exclusive access to set a search parameter.
    faiss: Mutex<IndexImpl>,
    kind: VectorKind,
    dimension: usize,
    /// Corpus row of each vector, ascending.
    rows: Vec<u32>,
}

impl VectorIndex {
    /// Builds an index over `vectors` [count, dimension] of the corpus rows `rows` (ascending, one per vector).
    ///
    /// # Errors
    /// Fails with the row of a vector that is not finite or not of length 1.
    pub fn build(vectors: &[f32], dimension: usize, rows: Vec<u32>, kind: VectorKind) -> Result<Self> {
        ensure!(dimension > 0, "expected vectors of at least one dimension");
        ensure!(
            vectors.len() == dimension * rows.len(),
            "expected {} vectors of {dimension} numbers, found {} numbers",
            rows.len(),
            vectors.len()
        );
        for (vector, row) in vectors.chunks_exact(dimension).zip(&rows) {
            check_unit(vector).with_context(|| format!("vector of corpus row {row}"))?;
        }
        let mut faiss = index_factory(u32::try_from(dimension)?, kind.factory(), MetricType::InnerProduct)
            .with_context(|| format!("FAISS cannot create an index '{}'", kind.factory()))?;
        if kind != VectorKind::Flat {
            faiss.train(vectors).context("FAISS cannot cluster the vectors")?;
        }
        if !rows.is_empty() {
            faiss.add(vectors).context("FAISS cannot add the vectors")?;
        }
        Ok(Self { faiss: Mutex::new(faiss), kind, dimension, rows })
    }

    /// Reads the file of [`VectorIndex::save`].
    ///
    /// # Errors
    /// Fails with [`IndexError::Damaged`] if the file cannot be read or has other content.
    pub fn load(path: &Path, dimension: usize, rows: Vec<u32>, kind: VectorKind) -> Result<Self, IndexError> {
        let faiss = read_index(utf8(path)?).map_err(|error| IndexError::damaged(path, error))?;
        let (found_count, found_dimension) = (faiss.ntotal() as usize, faiss.d() as usize);
        if (found_count, found_dimension) != (rows.len(), dimension) {
            let reason =
                format!("expected {} vectors of {dimension}, found {found_count} of {found_dimension}", rows.len());
            return Err(IndexError::damaged(path, reason));
        }
        if faiss.metric_type() != MetricType::InnerProduct {
            return Err(IndexError::damaged(path, "expected the inner product as the metric, found another"));
        }
        Ok(Self { faiss: Mutex::new(faiss), kind, dimension, rows })
    }

    /// Writes the FAISS file. The caller syncs and renames.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let faiss = self.faiss.lock().unwrap_or_else(PoisonError::into_inner);
        write_index(&*faiss, utf8(path)?)
            .with_context(|| format!("FAISS cannot write {} (is the disk full?)", path.display()))
    }

    /// The best `limit` documents for a query vector among the `allowed` corpus rows: row and score, best first, the
    /// lower row first for equal scores. Exact for a Flat index; an IVF index probes more lists until it has
    /// found enough.
    ///
    /// # Errors
    /// Fails if the query has another dimension, is not finite or not of length 1.
    pub fn search(&self, query: &[f32], limit: usize, allowed: &dyn Fn(usize) -> bool) -> Result<Vec<(usize, f32)>> {
        ensure!(
            query.len() == self.dimension,
            "expected a query vector of {1} numbers, found {0}: does the index belong to another encoder?",
            query.len(),
            self.dimension
        );
        let query = unit(query).context("query vector")?;
        let total = self.rows.len();
        if limit == 0 || total == 0 {
            return Ok(Vec::new());
        }
        let (lists, mut probes) = match self.kind {
            VectorKind::Flat => (1, 1),
            VectorKind::Ivf { lists, probes } => (lists, probes),
        };
        let mut fetch = limit.saturating_mul(2).max(16).min(total);
        loop {
            let fetched = self.nearest(&query, fetch, probes)?;
            let exhausted = fetched.len() < fetch || fetch == total;
            let lowest = fetched.last().map_or(f32::NEG_INFINITY, |(_, score)| *score);
            let mut found: Vec<(usize, f32)> = fetched.into_iter().filter(|(row, _)| allowed(*row)).collect();
            found.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
            // Vectors with the lowest fetched score and lower rows may not have been fetched.
            let settled = exhausted || found.get(limit - 1).is_some_and(|(_, score)| *score > lowest);
            if found.len() >= limit && settled || exhausted && probes == lists {
                found.truncate(limit);
                return Ok(found);
            }
            if exhausted {
                probes = (probes * 2).min(lists);
            } else {
                fetch = (fetch * 2).min(total);
            }
        }
    }

    /// Results of FAISS: row and score, best first, from the probed lists, at most `count`.
    fn nearest(&self, query: &[f32], count: usize, probes: usize) -> Result<Vec<(usize, f32)>> {
        let mut faiss = self.faiss.lock().unwrap_or_else(PoisonError::into_inner);
        if self.kind != VectorKind::Flat {
            ParameterSpace::new()
                .and_then(|space| space.set_index_parameter(&*faiss, "nprobe", probes as f64))
                .context("FAISS cannot set the number of probed lists")?;
        }
        let result = faiss.search(query, count).context("FAISS search failed")?;
        let mut nearest = Vec::with_capacity(count);
        for (label, score) in result.labels.iter().zip(&result.distances) {
            let row = label.get().and_then(|position| self.rows.get(position as usize));
            if let Some(row) = row {
                nearest.push((*row as usize, *score));
            }
        }
        Ok(nearest)
    }

    /// Position of a corpus row's vector, if it has one.
    pub fn position(&self, row: usize) -> Option<usize> {
        self.rows.binary_search(&u32::try_from(row).ok()?).ok()
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no vectors.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The kind of FAISS index.
    pub fn kind(&self) -> VectorKind {
        self.kind
    }

    /// Text such as "exact search, 420 images", with the plural of what has the vectors; the details are in
    /// [`Self::description`].
    pub(super) fn summary(&self, what: &str) -> String {
        let search = match self.kind {
            VectorKind::Flat => "exact search",
            VectorKind::Ivf { .. } => "approximate search",
        };
        format!("{search}, {} {what}", self.rows.len())
    }

    /// Text such as "Flat, 420 vectors of 64".
    pub fn description(&self) -> String {
        format!("{}, {} vectors of {}", self.kind, self.rows.len(), self.dimension)
    }
}

/// The vector normalised to length 1 (in f32).
///
/// # Errors
/// Fails if the vector is not finite or its length differs from 1 by more than the tolerance.
pub(crate) fn unit(vector: &[f32]) -> Result<Vec<f32>> {
    let length = check_unit(vector)?;
    Ok(vector.iter().map(|value| value / length).collect())
}

fn check_unit(vector: &[f32]) -> Result<f32> {
    if let Some(position) = vector.iter().position(|value| !value.is_finite()) {
        bail!("expected finite numbers, found {} at position {position}", vector[position]);
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    ensure!((length - 1.0).abs() <= LENGTH_TOLERANCE, "expected a vector of length 1, found length {length}");
    Ok(length)
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("FAISS needs a path in UTF-8, found {}", path.display()))
}
