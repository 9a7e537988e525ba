//! An index of documents by image, caption vector and words, and trained retriever heads.

// FAISS finds its BLAS there.
use dissent_blas as _;

pub mod index;
pub mod milvus;
pub mod retriever;
