//! Replaces the retrieved documents by random ones, to measure the reader's answers to evidence that is unrelated to
//! the case.

use super::{HitSource, HitsAccount};
use anyhow::Result;
use dissent_core::data::{Case, Dataset, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{Head, Hit, Provenance, TokenUsage};
use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

/// Draws as many documents as another source finds, uniformly among those allowed for the case; always the same ones.
pub struct RandomDocuments {
    source: Box<dyn HitSource>,
    fingerprint: Fingerprint,
}

impl RandomDocuments {
    /// Replaces the hits of this source.
    pub fn new(source: Box<dyn HitSource>) -> Self {
        let fingerprint = Fingerprint::of_parts(["random documents 1", source.fingerprint().as_str()]);
        Self { source, fingerprint }
    }
}

impl HitSource for RandomDocuments {
    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn uses_closed_book(&self) -> bool {
        self.source.uses_closed_book()
    }

    fn retrieve(
        &mut self,
        dataset: &Dataset,
        case: &Case,
        query: &Picture,
        closed_book: Option<&str>,
    ) -> Result<Vec<Hit>> {
        let count = self.source.retrieve(dataset, case, query, closed_book)?.len();
        let allowed: Vec<usize> =
            (0..dataset.corpus.len()).filter(|row| self.source.may_show(dataset, case, *row)).collect();
        let mut seed = [0; 32];
        for (byte, value) in seed.iter_mut().zip(Fingerprint::of_bytes(case.id.as_bytes()).as_str().bytes()) {
            *byte = value;
        }
        let mut random = ChaCha8Rng::from_seed(seed);
        let drawn = sample(&mut random, allowed.len(), count.min(allowed.len()));
        let hit = |(position, place): (usize, usize)| Hit {
            row: allowed[place],
            document: dataset.corpus.document(allowed[place]).id.to_owned(),
            provenances: vec![Provenance { head: Head::Random, rank: position + 1, score: None }],
        };
        Ok(drawn.into_iter().enumerate().map(hit).collect())
    }

    fn may_show(&self, dataset: &Dataset, case: &Case, row: usize) -> bool {
        self.source.may_show(dataset, case, row)
    }

    fn account(&self, dataset: &Dataset, cases: &[usize]) -> Option<HitsAccount> {
        self.source.account(dataset, cases)
    }

    fn usage(&self) -> Option<TokenUsage> {
        self.source.usage()
    }

    fn take_remark(&self) -> Option<String> {
        self.source.take_remark()
    }

    fn similar_images(
        &mut self,
        dataset: &Dataset,
        case: &Case,
        picture: &Picture,
        limit: usize,
    ) -> Result<Option<Vec<(usize, f32)>>> {
        self.source.similar_images(dataset, case, picture, limit)
    }
}
