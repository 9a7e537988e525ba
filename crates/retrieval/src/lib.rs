//! Vector and caption indexes, heads and search of dissent.

pub mod index;
pub mod retriever;
