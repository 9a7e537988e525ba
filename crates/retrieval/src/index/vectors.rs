//! A FAISS index over unit vectors: the inner product is the cosine similarity.

use super::probes::MeasuredRecall;
use super::vector_file::VectorFile;
use super::{IndexError, VectorCode, VectorKind, VectorSide};
use anyhow::{Context, Result, bail, ensure};
use faiss::index::autotune::ParameterSpace;
use faiss::index::io::{read_index, read_index_with_flags, write_index};
use faiss::index::io_flags::IoFlags;
use faiss::index::{Index as _, IndexImpl, index_factory};
use faiss::metric::MetricType;
use std::borrow::Cow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Tolerance of a vector's length: half types on a GPU round this much. Stored vectors are normalised.
const LENGTH_TOLERANCE: f32 = 1e-2;

/// Vectors of each list that k-means is given; more of them change the clusters little and take longer.
const TRAINING_PER_LIST: usize = 64;

/// Vectors that FAISS is given at once.
const BLOCK: usize = 16_384;

/// FAISS's flag to map a file (`IO_FLAG_MMAP_IFC`): the lists are read when they are probed.
const MAP_FILE: i32 = 1 << 9;

/// Vectors of the documents, searched by inner product.
pub struct VectorIndex {
    /// FAISS needs exclusive access to set a search parameter.
    faiss: Mutex<IndexImpl>,
    kind: VectorKind,
    dimension: usize,
    /// Corpus row of each vector, ascending.
    rows: Vec<u32>,
    /// The vectors themselves, if FAISS has only codes of them.
    exact: Option<(VectorFile, VectorSide)>,
    recall: Option<MeasuredRecall>,
}

impl VectorIndex {
    /// Builds an index over the corpus rows `rows` (ascending) of `vectors` [documents, dimension], in blocks. `added` gets the
    /// number of vectors that FAISS has; its error ends the build.
    ///
    /// # Errors
    /// Fails with the row of a vector that is not finite or not of length 1.
    pub fn build(
        vectors: &[f32],
        dimension: usize,
        rows: Vec<u32>,
        kind: VectorKind,
        added: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Self> {
        ensure!(dimension > 0, "expected vectors of at least one dimension");
        let count = vectors.len() / dimension;
        ensure!(
            vectors.len() == dimension * count && rows.last().is_none_or(|last| (*last as usize) < count),
            "expected at least {} vectors of {dimension} numbers, found {} numbers",
            rows.last().map_or(0, |last| last + 1),
            vectors.len()
        );
        let check = |row: u32| {
            let start = row as usize * dimension;
            check_unit(&vectors[start..start + dimension]).with_context(|| format!("vector of corpus row {row}"))
        };
        let mut faiss = index_factory(u32::try_from(dimension)?, kind.factory(), MetricType::InnerProduct)
            .with_context(|| format!("FAISS cannot create an index '{}'", kind.factory()))?;
        if let VectorKind::Ivf { lists, .. } = kind {
            let sample = evenly_chosen(&rows, lists * TRAINING_PER_LIST);
            for row in &sample {
                check(*row)?;
            }
            faiss.train(&rows_of(vectors, dimension, &sample)).context("FAISS cannot cluster the vectors")?;
        }
        let mut done = 0;
        for block in rows.chunks(BLOCK) {
            for row in block {
                check(*row)?;
            }
            faiss.add(&rows_of(vectors, dimension, block)).context("FAISS cannot add the vectors")?;
            done += block.len();
            added(done)?;
        }
        Ok(Self { faiss: Mutex::new(faiss), kind, dimension, rows, exact: None, recall: None })
    }

    /// Opens the file of [`VectorIndex::save`]; inverted lists are mapped.
    ///
    /// # Errors
    /// Fails with [`IndexError::Damaged`] if the file cannot be read or has other content.
    pub fn load(path: &Path, dimension: usize, rows: Vec<u32>, kind: VectorKind) -> Result<Self, IndexError> {
        let name = utf8(path)?;
        let read = match kind {
            VectorKind::Flat => read_index(name),
            VectorKind::Ivf { .. } => read_index_with_flags(name, IoFlags::from(MAP_FILE)),
        };
        let faiss = read.map_err(|error| IndexError::damaged(path, error))?;
        let (found_count, found_dimension) = (faiss.ntotal() as usize, faiss.d() as usize);
        if (found_count, found_dimension) != (rows.len(), dimension) {
            let reason =
                format!("expected {} vectors of {dimension}, found {found_count} of {found_dimension}", rows.len());
            return Err(IndexError::damaged(path, reason));
        }
        if faiss.metric_type() != MetricType::InnerProduct {
            return Err(IndexError::damaged(path, "expected the inner product as the metric, found another"));
        }
        Ok(Self { faiss: Mutex::new(faiss), kind, dimension, rows, exact: None, recall: None })
    }

    /// The index with the vectors themselves, which score the best of the codes again, and with the recall that was measured.
    pub(super) fn with_vectors(
        mut self,
        vectors: &VectorFile,
        side: VectorSide,
        recall: Option<MeasuredRecall>,
    ) -> Self {
        self.exact = (self.kind.code() != VectorCode::F32).then(|| (vectors.clone(), side));
        self.recall = recall;
        self
    }

    /// Searches this many lists from now on, by which this recall was measured.
    pub(super) fn set_probes(&mut self, found: usize, measured: MeasuredRecall) {
        if let VectorKind::Ivf { probes, .. } = &mut self.kind {
            *probes = found;
        }
        self.recall = Some(measured);
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
    /// found enough. Scores are inner products with the vectors themselves.
    ///
    /// # Errors
    /// Fails if the query has another dimension, is not finite or not of length 1.
    pub fn search(&self, query: &[f32], limit: usize, allowed: &dyn Fn(usize) -> bool) -> Result<Vec<(usize, f32)>> {
        let probes = match self.kind {
            VectorKind::Flat => 1,
            VectorKind::Ivf { probes, .. } => probes,
        };
        self.search_lists(query, limit, allowed, probes)
    }

    /// Like [`Self::search`], in the nearest `probes` lists at first.
    pub(super) fn search_lists(
        &self,
        query: &[f32],
        limit: usize,
        allowed: &dyn Fn(usize) -> bool,
        mut probes: usize,
    ) -> Result<Vec<(usize, f32)>> {
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
        let lists = match self.kind {
            VectorKind::Flat => 1,
            VectorKind::Ivf { lists, .. } => lists,
        };
        // Codes put the nearest in another order, so that more of them are compared again.
        let wanted = if self.exact.is_some() { limit.saturating_mul(2) } else { limit };
        let mut fetch = wanted.saturating_mul(2).max(if self.exact.is_some() { 64 } else { 16 }).min(total);
        loop {
            let fetched = self.nearest(&query, fetch, probes)?;
            let exhausted = fetched.len() < fetch || fetch == total;
            let lowest = fetched.last().map_or(f32::NEG_INFINITY, |(_, score)| *score);
            let mut found: Vec<(usize, f32)> = fetched.into_iter().filter(|(row, _)| allowed(*row)).collect();
            // Vectors with the lowest fetched score and lower rows may not have been fetched.
            let settled = exhausted || found.get(wanted - 1).is_some_and(|(_, score)| *score > lowest);
            if found.len() >= limit && settled || exhausted && probes == lists {
                self.score_exactly(&query, &mut found)?;
                found.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
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

    /// Replaces scores of codes by those of the vectors.
    fn score_exactly(&self, query: &[f32], found: &mut [(usize, f32)]) -> Result<()> {
        let Some((vectors, side)) = &self.exact else { return Ok(()) };
        for (row, score) in found {
            let vector =
                vectors.row(*side as usize, *row).with_context(|| format!("document row {row} has no vector"))?;
            *score = query.iter().zip(vector).map(|(one, other)| one * other).sum();
        }
        Ok(())
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

    /// Corpus row of each vector, ascending.
    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The recall that was measured when the index was built; `None` for exact search.
    pub fn recall(&self) -> Option<MeasuredRecall> {
        self.recall
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
        let recall = self.recall.map_or_else(String::new, |recall| format!("; {recall}"));
        format!("{}, {} vectors of {}{recall}", self.kind, self.rows.len(), self.dimension)
    }
}

/// At most `most` of the rows, at even distances.
pub(super) fn evenly_chosen(rows: &[u32], most: usize) -> Vec<u32> {
    let count = rows.len().min(most);
    (0..count).map(|position| rows[position * rows.len() / count]).collect()
}

/// These rows (ascending) of `vectors` [rows, dimension], one after the other; copied only if there are others between them.
pub(super) fn rows_of<'a>(vectors: &'a [f32], dimension: usize, rows: &[u32]) -> Cow<'a, [f32]> {
    let vector_of = |row: u32| &vectors[row as usize * dimension..(row as usize + 1) * dimension];
    match (rows.first(), rows.last()) {
        (Some(first), Some(last)) if (last - first + 1) as usize == rows.len() => {
            Cow::Borrowed(&vectors[*first as usize * dimension..(*last as usize + 1) * dimension])
        }
        _ => Cow::Owned(rows.iter().flat_map(|row| vector_of(*row)).copied().collect()),
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
