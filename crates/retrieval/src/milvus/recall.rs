//! How much an approximate index misses: some documents' vectors are searched, and what comes back is compared with the exact
//! answer, which is found while the vectors pass by in a build.

use serde::{Deserialize, Serialize};

/// Recall is measured among this many results.
pub(super) const DEPTH: usize = 10;
/// Queries at most, spread evenly over the corpus.
const MOST_QUERIES: usize = 64;
/// Equal vectors may come in another order, and a server's rounding differs.
const TOLERANCE: f32 = 1e-5;

/// A query of the sample: a document's vector, and the score of its tenth neighbour in the whole corpus.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SampleQuery {
    pub row: usize,
    /// The lowest of the best [`DEPTH`] scores; the document itself counts.
    pub lowest: f32,
}

/// The queries of both sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RecallSample {
    pub image: Vec<SampleQuery>,
    pub caption: Vec<SampleQuery>,
}

/// The rows of the sample.
pub(super) fn sample_rows(documents: usize) -> Vec<usize> {
    let count = documents.min(MOST_QUERIES);
    (0..count).map(|position| position * documents / count).collect()
}

/// The share of the exact best results among those found: a result counts if its score is one of the best.
pub(super) fn share_found(query: &SampleQuery, scores: &[f32], expected: usize) -> f64 {
    let right = scores.iter().take(DEPTH).filter(|score| **score >= query.lowest - TOLERANCE).count();
    right as f64 / expected.max(1) as f64
}

/// The best scores of some queries among the vectors seen so far.
pub(super) struct ExactScores {
    queries: Vec<(usize, Vec<f32>)>,
    best: Vec<Vec<f32>>,
}

impl ExactScores {
    /// Queries are documents' rows with their vectors.
    pub fn new(queries: Vec<(usize, Vec<f32>)>) -> Self {
        let best = vec![Vec::with_capacity(DEPTH + 1); queries.len()];
        Self { queries, best }
    }

    /// Compares the queries with one more vector.
    pub fn see(&mut self, vector: &[f32]) {
        for ((_, query), best) in self.queries.iter().zip(&mut self.best) {
            let score: f32 = query.iter().zip(vector).map(|(one, other)| one * other).sum();
            if best.len() == DEPTH && best.last().is_some_and(|lowest| score <= *lowest) {
                continue;
            }
            let place = best.partition_point(|better| *better >= score);
            best.insert(place, score);
            best.truncate(DEPTH);
        }
    }

    /// The sample.
    pub fn finish(self) -> Vec<SampleQuery> {
        let lowest = |best: &Vec<f32>| best.last().copied().unwrap_or(f32::NEG_INFINITY);
        self.queries
            .iter()
            .zip(&self.best)
            .map(|((row, _), best)| SampleQuery { row: *row, lowest: lowest(best) })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_neighbour_lowers_the_recall() {
        let mut exact = ExactScores::new(vec![(3, vec![1.0, 0.0])]);
        for step in 0..20 {
            exact.see(&[1.0 - step as f32 / 20.0, 0.0]);
        }
        let query = exact.finish()[0];
        assert!((query.lowest - 0.55).abs() < 1e-6 && query.row == 3, "{query:?}");
        let scores: Vec<f32> = (0..10).map(|step| 1.0 - step as f32 / 20.0).collect();
        assert_eq!(share_found(&query, &scores, DEPTH), 1.0);
        let missed: Vec<f32> = (0..11).filter(|step| *step != 4).map(|step| 1.0 - step as f32 / 20.0).collect();
        assert_eq!(share_found(&query, &missed, DEPTH), 0.9);
    }

    #[test]
    fn the_sample_is_spread_over_the_corpus() {
        assert_eq!(sample_rows(3), [0, 1, 2]);
        let rows = sample_rows(6400);
        assert_eq!((rows.len(), rows[1], rows[63]), (64, 100, 6300));
    }
}
