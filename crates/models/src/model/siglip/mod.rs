//! SigLIP, and SigLIP 2 with fixed resolution (`SiglipModel`; Zhai et al. 2023, Tschannen et al. 2025).
//!
//! Differences from CLIP: instead of a class token, a learned query attends to all patches; the text tower is bidirectional
//! and pooled at its last position, including padding; the image side has no projection.

mod architecture;
mod config;
mod features;
mod pooling_head;
mod text;
mod vision;

pub(in crate::model) use architecture::tokenizer_config;
pub use config::SiglipConfig;
pub(in crate::model) use config::VisionConfig;
pub(in crate::model) use features::PatchFeatures;
pub(in crate::model) use pooling_head::PoolingHead;
