//! `dissent train dual-encoder|reader`: train the models of a dataset.

use super::Common;
use crate::data::Dataset;
use crate::model::checkpoint::StoredType;
use crate::train::{Augmentation, ClipShape, DualEncoderSettings, train_dual_encoder};
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

/// What to train.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// CLIP on the captions of the corpus: the retriever's dual encoder
    DualEncoder(DualEncoderArgs),
}

/// Options that every training has.
#[derive(Debug, clap::Args)]
struct Run {
    /// Dataset directory
    dataset: PathBuf,
    /// Folder for the checkpoint, in Hugging Face layout; the run's state and log go to DIR.training
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    /// Seed of weights, order and augmentation
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 1e-3)]
    learning_rate: f64,
    /// Steps of linear warm-up before the cosine
    #[arg(long, default_value_t = 50)]
    warm_up: usize,
    #[arg(long, default_value_t = 0.05)]
    weight_decay: f64,
    /// Largest global norm of a gradient
    #[arg(long, default_value_t = 1.0)]
    clip: f64,
    /// Number type of the weights on disk
    #[arg(long, value_enum, default_value_t = Weights::F32)]
    weights: Weights,
    /// Forget an earlier run in the same folder instead of resuming it
    #[arg(long)]
    restart: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Weights {
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

#[derive(Debug, clap::Args)]
struct DualEncoderArgs {
    #[command(flatten)]
    run: Run,
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Side of the image in pixels
    #[arg(long, default_value_t = 64)]
    image_size: usize,
    /// Side of a patch in pixels
    #[arg(long, default_value_t = 8)]
    patch_size: usize,
    /// Layers of the image tower
    #[arg(long, default_value_t = 4)]
    layers: usize,
    /// Attention heads of the image tower, 32 wide each
    #[arg(long, default_value_t = 3)]
    heads: usize,
    /// Layers of the text tower
    #[arg(long, default_value_t = 2)]
    text_layers: usize,
    /// Length of the vectors
    #[arg(long, default_value_t = 64)]
    embedding: usize,
    /// Start from the image tower of this checkpoint (same size), with a new text tower
    #[arg(long, value_name = "DIR")]
    image_tower: Option<PathBuf>,
}

/// Runs the training that was asked for.
pub fn run(args: Args, _common: &Common) -> Result<()> {
    relaunch_with_training_settings()?;
    match args.what {
        What::DualEncoder(args) => dual_encoder(args),
    }
}

fn dual_encoder(args: DualEncoderArgs) -> Result<()> {
    let dataset = Dataset::open(&args.run.dataset)?;
    let settings = DualEncoderSettings {
        out: args.run.out.clone(),
        epochs: args.run.epochs,
        batch: args.batch,
        learning_rate: args.run.learning_rate,
        weight_decay: args.run.weight_decay,
        warm_up_steps: args.run.warm_up,
        clip_norm: args.run.clip,
        seed: args.run.seed,
        shape: ClipShape {
            image_size: args.image_size,
            patch_size: args.patch_size,
            layers: args.layers,
            heads: args.heads,
            text_layers: args.text_layers,
            embedding: args.embedding,
        },
        augmentation: Augmentation::default(),
        image_tower: args.image_tower,
        stored_type: args.run.weights.into(),
        restart: args.run.restart,
    };
    if train_dual_encoder(&dataset, &settings)?.is_none() {
        eprintln!("all {} epochs were already done; --restart begins anew", args.run.epochs);
    }
    println!("{}", args.run.out.display());
    Ok(())
}

/// Starts this program again with the settings that training needs, which candle and the C library read from the
/// environment before `main`: kernels on one thread each, because training runs a shard of every batch on each core (with
/// candle's own threads on top a step took three times the processor time); and memory kept between steps instead of
/// handed back (a third of the time went to page faults).
#[cfg(unix)]
fn relaunch_with_training_settings() -> Result<()> {
    use std::os::unix::process::CommandExt;
    const KEPT: &str = "1073741824";
    if std::env::var_os("RAYON_NUM_THREADS").is_some() {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let error = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .env("RAYON_NUM_THREADS", "1")
        .env("MALLOC_MMAP_THRESHOLD_", KEPT)
        .env("MALLOC_TRIM_THRESHOLD_", KEPT)
        .env("MALLOC_TOP_PAD_", "67108864")
        .exec();
    Err(error.into())
}

#[cfg(not(unix))]
fn relaunch_with_training_settings() -> Result<()> {
    Ok(())
}
