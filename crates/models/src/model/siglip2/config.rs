//! `config.json` of a `Siglip2Model`.

use crate::model::checkpoint::CheckpointError;
use crate::model::limits::check_sizes;
use crate::model::siglip::{SiglipConfig, VisionConfig};
use std::path::Path;

/// SigLIP's fields, with `num_patches` of the image tower instead of `image_size`.
#[derive(Clone, Debug)]
pub struct Siglip2Config(pub(super) SiglipConfig);

impl Siglip2Config {
    /// Reads and checks `config.json` of `folder`.
    ///
    /// # Errors
    /// Fails if the file is missing or broken, or sizes are inconsistent.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        Ok(Self(SiglipConfig::read_with(folder, check_square)?))
    }
}

fn check_square(vision: &VisionConfig) -> Result<(), String> {
    check_sizes("vision_config", &[("num_patches", vision.num_patches), ("patch_size", vision.patch_size)])?;
    if learned_side(vision).pow(2) != vision.num_patches {
        return Err(format!("vision_config: expected a square number as num_patches, found {}", vision.num_patches));
    }
    Ok(())
}

/// Side of the square of learned positions, in patches.
pub(super) fn learned_side(vision: &VisionConfig) -> usize {
    vision.num_patches.isqrt()
}
