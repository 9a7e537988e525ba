//! Merges the hits of several heads into one list.

use dissent_core::data::Corpus;
use dissent_core::run::hit_lists::{HitList, RankedHit};
use dissent_core::run::{Head, Hit, Provenance};
use std::collections::HashMap;

/// The hits of one head: (corpus row, score), best first.
pub type RankedList = (Head, Vec<(usize, f32)>);

/// Joins ranked lists, one per head, in the order given: all hits of the first head, then those
/// of the second. A document found twice keeps its first position and both provenances. Rows outside the corpus
/// are left out.
pub fn merge_hits(corpus: &Corpus, lists: &[RankedList]) -> Vec<Hit> {
    let ranked = |(position, (row, score)): (usize, &(usize, f32))| RankedHit {
        row: *row,
        rank: position + 1,
        score: Some(*score),
    };
    let lists: Vec<HitList> = lists
        .iter()
        .map(|(head, found)| HitList { head: *head, hits: found.iter().enumerate().map(ranked).collect() })
        .collect();
    merge_lists(corpus, &lists)
}

/// Like [`merge_hits`], for lists that have their own ranks.
pub(super) fn merge_lists(corpus: &Corpus, lists: &[HitList]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    // Lists of other programs may have thousands of hits.
    let mut places: HashMap<usize, usize> = HashMap::new();
    for HitList { head, hits: found } in lists {
        for RankedHit { row, rank, score } in found {
            let provenance = Provenance { head: *head, rank: *rank, score: *score };
            if let Some(place) = places.get(row) {
                hits[*place].provenances.push(provenance);
                continue;
            }
            let Some(document) = corpus.get(*row) else { continue };
            places.insert(*row, hits.len());
            hits.push(Hit { row: *row, document: document.id.to_owned(), provenances: vec![provenance] });
        }
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use dissent_core::data::Document;

    fn corpus() -> Corpus {
        let document = |id: &str| Document {
            id: id.into(),
            image: format!("{id}.png").into(),
            caption: String::new(),
            source: None,
            group: None,
        };
        Corpus::of(&["a", "b", "c", "d"].map(document))
    }

    #[test]
    fn a_document_found_by_both_heads_is_one_hit_with_both_provenances() {
        let lists = [(Head::Image, vec![(2, 0.9), (0, 0.8)]), (Head::Caption, vec![(3, 0.4), (2, 0.3)])];
        let hits = merge_hits(&corpus(), &lists);
        let documents: Vec<&str> = hits.iter().map(|hit| hit.document.as_str()).collect();
        assert_eq!(documents, ["c", "a", "d"]);
        assert_eq!(hits[0].first(), &Provenance { head: Head::Image, rank: 1, score: Some(0.9) });
        assert_eq!(hits[0].provenances[1], Provenance { head: Head::Caption, rank: 2, score: Some(0.3) });
        assert_eq!(hits[1].provenances.len(), 1);
    }
}
