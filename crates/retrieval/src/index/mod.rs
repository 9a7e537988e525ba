//! The index: FAISS for vectors, Tantivy for captions, both with fingerprints of their inputs.
//!
//! `WORKSPACE/index/` holds `image.faiss`, `caption.faiss`, the Tantivy folder `text`, the document vectors themselves
//! (`vectors.safetensors`, for training and for the next build) and `index.toml`. It is built in a temporary folder. The
//! vectors are an encoder's, or another program's (`given_…`), which then also computed those of the cases
//! (`queries.safetensors`, `queries.jsonl`).

#[cfg(feature = "milvus")]
mod block;
mod build;
#[cfg(feature = "milvus")]
mod candidates;
mod document_store;
mod embedded_store;
mod embedder;
mod encoder_probe;
mod error;
mod files;
mod finish;
mod given_build;
mod given_files;
mod given_queries;
mod images;
mod letters;
mod lock;
mod manifest;
mod probes;
mod query_line;
#[cfg(feature = "milvus")]
mod query_shape;
mod shard;
mod store;
mod text;
mod text_files;
mod tokenizer;
mod variants;
mod vector_file;
mod vector_kind;
mod vectors;

pub use build::{Progress, Stage};
pub use document_store::{Capabilities, CaptionSearch, DocumentFilter, DocumentStore, SearchScope, StoredDocument};
pub use embedder::Embedder;
pub use encoder_probe::{EncoderProbe, SAME_COSINE, is_same_direction};
pub use error::IndexError;
pub use finish::IndexSettings;
pub use given_files::{GivenFile, GivenFiles, GivenStamp, VectorSource};
pub use manifest::LeftOut;
pub use probes::MeasuredRecall;
pub use shard::Shard;
pub use store::{Index, VectorSide};
pub use text::{CaptionResult, TextIndex};
pub use tokenizer::TOKENIZER;
pub use vector_kind::{FLAT_LIMIT, VectorCode, VectorKind};
pub use vectors::VectorIndex;
#[cfg(feature = "milvus")]
pub(crate) use {
    block::{KnownContents, embed_rows},
    candidates::{CorpusStatistics, stemmed_words},
    images::contents_of_images,
    manifest::EncoderStamp,
    query_shape::{CaptionTerm, QueryShape},
    store::refuse_empty_corpus,
    vectors::unit,
};
