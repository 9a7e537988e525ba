//! The index: FAISS vectors, Tantivy captions, the folder on disk, and the commands over it.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod captions;
mod commands;
mod letters;
mod silent_terminal;
mod store;
mod support;
mod vectors;
