//! Merges heads whose scores are not comparable (cosine similarity and BM25) by reciprocal rank fusion.

use super::{RankedList, merge_hits};
use dissent_core::data::Corpus;
use dissent_core::run::Hit;

/// Reduces the influence of the first ranks (Cormack, Clarke and Büttcher, SIGIR 2009).
const RANK_OFFSET: f32 = 60.0;
/// Minimum length of each head's list.
pub const DEPTH: usize = 50;

/// The `limit` documents with the largest Σ 1 / (60 + rank) over the lists, best first; ties are broken by the rank
/// in the first list. Each hit keeps the provenances of all heads that found it, the best rank first.
pub(crate) fn merge_by_reciprocal_rank(corpus: &Corpus, lists: &[RankedList], limit: usize) -> Vec<Hit> {
    order_by_reciprocal_rank(merge_hits(corpus, lists), limit)
}

/// Like [`merge_by_reciprocal_rank`], for lists that were joined one after another.
pub(super) fn order_by_reciprocal_rank(mut hits: Vec<Hit>, limit: usize) -> Vec<Hit> {
    for hit in &mut hits {
        hit.provenances.sort_by_key(|provenance| provenance.rank);
    }
    let worth = |hit: &Hit| -> f32 {
        hit.provenances.iter().map(|provenance| 1.0 / (RANK_OFFSET + provenance.rank as f32)).sum()
    };
    hits.sort_by(|one, other| worth(other).total_cmp(&worth(one)));
    hits.truncate(limit);
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use dissent_core::data::Document;
    use dissent_core::run::Head;

    #[test]
    fn a_document_that_two_heads_find_passes_one_that_a_single_head_likes() {
        let document = |id: &str| Document {
            id: id.into(),
            image: format!("{id}.png").into(),
            caption: String::new(),
            source: None,
            group: None,
        };
        let corpus = Corpus::of(&["a", "b", "c", "d"].map(document));
        let lists = [(Head::Image, vec![(0, 0.9), (1, 0.8)]), (Head::Lexical, vec![(2, 7.0), (3, 5.0), (1, 4.0)])];
        let hits = merge_by_reciprocal_rank(&corpus, &lists, 3);
        let order: Vec<&str> = hits.iter().map(|hit| hit.document.as_str()).collect();
        // b: 1/62 + 1/63; a and c: 1/61 each, a is in the first list.
        assert_eq!(order, ["b", "a", "c"]);
        assert_eq!(hits[0].first().head, Head::Image);
        assert_eq!(hits[0].provenances[1].score, Some(4.0));
    }
}
