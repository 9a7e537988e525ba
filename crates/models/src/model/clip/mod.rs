//! CLIP (`CLIPModel`; Radford et al. 2021): image tower, text tower, projections, logit scale.
//!
//! Tensor names, arithmetic and configuration are those of transformers, so that checkpoints can be exchanged.
//! [`ClipModel`] is the bare network, for training; [`crate::model::dual_encoder::DualEncoder`] uses a checkpoint.

mod architecture;
mod config;
mod model;
mod text;
mod vision;

pub use config::{ClipConfig, TextConfig, VisionConfig};
pub use model::ClipModel;
pub(in crate::model) use model::ClipText;
pub(in crate::model) use vision::VisionTower;
