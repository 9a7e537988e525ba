//! Where hits come from.

use crate::data::{Case, Dataset, Picture};
use crate::files::fingerprint::Fingerprint;
use crate::run::Hit;
use anyhow::Result;

/// Finds documents for a case: the dual encoder with its index, or anything else that can.
pub trait HitSource: Send {
    /// Of encoder, index and K: the same fingerprint gives the same hits.
    fn fingerprint(&self) -> &Fingerprint;

    /// Does it search with the words of the closed-book answer? Then the reader is asked that first.
    fn uses_closed_book(&self) -> bool {
        false
    }

    /// The hits of a case, in the order in which they are read. `query` is the case's image, `closed_book` the words of the
    /// closed-book answer where they are wanted. A document that the case may not see (its own image or group) is never
    /// among them.
    ///
    /// # Errors
    /// Where the image cannot be encoded or the index cannot be searched.
    fn retrieve(
        &mut self,
        dataset: &Dataset,
        case: &Case,
        query: &Picture,
        closed_book: Option<&str>,
    ) -> Result<Vec<Hit>>;

    /// Documents with images like this one that the case may see: row and cosine similarity, best first, by the encoder
    /// itself. `None` where the source has no encoder.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
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
