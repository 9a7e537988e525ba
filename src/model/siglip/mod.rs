//! SigLIP and the SigLIP 2 checkpoints of fixed resolution (`SiglipModel`; Zhai et al. 2023, Tschannen et al. 2025).
//!
//! Against CLIP: no class token, but a learned query that attends to all patches; a text tower that looks both ways and
//! is read at its last position, padding included; no projection on the image side.

mod architecture;
mod config;
mod pooling_head;
mod text;
mod vision;

pub(in crate::model) use architecture::tokenizer_config;
pub use config::SiglipConfig;
pub(in crate::model) use config::VisionConfig;
pub(in crate::model) use pooling_head::PoolingHead;
