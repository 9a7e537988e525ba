//! `dissent train dual-encoder`.

use super::options::{ImageArgs, Run};
use super::progress::TrainingProgress;
use super::session::finish;
use crate::cli::open_dataset::open_with_images;
use crate::training::{ClipShape, DualEncoderSettings, train_dual_encoder};
use anyhow::Result;
use std::path::PathBuf;

/// Arguments of `dissent train dual-encoder`.
#[derive(Debug, clap::Args)]
pub(super) struct DualEncoderArgs {
    #[command(flatten)]
    run: Run,
    #[command(flatten)]
    images: ImageArgs,
    /// Layers of the image tower
    #[arg(long, default_value_t = 4)]
    layers: usize,
    /// Attention heads of the image tower, each of width 32
    #[arg(long, default_value_t = 3)]
    heads: usize,
    /// Layers of the text tower
    #[arg(long, default_value_t = 2)]
    text_layers: usize,
    /// Dimension of the embedding
    #[arg(long, default_value_t = 64)]
    embedding: usize,
    /// Start from the image tower of this checkpoint (of the same size) and a new text tower
    #[arg(long, value_name = "DIR")]
    image_tower: Option<PathBuf>,
}

/// Trains the dual encoder.
pub(super) fn dual_encoder(args: DualEncoderArgs, progress: &TrainingProgress) -> Result<()> {
    let dataset = open_with_images(&args.run.dataset)?;
    let settings = DualEncoderSettings {
        out: args.run.out.clone(),
        training: args.run.training(),
        seed: args.run.seed,
        shape: ClipShape {
            image_size: args.images.image_size,
            patch_size: args.images.patch_size,
            layers: args.layers,
            heads: args.heads,
            text_layers: args.text_layers,
            embedding: args.embedding,
        },
        augmentation: args.run.augment.into(),
        image_tower: args.image_tower,
        stored_type: args.run.weights.into(),
        restart: args.run.restart,
    };
    finish(train_dual_encoder(&dataset, &settings, progress)?, &args.run)
}
