//! How many lists of an IVF index are searched: as many as the wanted recall takes, measured on queries of the corpus.

use super::vector_file::VectorFile;
use super::vectors::{evenly_chosen, rows_of};
use super::{VectorIndex, VectorKind, VectorSide};
use anyhow::{Context, Result};
use faiss::index::{Index as _, index_factory};
use faiss::metric::MetricType;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Recall is measured among this many best documents.
const AT: usize = 10;
/// Queries that choose the number of probes, and as many others that measure the recall.
const QUERIES: usize = 200;
/// Of the allowed misses, the choosing queries may have three quarters: the others need not agree with them to the digit.
const MARGIN: f64 = 0.75;
/// Rows of the exact search at once.
const BLOCK: usize = 65_536;
/// Scores nearer than this are equal: f32 sums of a thousand numbers in another order differ so.
const ROUNDING: f32 = 5e-6;

/// The share of the exact best documents that approximate search finds, measured when the index was built.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredRecall {
    /// From 0 to 1.
    pub recall: f64,
    /// The number of best documents.
    pub at: usize,
    /// Number of queries: images of documents, without their own document, none of which chose the number of probes.
    pub queries: usize,
    /// The recall that was asked for.
    pub wanted: f64,
}

impl fmt::Display for MeasuredRecall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "recall@{} {:.3}, n = {}", self.at, self.recall, self.queries)
    }
}

/// One query with the score that a found document must reach.
struct Query {
    vector: Vec<f32>,
    /// The document whose own vector it is, if that is on the searched side.
    own: Option<usize>,
    /// Score of the last of the exact best.
    lowest: f32,
    /// Number of exact best, below [`AT`] only in a small corpus.
    best: usize,
}

/// Sets the number of probes of an IVF index to the smallest that reaches the wanted recall, and measures it with other
/// queries. The queries are image vectors of documents, as those of cases are, or caption vectors where there are no others.
///
/// # Errors
/// Fails if FAISS does.
pub(super) fn choose_probes(
    index: &mut VectorIndex,
    vectors: &VectorFile,
    side: VectorSide,
    query_rows: &[u32],
    wanted: f64,
) -> Result<()> {
    let VectorKind::Ivf { lists, .. } = index.kind() else { return Ok(()) };
    let query_side = if vectors.rows(VectorSide::Image as usize) > 0 { VectorSide::Image } else { side };
    let queries = exact_queries(index.rows(), vectors, side, query_side, query_rows)?;
    let (choosing, measuring): (Vec<_>, Vec<_>) =
        queries.into_iter().enumerate().partition(|(place, _)| place % 2 == 0);
    let goal = 1.0 - (1.0 - wanted) * MARGIN;
    let (mut too_few, mut enough) = (0, 1);
    while enough < lists && recall_of(index, &choosing, enough)? < goal {
        (too_few, enough) = (enough, (enough * 2).min(lists));
    }
    // To a sixteenth: nearer the recall of other queries differs more.
    while enough - too_few > 1.max(too_few / 16) {
        let middle = usize::midpoint(too_few, enough);
        if recall_of(index, &choosing, middle)? < goal {
            too_few = middle;
        } else {
            enough = middle;
        }
    }
    let recall = recall_of(index, &measuring, enough)?;
    index.set_probes(enough, MeasuredRecall { recall, at: AT, queries: measuring.len(), wanted });
    Ok(())
}

/// Queries with the scores of their exact best documents, by comparing every vector.
fn exact_queries(
    rows: &[u32],
    vectors: &VectorFile,
    side: VectorSide,
    query_side: VectorSide,
    query_rows: &[u32],
) -> Result<Vec<Query>> {
    let chosen = evenly_chosen(query_rows, 2 * QUERIES);
    let dimension = vectors.dimension();
    let mut flat_queries = Vec::with_capacity(chosen.len() * dimension);
    for row in &chosen {
        flat_queries
            .extend_from_slice(vectors.row(query_side as usize, *row as usize).context("a query has no vector")?);
    }
    // A document's own vector is the best on its own side, and is left out.
    let own = |row: u32| (query_side == side).then_some(row as usize);
    let count = AT + 1;
    let mut best: Vec<Vec<(usize, f32)>> = vec![Vec::new(); chosen.len()];
    for block in rows.chunks(BLOCK) {
        let mut exact = index_factory(u32::try_from(dimension)?, "Flat", MetricType::InnerProduct)?;
        exact.add(&rows_of(vectors.all(side as usize), dimension, block))?;
        let found = exact.search(&flat_queries, count.min(block.len())).context("FAISS search failed")?;
        let per_query = count.min(block.len());
        for (query, list) in best.iter_mut().enumerate() {
            let range = query * per_query..(query + 1) * per_query;
            for (label, score) in found.labels[range.clone()].iter().zip(&found.distances[range]) {
                let Some(row) = label.get().and_then(|position| block.get(position as usize)) else { continue };
                if own(chosen[query]) != Some(*row as usize) {
                    list.push((*row as usize, *score));
                }
            }
            list.sort_by(|one, other| other.1.total_cmp(&one.1));
            list.truncate(AT);
        }
    }
    let with_vectors = chosen.iter().zip(flat_queries.chunks_exact(dimension)).zip(best);
    Ok(with_vectors
        .filter_map(|((row, vector), best)| {
            let lowest = best.last()?.1;
            Some(Query { vector: vector.to_vec(), own: own(*row), lowest, best: best.len() })
        })
        .collect())
}

fn recall_of(index: &VectorIndex, queries: &[(usize, Query)], probes: usize) -> Result<f64> {
    let (mut found, mut wanted) = (0, 0);
    for (_, query) in queries {
        let results = index.search_lists(&query.vector, query.best, &|row| query.own != Some(row), probes)?;
        found += results.iter().filter(|(_, score)| *score >= query.lowest - ROUNDING).count();
        wanted += query.best;
    }
    Ok(f64::from(found as u32) / f64::from((wanted as u32).max(1)))
}
