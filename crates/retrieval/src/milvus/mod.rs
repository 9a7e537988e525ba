//! A corpus in a Milvus server, for one that is larger than a machine.
//!
//! Rows of `corpus.jsonl` are the primary keys. Images stay where they are; the store has their paths, the captions and the
//! vectors. Vectors come back as they were written, and what the server found is scored here by the embedded engines, so that
//! both give the same hits, to the last digit, as long as the server searches exactly. Calls run on a small async runtime;
//! everything outside this folder uses threads.
//!
//! | file | content |
//! |---|---|
//! | `address.rs`, `source.rs` | addresses, tokens, patience |
//! | `store.rs` | the `DocumentStore`: opening, vectors |
//! | `words.rs`, `expression.rs` | words and filters |
//! | `build.rs`, `blocks.rs` | filling a collection, and going on after a kill |
//! | `schema.rs`, `kind.rs`, `stamp.rs`, `columns.rs` | fields, indexes, what a collection says of itself |
//! | `recall.rs` | what an approximate index misses |
//! | `connection.rs`, `collection.rs`, `wire.rs`, `error.rs` | calls, messages, errors, with retries |
//!
//! The messages are written out here and not taken from the official client, which would bring 41 crates, run a ready-made
//! `protoc` when it is built, and fix the version of a crate that others share.

mod address;
#[cfg(feature = "milvus")]
mod blocks;
#[cfg(feature = "milvus")]
mod build;
#[cfg(feature = "milvus")]
mod collection;
#[cfg(feature = "milvus")]
mod columns;
#[cfg(feature = "milvus")]
mod connection;
#[cfg(feature = "milvus")]
mod error;
#[cfg(feature = "milvus")]
mod expression;
#[cfg(feature = "milvus")]
mod kind;
#[cfg(feature = "milvus")]
mod recall;
#[cfg(feature = "milvus")]
mod schema;
#[cfg(feature = "milvus")]
mod server_version;
mod source;
#[cfg(feature = "milvus")]
mod stamp;
#[cfg(feature = "milvus")]
mod store;
#[cfg(feature = "milvus")]
mod wire;
#[cfg(feature = "milvus")]
mod words;

pub use address::StoreAddress;
#[cfg(feature = "milvus")]
pub use error::{StoreError, StoreErrorKind};
pub use source::{BuildOptions, OnWait, StoreFacts, StoreSource};
#[cfg(feature = "milvus")]
pub use store::MilvusStore;

/// Environment variable that holds the token.
pub const TOKEN_VARIABLE: &str = "DISSENT_STORE_TOKEN";
