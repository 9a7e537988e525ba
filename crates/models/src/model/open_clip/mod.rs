//! Checkpoints in OpenCLIP's format (`open_clip_config.json`; Ilharco et al. 2021), such as BiomedCLIP (Zhang et al. 2023).
//!
//! OpenCLIP's own towers are CLIP with other tensor names, which `names` maps to those of [`crate::model::clip`]. The image
//! tower may instead be a timm vision transformer (`vision_transformer`) or MobileCLIP's FastViT (`fastvit`), the text tower a
//! BERT ([`crate::model::bert`]).

mod architecture;
mod config;
mod fastvit;
mod names;
mod vision_transformer;

pub use architecture::OpenClip;
