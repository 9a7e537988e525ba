//! Encoders on servers: vectors of texts and images by `POST /v1/embeddings` (vLLM's pooling models, Infinity, Jina's API; of
//! texts alone also Text Embeddings Inference and llama.cpp).
//!
//! | file | content |
//! |---|---|
//! | `server.rs` | the encoder: connecting, batches, threads |
//! | `form.rs` | the forms of a request, and finding out the one that a server takes |
//! | `vectors.rs` | checking and reading the vectors of an answer |
//! | `probe.rs` | the texts and pictures by which every server is tried out and known again |
//! | `identity.rs` | what serves which model, also without OpenAI's list of models |

mod form;
mod identity;
mod probe;
mod server;
mod vectors;

pub(super) use identity::ask_identity;
pub(super) use probe::KnownProbe;
pub use server::EmbeddingServer;
