//! An index of documents by image, caption vector and words, and trained retriever heads.

pub mod index;
pub mod milvus;
pub mod retriever;
