//! Retrieval: heads, hits and how hits of two heads become one list.

mod hit;

pub use hit::{Head, Hit, Provenance};
