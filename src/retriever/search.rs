//! The retriever: a case's query vectors, searched among image vectors and among caption vectors (paper, dual-head
//! retriever; reference.md §2.2, §2.4).

use super::heads::{QueryInputs, TrainedHeads};
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

/// Index, dual encoder, and trained heads where there are some: without them the encoder itself asks (standard RAG).
pub struct Retriever {
    encoder: DualEncoder,
    index: Index,
    hits: HitsPerHead,
    heads: Option<TrainedHeads>,
    /// Rows whose image could not be read when the index was built: the reader could not be shown one, so none is a hit.
    without_image: HashSet<usize>,
    fingerprint: Fingerprint,
}

impl Retriever {
    /// The index must be of this encoder, and so must the heads.
    pub fn new(encoder: DualEncoder, index: Index, hits: HitsPerHead, heads: Option<TrainedHeads>) -> Self {
        let counts = [hits.image.to_string(), hits.caption.to_string()];
        let index_print = index.fingerprint();
        let mut parts = vec![index_print.as_str(), encoder.fingerprint().as_str(), &counts[0], &counts[1]];
        if let Some(heads) = &heads {
            parts.push(heads.fingerprint().as_str());
        }
        let fingerprint = Fingerprint::of_parts(parts);
        let without_image = index.left_out().iter().map(|document| document.row).collect();
        Self { encoder, index, hits, heads, without_image, fingerprint }
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

    /// The trained heads, if it searches with such.
    pub fn heads(&self) -> Option<&TrainedHeads> {
        self.heads.as_ref()
    }

    /// The `limit` documents with the largest inner product ⟨q, e⟩ that the case may see: row and score, best first.
    /// `query` need not be of length 1.
    ///
    /// # Errors
    /// A query of another dimension or not finite; where the index cannot be searched.
    pub fn nearest(
        &self,
        dataset: &Dataset,
        case: &Case,
        side: VectorSide,
        query: &[f32],
        limit: usize,
    ) -> Result<Vec<(usize, f32)>> {
        let allowed = |row: usize| dataset.may_retrieve(case, row) && !self.without_image.contains(&row);
        let length = query.iter().map(|value| value * value).sum::<f32>().sqrt();
        let direction: Vec<f32> = query.iter().map(|value| value / length).collect();
        let mut found = self.index.search(side, &direction, limit, &allowed)?;
        for (_, score) in &mut found {
            *score *= length;
        }
        Ok(found)
    }

    /// The hits for a pair of query vectors, one for each side.
    ///
    /// # Errors
    /// As [`Self::nearest`].
    pub fn hits_of(&self, dataset: &Dataset, case: &Case, image: &[f32], caption: &[f32]) -> Result<Vec<Hit>> {
        let by_image = self.nearest(dataset, case, VectorSide::Image, image, self.hits.image)?;
        let by_caption = self.nearest(dataset, case, VectorSide::Caption, caption, self.hits.caption)?;
        Ok(merge_hits(&dataset.corpus, &[(Head::Image, by_image), (Head::Caption, by_caption)]))
    }
}

impl HitSource for Retriever {
    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn retrieve(&mut self, dataset: &Dataset, case: &Case, query: &Picture) -> Result<Vec<Hit>> {
        let picture = query.to_rgb8();
        if let Some(heads) = &self.heads {
            let question = dataset.question_of(case);
            let inputs = QueryInputs::of(&self.encoder, heads.record.kind, &[&picture], &[question])?;
            let (image, caption) = heads.queries(&inputs)?;
            return self.hits_of(dataset, case, &image, &caption);
        }
        let vectors = self.encoder.embed_pictures(&[&picture])?;
        let vector = vectors.first().context("the dual encoder gave no vector")?;
        self.hits_of(dataset, case, vector, vector)
    }
}
