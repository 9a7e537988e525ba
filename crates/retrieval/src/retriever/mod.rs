//! Retrieval: heads, hits and the merging of hits.

mod encoder;
mod given;
pub mod heads;
mod merge;
mod random;
mod reciprocal_rank;
mod search;
mod source;

pub use encoder::Encoder;
pub use given::{HitsAccount, HitsFromFile, Merging};
pub use merge::{RankedList, merge_hits};
pub use random::RandomDocuments;
pub use search::{HitsPerHead, Retriever};
pub use source::HitSource;
