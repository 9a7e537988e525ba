//! `dissent train dual-encoder|reader|retriever`: train the models of a dataset.

mod dual_encoder;
mod reader;
mod retriever;

use super::index::open_or_build;
use super::interrupt::{InterruptFlag, Interrupted};
use super::{Common, relaunch};
use crate::cli::models::say_notes;
use crate::data::Dataset;
use crate::model::checkpoint::StoredType;
use crate::model::dual_encoder::DualEncoder;
use crate::model::precision::Precision;
use crate::out_of_memory;
use crate::output::{one_line, print_line, say};
use crate::reader::ReaderError;
use crate::retriever::{HitsPerHead, Retriever};
use crate::train::{Augmentation, EpochReport, LoopSettings, TrainingInterrupted};
use crate::workspace::Workspace;
use anyhow::{Result, ensure};
use candle_core::{DType, Device};
use clap::{Subcommand, ValueEnum};
use dual_encoder::{DualEncoderArgs, dual_encoder};
use reader::{ReaderArgs, reader};
use retriever::{RetrieverArgs, retriever};
use std::path::{Path, PathBuf};

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
    /// A small Pixtral on each training case with each of its retrieved documents: the reader
    Reader(ReaderArgs),
    /// The retriever's heads, on what the reader makes of what they fetch
    Retriever(RetrieverArgs),
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
    /// Samples of a step
    #[arg(long, default_value_t = 64)]
    batch: usize,
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
    /// How much training images are changed
    #[arg(long, value_enum, default_value_t = Augment::Light)]
    augment: Augment,
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

/// What the towers see.
#[derive(Debug, clap::Args)]
struct ImageArgs {
    /// Side of the image in pixels
    #[arg(long, default_value_t = 64)]
    image_size: usize,
    /// Side of a patch in pixels
    #[arg(long, default_value_t = 8)]
    patch_size: usize,
}

/// How much training images are changed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Augment {
    /// Shift, brightness, noise
    Light,
    /// More of it; contrast, turn and size too
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
    fn training(&self) -> LoopSettings {
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

/// A training that ends at the next good place once the user wants it to.
struct Stoppable {
    interrupt: InterruptFlag,
}

impl Stoppable {
    fn interrupted(&self) -> impl Fn() -> bool {
        || self.interrupt.is_set()
    }
}

fn finish(last: Option<EpochReport>, run: &Run) -> Result<()> {
    if last.is_none() {
        say(&format!("all {} epochs were already done; --restart begins anew", run.epochs));
    }
    print_line(&one_line(&run.out.display().to_string()))
}

/// Runs the training that was asked for.
pub fn run(args: Args, common: &Common) -> Result<()> {
    check_device(common)?;
    relaunch::with_settings_for_throughput()?;
    out_of_memory::advise("lower --batch, and --candidates where a retriever is trained, or use a smaller model");
    let training = Stoppable { interrupt: InterruptFlag::watch()? };
    let outcome = match args.what {
        What::DualEncoder(args) => dual_encoder(args, &training),
        What::Reader(args) => reader(args, common, &training),
        What::Retriever(args) => retriever(args, common, &training),
    };
    outcome.map_err(|error| match error.downcast_ref::<TrainingInterrupted>() {
        Some(stopped) => {
            let kept = format!(
                "{} steps of epoch {} and all before are kept, the same command (without --restart) goes on from there",
                stopped.steps, stopped.epoch
            );
            Interrupted { kept }.into()
        }
        None if matches!(error.downcast_ref(), Some(ReaderError::Cancelled)) => {
            let kept = "what was saved before is kept, the same command (without --restart) goes on".into();
            Interrupted { kept }.into()
        }
        None => error,
    })
}

/// Training runs on the CPU in f32, whatever the models run on later.
fn check_device(common: &Common) -> Result<()> {
    let device = common.device.as_str();
    ensure!(
        matches!(device, "auto" | "cpu"),
        "training runs on the CPU: expected --device auto or cpu, found {device}"
    );
    let is_f32 = matches!(common.dtype, Precision::Auto | Precision::F32);
    ensure!(is_f32, "training runs in f32: expected --dtype auto or f32, found {:?}", common.dtype);
    Ok(())
}

/// The dual encoder itself as a retriever, its index built where it is missing.
pub(super) fn open_retriever(
    dataset: &Dataset,
    folder: &Path,
    k: usize,
    common: &Common,
    interrupt: Option<&InterruptFlag>,
) -> Result<Retriever> {
    let workspace = Workspace::open(&dataset.root, common.workspace.as_deref())?;
    let encoder = DualEncoder::load(folder, &Device::Cpu, DType::F32)?;
    say_notes(&encoder);
    let index = open_or_build(dataset, &workspace, &encoder, interrupt)?;
    Ok(Retriever::new(encoder, index, HitsPerHead { image: k, caption: k, lexical: 0 }, None))
}
