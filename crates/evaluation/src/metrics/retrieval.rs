//! The usual figures of a ranked list, as trec_eval, ir-measures and ranx define them. The order of the list counts: these
//! programs sort by score and break ties in different ways.

/// Figures of the first K documents of a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetrievalFigures {
    /// Share of the relevant documents that are among the first K; 0 if there is no relevant document.
    pub recall: f64,
    /// Σ grade / log₂(place + 1) over the first K, divided by that of the best order of all judged documents (Järvelin and
    /// Kekäläinen 2002, with the discount of trec_eval's `ndcg_cut`).
    pub ndcg: f64,
    /// 1 / place of the first relevant document, 0 if it is not among the first K. Its mean is MRR@K.
    pub reciprocal_rank: f64,
    /// Relevant documents among the first K, divided by K, even if the list is shorter.
    pub precision: f64,
    /// Whether one of the first K is relevant.
    pub success: f64,
}

impl RetrievalFigures {
    /// The figures of a list. `grades` are those of the listed documents in order, 0 or less if a document is not relevant.
    /// There are `relevant` relevant documents, listed or not; `best` are the grades of at least the first K of them, largest
    /// first. `k` is at least 1.
    pub fn of(grades: &[i32], best: &[i32], relevant: usize, k: usize) -> Self {
        let first = &grades[..grades.len().min(k)];
        let found = first.iter().filter(|grade| **grade > 0).count();
        let ideal = gain(&best[..best.len().min(k)]);
        let place = first.iter().position(|grade| *grade > 0);
        Self {
            recall: if relevant == 0 { 0.0 } else { found as f64 / relevant as f64 },
            ndcg: if ideal > 0.0 { gain(first) / ideal } else { 0.0 },
            reciprocal_rank: place.map_or(0.0, |place| 1.0 / (place + 1) as f64),
            precision: found as f64 / k as f64,
            success: f64::from(u8::from(found > 0)),
        }
    }
}

/// The discounted cumulative gain of grades in order.
fn gain(grades: &[i32]) -> f64 {
    let discounted = |(place, grade): (usize, &i32)| f64::from((*grade).max(0)) / ((place + 2) as f64).log2();
    grades.iter().enumerate().map(discounted).sum()
}
