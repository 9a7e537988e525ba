//! The index: FAISS vectors, Tantivy captions, the folder on disk, and the commands over it.

mod captions;
mod commands;
mod given;
mod letters;
mod shards;
mod store;
mod support;
mod vectors;
