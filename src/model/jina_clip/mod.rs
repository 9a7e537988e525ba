//! jina-clip-v1 (Koukounas et al. 2024), the paper's retriever: an EVA-02 image tower (Fang et al. 2024) and JinaBERT
//! ([`crate::model::bert`] with ALiBi and a gated MLP), without projections.
//!
//! Published weights come with code of their own instead of a class of transformers; configuration and tensor names are
//! those of that code.

mod architecture;
mod config;
mod eva;
mod names;
mod rotary;

pub use architecture::JinaClip;
