//! The source of hits.

use super::HitsAccount;
use anyhow::Result;
use dissent_core::data::{Case, Dataset, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{Hit, TokenUsage};

/// Finds documents for a case, for example with a dual encoder and its index.
pub trait HitSource: Send {
    /// Fingerprint of encoder, index and K: equal fingerprints give equal hits.
    fn fingerprint(&self) -> &Fingerprint;

    /// Whether the search uses the closed-book answer, which then must be computed first.
    fn uses_closed_book(&self) -> bool {
        false
    }

    /// The hits of a case, in the reader's order. `query` is the case's image, `closed_book` the text of the
    /// closed-book answer if it is needed. A document of the case's own image or group is never
    /// among them.
    ///
    /// # Errors
    /// Fails if the image cannot be encoded or the index cannot be searched.
    fn retrieve(
        &mut self,
        dataset: &Dataset,
        case: &Case,
        query: &Picture,
        closed_book: Option<&str>,
    ) -> Result<Vec<Hit>>;

    /// Whether the case may be shown the document in this row of the corpus.
    fn may_show(&self, dataset: &Dataset, case: &Case, row: usize) -> bool {
        dataset.may_retrieve(case, row)
    }

    /// What became of the hits of these cases; `None` if they were not given by another program.
    fn account(&self, _dataset: &Dataset, _cases: &[usize]) -> Option<HitsAccount> {
        None
    }

    /// What was asked of the encoder's server so far; `None` without one.
    fn usage(&self) -> Option<TokenUsage> {
        None
    }

    /// Takes what a person should know of vectors that are no longer kept; it is returned once.
    fn take_remark(&self) -> Option<String> {
        None
    }

    /// Allowed documents with similar images: row and cosine similarity, best first, by the encoder
    /// itself. `None` if the source has no encoder.
    ///
    /// # Errors
    /// Fails like [`Self::retrieve`].
    fn similar_images(
        &mut self,
        _dataset: &Dataset,
        _case: &Case,
        _picture: &Picture,
        _limit: usize,
    ) -> Result<Option<Vec<(usize, f32)>>> {
        Ok(None)
    }
}
