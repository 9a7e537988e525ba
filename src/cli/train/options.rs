//! Options shared by several trainings.

use crate::model::checkpoint::StoredType;
use crate::training::{Augmentation, LoopSettings};
use clap::ValueEnum;
use std::path::PathBuf;

/// Options that every training has.
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// Dataset directory
    pub(super) dataset: PathBuf,
    /// Folder for the checkpoint, in Hugging Face layout; the training state and log go to DIR.training
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    #[arg(long, default_value_t = 10)]
    pub(super) epochs: usize,
    /// Samples per step
    #[arg(long, default_value_t = 64)]
    pub(super) batch: usize,
    /// Seed of the initial weights, the order of samples and the augmentation
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    #[arg(long, default_value_t = 1e-3)]
    pub(super) learning_rate: f64,
    /// Steps of linear warm-up before the cosine schedule
    #[arg(long, default_value_t = 50)]
    pub(super) warm_up: usize,
    #[arg(long, default_value_t = 0.05)]
    pub(super) weight_decay: f64,
    /// Gradients are clipped to this global norm
    #[arg(long, default_value_t = 1.0)]
    pub(super) clip: f64,
    /// Number type of the saved weights
    #[arg(long, value_enum, default_value_t = Weights::F32)]
    pub(super) weights: Weights,
    /// Strength of the image augmentation
    #[arg(long, value_enum, default_value_t = Augment::Light)]
    pub(super) augment: Augment,
    /// Start anew instead of resuming an earlier training in the same folder
    #[arg(long)]
    pub(super) restart: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Weights {
    F32,
    F16,
    Bf16,
}

impl From<Weights> for StoredType {
    fn from(weights: Weights) -> Self {
        match weights {
            Weights::F32 => Self::F32,
            Weights::F16 => Self::F16,
            Weights::Bf16 => Self::Bf16,
        }
    }
}

/// The input of the image tower.
#[derive(Debug, clap::Args)]
pub(super) struct ImageArgs {
    /// Side of the image in pixels
    #[arg(long, default_value_t = 64)]
    pub(super) image_size: usize,
    /// Side of a patch in pixels
    #[arg(long, default_value_t = 8)]
    pub(super) patch_size: usize,
}

/// Strength of the image augmentation.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Augment {
    /// Shift, brightness, noise
    Light,
    /// Stronger, with contrast, rotation and size
    Strong,
}

impl From<Augment> for Augmentation {
    fn from(augment: Augment) -> Self {
        match augment {
            Augment::Light => Self::LIGHT,
            Augment::Strong => Self::STRONG,
        }
    }
}

impl Run {
    pub(super) fn training(&self) -> LoopSettings {
        LoopSettings {
            epochs: self.epochs,
            batch: self.batch,
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            warm_up_steps: self.warm_up,
            clip_norm: self.clip,
            decay_vectors: false,
            patience: None,
        }
    }
}
