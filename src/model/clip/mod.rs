//! CLIP (`CLIPModel`; Radford et al. 2021): image tower, text tower, projections, logit scale.
//!
//! Weight names, arithmetic and configuration are those of Hugging Face `transformers`, so that checkpoints move both
//! ways. [`ClipModel`] is the bare network, for training; [`crate::model::dual_encoder::DualEncoder`] uses a checkpoint.

mod architecture;
mod config;
mod model;
mod text;
mod vision;

pub use config::{ClipConfig, TextConfig, VisionConfig};
pub use model::ClipModel;
pub(in crate::model) use model::ClipText;
pub(in crate::model) use vision::VisionTower;
