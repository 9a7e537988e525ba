//! jina-clip-v1 (Koukounas et al. 2024), the retriever of the paper: an EVA-02 image tower (Fang et al. 2024) and JinaBERT
//! ([`crate::model::bert`] with ALiBi and gated MLPs), without projections. jina-clip-v2 (Koukounas et al. 2024) has the same
//! image tower and jina-embeddings-v3 ([`crate::model::bert`] with RoPE) with the adapter of a task.
//!
//! Published checkpoints include their own modelling code instead of using transformers; configuration and tensor names are
//! those of that code.

mod architecture;
mod config;
mod eva;
mod names;
mod rotary;
mod task_adapter;
mod text;

pub use architecture::JinaClip;
