//! Checkpoints in OpenCLIP's layout (`open_clip_config.json`; Ilharco et al. 2021), BiomedCLIP among them (Zhang et al.
//! 2023).
//!
//! OpenCLIP's own two towers are CLIP under other names: their tensors are put in CLIP's places (`names`), and the
//! network is [`crate::model::clip`]. Either tower may be another network instead: a timm vision transformer
//! (`vision_transformer`) on the image side, a BERT ([`crate::model::bert`]) on the text side.

mod architecture;
mod config;
mod names;
mod vision_transformer;

pub use architecture::OpenClip;
