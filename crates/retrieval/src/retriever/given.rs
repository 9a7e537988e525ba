//! Hits from a file of another program, in place of a search.

use super::HitSource;
use super::merge::merge_lists;
use super::reciprocal_rank::order_by_reciprocal_rank;
use anyhow::Result;
use dissent_core::data::{Case, Dataset, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::hit_lists::{HitList, HitLists};
use dissent_core::run::{Head, Hit};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;

/// How the lists of several heads become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Merging {
    /// All hits of the first head, then those of the next; a document that both found counts once.
    OneAfterAnother,
    /// By the sum of 1 / (60 + rank) over the heads (reciprocal rank fusion).
    ReciprocalRank,
}

impl Merging {
    /// How the heads of this program merge: by reciprocal rank if one of several searches words.
    pub fn usual(heads: &[Head]) -> Self {
        if heads.len() > 1 && heads.contains(&Head::Lexical) { Self::ReciprocalRank } else { Self::OneAfterAnother }
    }
}

impl fmt::Display for Merging {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OneAfterAnother => "one after another",
            Self::ReciprocalRank => "by reciprocal rank",
        })
    }
}

/// The hits of a file.
pub struct HitsFromFile {
    lists: HitLists,
    /// Largest number of hits per head.
    k: usize,
    merging: Merging,
    fingerprint: Fingerprint,
    /// Positions of the cases by id.
    positions: HashMap<String, usize>,
}

/// What became of the hits of some cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HitsAccount {
    pub cases: usize,
    /// Cases for which nothing is left to show.
    pub cases_without_hits: usize,
    /// Hits that the case may not be shown: its own id, group or picture.
    pub not_allowed: usize,
    /// Hits behind the first K of their head.
    pub beyond_k: usize,
}

impl HitsFromFile {
    /// Takes the first `k` allowed hits of each head.
    pub fn new(dataset: &Dataset, lists: HitLists, k: usize, merging: Merging) -> Self {
        // Hits are cached with rows of the corpus, so it counts as well.
        let parts = [
            lists.fingerprint(dataset).to_string(),
            dataset.corpus_fingerprint().to_string(),
            format!("{k} {merging}"),
        ];
        let fingerprint = Fingerprint::of_parts(["given hits 1"].into_iter().chain(parts.iter().map(String::as_str)));
        let cases = dataset.cases.iter().enumerate();
        let positions = cases.map(|(position, case)| (case.id.clone(), position)).collect();
        Self { lists, k, merging, fingerprint, positions }
    }

    /// The hits of a case and their account.
    fn hits(&self, dataset: &Dataset, position: usize) -> (Vec<Hit>, HitsAccount) {
        let case = &dataset.cases[position];
        let mut account = HitsAccount { cases: 1, ..HitsAccount::default() };
        let by_reciprocal_rank = self.merging == Merging::ReciprocalRank;
        let mut lists = Vec::new();
        for list in self.lists.of_case(position) {
            let mut hits = Vec::new();
            for (place, hit) in list.hits.iter().enumerate() {
                // Reciprocal rank fusion reads the lists to their end and then takes the best documents.
                if hits.len() == self.k && !by_reciprocal_rank {
                    account.beyond_k += list.hits.len() - place;
                    break;
                }
                if dataset.may_retrieve(case, hit.row) {
                    hits.push(*hit);
                } else {
                    account.not_allowed += 1;
                }
            }
            lists.push(HitList { head: list.head, hits });
        }
        let mut hits = merge_lists(&dataset.corpus, &lists);
        if by_reciprocal_rank {
            let found = hits.len();
            hits = order_by_reciprocal_rank(hits, self.k * self.lists.heads.len());
            account.beyond_k = found - hits.len();
        }
        account.cases_without_hits = usize::from(hits.is_empty());
        (hits, account)
    }
}

impl HitSource for HitsFromFile {
    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn retrieve(&mut self, dataset: &Dataset, case: &Case, _: &Picture, _: Option<&str>) -> Result<Vec<Hit>> {
        Ok(self.positions.get(&case.id).map(|position| self.hits(dataset, *position).0).unwrap_or_default())
    }

    fn account(&self, dataset: &Dataset, cases: &[usize]) -> Option<HitsAccount> {
        let mut sum = HitsAccount::default();
        for case in cases {
            let (_, account) = self.hits(dataset, *case);
            sum.cases += account.cases;
            sum.cases_without_hits += account.cases_without_hits;
            sum.not_allowed += account.not_allowed;
            sum.beyond_k += account.beyond_k;
        }
        Some(sum)
    }
}
