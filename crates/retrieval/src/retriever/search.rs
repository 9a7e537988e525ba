//! The retriever: searches a case's query vectors among the image vectors and the caption vectors (paper, dual-head
//! retriever; docs/method.md, "Heads").

use super::heads::{HeadBase, QueryInputs, TrainedHeads};
use super::reciprocal_rank::{DEPTH, merge_by_reciprocal_rank};
use super::{Encoder, HitSource, RankedList, merge_hits};
use crate::index::{DocumentFilter, DocumentStore, Embedder, Index, SearchScope, VectorSide};
use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use dissent_core::data::{Case, Dataset, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{Head, Hit, TokenUsage};
use dissent_models::model::dual_encoder::DualEncoder;
use std::collections::HashSet;
use std::sync::Arc;

/// Hits per head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HitsPerHead {
    pub image: usize,
    pub caption: usize,
    /// If this is not 0, the heads are merged by reciprocal rank.
    pub lexical: usize,
}

impl Default for HitsPerHead {
    /// Two hits by image and two by caption, as in the paper.
    fn default() -> Self {
        Self { image: 2, caption: 2, lexical: 0 }
    }
}

/// Store of documents, dual encoder and optional trained heads; without them the encoder's own vectors are the queries (standard RAG).
/// If another program computed the vectors, there is no encoder, and a case's query is the vector that was given for it.
pub struct Retriever {
    encoder: Option<Encoder>,
    store: Arc<dyn DocumentStore>,
    /// The store as the index whose vectors another program computed; it has the queries of the cases, too.
    given: Option<Arc<Index>>,
    hits: HitsPerHead,
    heads: Option<TrainedHeads>,
    /// Rows whose image could not be read when the store was filled; they are never hits, because the reader needs the image.
    without_image: HashSet<usize>,
    fingerprint: Fingerprint,
}

impl Retriever {
    /// Store and heads must belong to this encoder.
    pub fn new(
        encoder: impl Into<Encoder>,
        store: Arc<dyn DocumentStore>,
        hits: HitsPerHead,
        heads: Option<TrainedHeads>,
    ) -> Self {
        let encoder = encoder.into();
        let print = encoder.fingerprint().clone();
        Self::build(Some(encoder), &print, store, hits, heads)
    }

    /// A retriever over vectors that another program computed ([`Index::open_given`]); the heads must be trained on them.
    ///
    /// # Errors
    /// Fails if hits are wanted of a side that has no vectors, or of none.
    pub fn over_given(index: Index, hits: HitsPerHead, heads: Option<TrainedHeads>) -> Result<Self> {
        for (side, wanted, flag) in
            [(VectorSide::Image, hits.image, "image"), (VectorSide::Caption, hits.caption, "caption")]
        {
            ensure!(
                wanted == 0 || index.has_side(side),
                "the index in {} has no {flag} vectors, which the {flag} head searches; leave {flag} out of --heads, or \
                 index the dataset with --{flag}-vectors, too",
                index.folder().display()
            );
        }
        let print = index.encoder_fingerprint().clone();
        let index = Arc::new(index);
        Ok(Self { given: Some(index.clone()), ..Self::build(None, &print, index, hits, heads) })
    }

    fn build(
        encoder: Option<Encoder>,
        encoder_print: &Fingerprint,
        store: Arc<dyn DocumentStore>,
        hits: HitsPerHead,
        heads: Option<TrainedHeads>,
    ) -> Self {
        let counts = [hits.image.to_string(), hits.caption.to_string()];
        let store_print = store.fingerprint();
        let mut parts = vec![store_print.as_str(), encoder_print.as_str(), &counts[0], &counts[1]];
        let lexical = format!("lexical {}, merge 1", hits.lexical);
        if hits.lexical > 0 {
            parts.push(&lexical);
        }
        if let Some(heads) = &heads {
            parts.push(heads.fingerprint().as_str());
        }
        let fingerprint = Fingerprint::of_parts(parts);
        let without_image = store.left_out().iter().map(|document| document.row).collect();
        Self { encoder, store, given: None, hits, heads, without_image, fingerprint }
    }

    /// The encoder; `None` if another program computed the vectors.
    pub fn encoder(&self) -> Option<&Encoder> {
        self.encoder.as_ref()
    }

    /// The encoder in this process, if it is one.
    pub fn local_encoder(&self) -> Option<&DualEncoder> {
        self.encoder.as_ref().and_then(Encoder::local)
    }

    /// What heads start from: the encoder in this process, or the vectors of a served one or of another program.
    pub fn head_base(&self) -> HeadBase<'_> {
        self.local_encoder().map_or_else(|| HeadBase::given(&*self.store), HeadBase::Encoder)
    }

    /// Device of the queries.
    pub fn device(&self) -> &Device {
        self.local_encoder().map_or(&Device::Cpu, DualEncoder::device)
    }

    /// The store of the documents.
    pub fn store(&self) -> &dyn DocumentStore {
        &*self.store
    }

    /// The index whose vectors another program computed, if they are.
    pub fn given(&self) -> Option<&Index> {
        self.given.as_deref()
    }

    /// Hits per head.
    pub fn hits_per_head(&self) -> HitsPerHead {
        self.hits
    }

    /// The trained heads, if there are any.
    pub fn heads(&self) -> Option<&TrainedHeads> {
        self.heads.as_ref()
    }

    /// The `limit` allowed documents with the largest inner product ⟨q, e⟩: row and score, best first.
    /// `query` need not be of length 1.
    ///
    /// # Errors
    /// Fails if the query has another dimension or is not finite, or the index cannot be searched.
    pub fn nearest(
        &self,
        dataset: &Dataset,
        case: &Case,
        side: VectorSide,
        query: &[f32],
        limit: usize,
    ) -> Result<Vec<(usize, f32)>> {
        let length = query.iter().map(|value| value * value).sum::<f32>().sqrt();
        let direction: Vec<f32> = query.iter().map(|value| value / length).collect();
        let scope =
            SearchScope { filter: &DocumentFilter::for_case(case), allowed: &|row| self.may_show(dataset, case, row) };
        let mut found = self.store.search(side, &direction, limit, scope)?;
        for (_, score) in &mut found {
            *score *= length;
        }
        Ok(found)
    }

    /// The hits for a pair of query vectors, one for each side.
    ///
    /// # Errors
    /// Fails like [`Self::nearest`].
    pub fn hits_of(&self, dataset: &Dataset, case: &Case, image: &[f32], caption: &[f32]) -> Result<Vec<Hit>> {
        let lists = self.lists_of(dataset, case, image, caption, self.hits)?;
        Ok(merge_hits(&dataset.corpus, &lists))
    }

    /// The query vector of a case without trained heads: the encoder's own vector of its image, or the given one.
    ///
    /// # Errors
    /// Fails if the network cannot be run, or no vector was given for the case and this image.
    pub fn base_query(&self, case: &Case, picture: &Picture) -> Result<Vec<f32>> {
        match &self.encoder {
            // Then no head compares vectors.
            Some(encoder) if !encoder.embeds_pictures() => Ok(Vec::new()),
            Some(encoder) => encode(encoder, picture),
            None => self.vectors_of_others()?.query_vector(&case.id, &picture.fingerprint),
        }
    }

    fn vectors_of_others(&self) -> Result<&Index> {
        self.given().context("a retriever without an encoder needs an index with vectors of another program")
    }

    /// Whether cases can have query vectors: an encoder of texts alone makes none.
    pub fn embeds_pictures(&self) -> bool {
        self.encoder.as_ref().is_none_or(Embedder::embeds_pictures)
    }

    /// The query vectors of the trained heads.
    fn head_queries(
        &self,
        heads: &TrainedHeads,
        dataset: &Dataset,
        case: &Case,
        query: &Picture,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let inputs = if let Some(encoder) = self.local_encoder() {
            let picture = query.to_rgb8();
            let question = dataset.question_of(case);
            let pixels = encoder.pixels(&[&picture])?;
            QueryInputs::of(encoder, heads.record.kind, pixels, &[question])?
        } else {
            let vector = self.base_query(case, query)?;
            let shape = (1, vector.len());
            QueryInputs::of_given(Tensor::from_vec(vector, shape, &Device::Cpu)?)
        };
        heads.queries(&inputs)
    }

    fn lists_of(
        &self,
        dataset: &Dataset,
        case: &Case,
        image: &[f32],
        caption: &[f32],
        hits: HitsPerHead,
    ) -> Result<Vec<RankedList>> {
        let mut lists = Vec::new();
        for (head, side, query, limit) in [
            (Head::Image, VectorSide::Image, image, hits.image),
            (Head::Caption, VectorSide::Caption, caption, hits.caption),
        ] {
            if limit > 0 {
                lists.push((head, self.nearest(dataset, case, side, query, limit)?));
            }
        }
        Ok(lists)
    }

    /// Hits of all heads; the lexical one searches the words of the question and of the closed-book answer.
    fn hits_with_words(
        &self,
        dataset: &Dataset,
        case: &Case,
        (image, caption): (&[f32], &[f32]),
        closed_book: &str,
    ) -> Result<Vec<Hit>> {
        let deep = |limit: usize| if limit == 0 { 0 } else { limit.max(DEPTH) };
        let HitsPerHead { image: by_image, caption: by_caption, lexical } = self.hits;
        let depths = HitsPerHead { image: deep(by_image), caption: deep(by_caption), lexical: deep(lexical) };
        let mut lists = self.lists_of(dataset, case, image, caption, depths)?;
        let words = format!("{} {closed_book}", dataset.question_of(case));
        let scope =
            SearchScope { filter: &DocumentFilter::for_case(case), allowed: &|row| self.may_show(dataset, case, row) };
        let found = self.store.captions().search_text(&words, depths.lexical, scope)?;
        lists.push((Head::Lexical, found.iter().map(|result| (result.row, result.score)).collect()));
        Ok(merge_by_reciprocal_rank(&dataset.corpus, &lists, by_image + by_caption + lexical))
    }
}

impl HitSource for Retriever {
    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Not its own image or group, and with a readable image.
    fn may_show(&self, dataset: &Dataset, case: &Case, row: usize) -> bool {
        dataset.may_retrieve(case, row) && !self.without_image.contains(&row)
    }

    fn uses_closed_book(&self) -> bool {
        self.hits.lexical > 0
    }

    fn retrieve(
        &mut self,
        dataset: &Dataset,
        case: &Case,
        query: &Picture,
        closed_book: Option<&str>,
    ) -> Result<Vec<Hit>> {
        let (image, caption) = if let Some(heads) = &self.heads {
            self.head_queries(heads, dataset, case, query)?
        } else {
            let vector = self.base_query(case, query)?;
            (vector.clone(), vector)
        };
        if self.hits.lexical == 0 {
            return self.hits_of(dataset, case, &image, &caption);
        }
        let closed_book = closed_book.context("the lexical head needs the closed-book answer")?;
        self.hits_with_words(dataset, case, (&image, &caption), closed_book)
    }

    fn usage(&self) -> Option<TokenUsage> {
        self.encoder.as_ref().and_then(Embedder::usage)
    }

    fn take_remark(&self) -> Option<String> {
        self.encoder.as_ref().and_then(Embedder::take_remark)
    }

    fn similar_images(
        &mut self,
        dataset: &Dataset,
        case: &Case,
        picture: &Picture,
        limit: usize,
    ) -> Result<Option<Vec<(usize, f32)>>> {
        ensure!(
            self.store.has_side(VectorSide::Image),
            "the index in {} has no image vectors to search; index the dataset with an encoder of images or with \
             --image-vectors",
            self.store.place()
        );
        let vector = match &self.encoder {
            Some(encoder) => encode(encoder, picture)?,
            None => self.vectors_of_others()?.given_vector_of(Some(&case.id), picture)?,
        };
        self.nearest(dataset, case, VectorSide::Image, &vector, limit).map(Some)
    }
}

/// The encoder's own vector of an image.
fn encode(encoder: &Encoder, picture: &Picture) -> Result<Vec<f32>> {
    let vectors = encoder.embed_pictures(&[&picture.to_rgb8()])?;
    vectors.into_iter().next().context("the encoder returned no vector")
}
