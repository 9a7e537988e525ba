//! Hits from retrievers and rerankers outside of this program: TREC run files, JSON lines and CSV, read with every check and
//! written in the same formats (docs/reference/formats.md).

mod delimited;
mod errors;
mod format;
mod json_lines;
mod order;
mod reading;
mod trec;
mod writing;

pub(super) use errors::Errors;
pub use format::HitFormat;
pub use reading::read_hits;
pub use writing::{HitLine, hit_lines_of, write_hits};

use super::Head;
use crate::data::Dataset;
use crate::files::fingerprint::Fingerprint;
use rustc_hash::FxHashMap;
use std::path::PathBuf;

/// All hits of a file that belong to the cases of a dataset.
#[derive(Clone, Debug)]
pub struct HitLists {
    /// The file.
    pub path: PathBuf,
    /// The heads of the file: those of this program first, then the others in the order of the file.
    pub heads: Vec<Head>,
    /// What should be said before the hits are used, each a sentence without a full stop.
    pub warnings: Vec<String>,
    /// By position of the case.
    lists: FxHashMap<usize, Vec<HitList>>,
}

/// What one head found for one case, best first.
#[derive(Clone, Debug, PartialEq)]
pub struct HitList {
    pub head: Head,
    pub hits: Vec<RankedHit>,
}

/// One hit of a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankedHit {
    /// Row of the document in the corpus.
    pub row: usize,
    /// Rank within the head, from 1. Ranks may be missing, because a list may be a part of a longer one.
    pub rank: usize,
    pub score: Option<f32>,
}

impl HitLists {
    /// The lists of a case, in the order of [`Self::heads`]; none if the file does not have the case.
    pub fn of_case(&self, case: usize) -> &[HitList] {
        self.lists.get(&case).map(Vec::as_slice).unwrap_or_default()
    }

    /// Number of cases with a hit.
    pub fn case_count(&self) -> usize {
        self.lists.len()
    }

    /// Number of hits.
    pub fn hit_count(&self) -> usize {
        self.lists.values().flatten().map(|list| list.hits.len()).sum()
    }

    /// Fingerprint of the hits: files with the same hits have the same one, whatever their format.
    pub fn fingerprint(&self, dataset: &Dataset) -> Fingerprint {
        let mut parts: Vec<String> = Vec::new();
        for (position, case) in dataset.cases.iter().enumerate() {
            for list in self.of_case(position) {
                parts.extend([case.id.clone(), list.head.to_string(), list.hits.len().to_string()]);
                for hit in &list.hits {
                    let score = hit.score.map_or_else(String::new, |score| score.to_bits().to_string());
                    let document =
                        dataset.corpus.get(hit.row).map(|document| document.id.to_owned()).unwrap_or_default();
                    parts.extend([document, hit.rank.to_string(), score]);
                }
            }
        }
        Fingerprint::of_parts(parts.iter().map(String::as_str))
    }
}

#[cfg(test)]
pub(super) mod tests;
