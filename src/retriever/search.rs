//! The retriever with untrained heads: one image vector of the query, searched among image vectors and among caption
//! vectors (paper, dual-head retriever before training; reference.md §2.2, §2.4).

use super::{Head, Hit, HitSource, merge_hits};
use crate::data::{Case, Dataset, Picture};
use crate::fingerprint::Fingerprint;
use crate::index::{Index, VectorSide};
use crate::model::clip::DualEncoder;
use anyhow::{Context, Result};
use std::collections::HashSet;

/// Hits per head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HitsPerHead {
    pub image: usize,
    pub caption: usize,
}

impl Default for HitsPerHead {
    /// Two and two, as in the paper.
    fn default() -> Self {
        Self { image: 2, caption: 2 }
    }
}

/// Index and dual encoder.
pub struct Retriever {
    encoder: DualEncoder,
    index: Index,
    hits: HitsPerHead,
    /// Rows whose image could not be read when the index was built: the reader could not be shown one, so none is a hit.
    without_image: HashSet<usize>,
    fingerprint: Fingerprint,
}

impl Retriever {
    /// The index must be of this encoder.
    pub fn new(encoder: DualEncoder, index: Index, hits: HitsPerHead) -> Self {
        let counts = [hits.image.to_string(), hits.caption.to_string()];
        let index_print = index.fingerprint();
        let parts = [index_print.as_str(), encoder.fingerprint().as_str(), &counts[0], &counts[1]];
        let fingerprint = Fingerprint::of_parts(parts);
        let without_image = index.left_out().iter().map(|document| document.row).collect();
        Self { encoder, index, hits, without_image, fingerprint }
    }

    /// The dual encoder.
    pub fn encoder(&self) -> &DualEncoder {
        &self.encoder
    }

    /// The index.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Hits per head.
    pub fn hits_per_head(&self) -> HitsPerHead {
        self.hits
    }
}

impl HitSource for Retriever {
    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn retrieve(&mut self, dataset: &Dataset, case: &Case, query: &Picture) -> Result<Vec<Hit>> {
        let vectors = self.encoder.embed_pictures(&[&query.to_rgb8()])?;
        let vector = vectors.first().context("the dual encoder gave no vector")?;
        let allowed = |row: usize| dataset.may_retrieve(case, row) && !self.without_image.contains(&row);
        let by_image = self.index.search(VectorSide::Image, vector, self.hits.image, &allowed)?;
        let by_caption = self.index.search(VectorSide::Caption, vector, self.hits.caption, &allowed)?;
        Ok(merge_hits(&dataset.corpus, &[(Head::Image, by_image), (Head::Caption, by_caption)]))
    }
}
