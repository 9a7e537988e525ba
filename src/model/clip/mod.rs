//! CLIP (`CLIPModel`; Radford et al. 2021): image tower, text tower, projections, logit scale.
//!
//! Weight names, arithmetic and configuration are those of Hugging Face `transformers`, so that checkpoints move both
//! ways. [`ClipModel`] is the bare network; [`DualEncoder`] adds tokenizer and image processor.

mod config;
mod dual_encoder;
mod encoder;
mod image_processor;
mod image_tower;
mod model;
mod text;
mod vision;

pub use config::{ClipConfig, TextConfig, VisionConfig};
pub use dual_encoder::DualEncoder;
pub(in crate::model) use encoder::{Encoder, EncoderShape};
pub use image_processor::ClipImageProcessor;
pub use image_tower::{ImageTower, visual_projection};
pub use model::ClipModel;
