//! SigLIP 2 NaFlex (`Siglip2Model`; Tschannen et al. 2025, section 2.4): images keep their aspect ratio and are split into
//! a variable number of patches.
//!
//! Differences from SigLIP: the input consists of patches, position embeddings are resized to each image's grid, and padding
//! is masked. Text tower and pooling head are SigLIP's.

mod architecture;
mod config;
mod positions;
mod vision;

pub use config::Siglip2Config;
