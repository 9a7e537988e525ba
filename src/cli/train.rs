//! `dissent train dual-encoder|reader`: train the models of a dataset.

use super::output::say;
use super::{Common, relaunch};
use crate::data::Dataset;
use crate::index::Index;
use crate::model::checkpoint::StoredType;
use crate::model::clip::DualEncoder;
use crate::model::pixtral::SmallPixtral;
use crate::retriever::{HitsPerHead, Retriever};
use crate::train::{
    Augmentation, ClipShape, DualEncoderSettings, EpochReport, LoopSettings, ReaderSettings, train_dual_encoder,
    train_reader,
};
use crate::workspace::Workspace;
use anyhow::Result;
use candle_core::{DType, Device};
use clap::{Subcommand, ValueEnum};
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

#[derive(Debug, clap::Args)]
struct DualEncoderArgs {
    #[command(flatten)]
    run: Run,
    #[command(flatten)]
    images: ImageArgs,
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

#[derive(Debug, clap::Args)]
struct ReaderArgs {
    #[command(flatten)]
    run: Run,
    /// Checkpoint of the dual encoder that retrieves the documents; not needed where the dataset has pairs.jsonl
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// Hits per head
    #[arg(short, default_value_t = 2, value_name = "N")]
    k: usize,
    /// Continue from this checkpoint instead of a new reader
    #[arg(long, value_name = "DIR")]
    init: Option<PathBuf>,
    /// Epochs in which the image tower first learns the labels through linear heads
    #[arg(long, default_value_t = 0)]
    vision_epochs: usize,
    #[arg(long, default_value_t = 1e-3)]
    vision_learning_rate: f64,
    /// Train the image tower together with the decoder, too
    #[arg(long)]
    train_vision: bool,
    /// Share of the cases that are also asked without a document
    #[arg(long, default_value_t = 0.2)]
    closed_book_share: f64,
    /// Changed copies of every image that the decoder learns from, beside the image itself
    #[arg(long, default_value_t = 0)]
    views: usize,
    /// Repeat the cases of rare labels until all labels of a task are equally frequent
    #[arg(long)]
    balance: bool,
    #[command(flatten)]
    images: ImageArgs,
    /// Layers of the image tower; serving engines want three or more
    #[arg(long, default_value_t = 4)]
    vision_layers: usize,
    /// Width of the image tower, in heads of 32
    #[arg(long, default_value_t = 96)]
    vision_hidden: usize,
    /// Layers of the decoder
    #[arg(long, default_value_t = 3)]
    layers: usize,
    /// Width of the decoder, in heads of 32
    #[arg(long, default_value_t = 96)]
    hidden: usize,
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
        }
    }
}

/// Runs the training that was asked for.
pub fn run(args: Args, common: &Common) -> Result<()> {
    relaunch::with_settings_for_throughput()?;
    match args.what {
        What::DualEncoder(args) => dual_encoder(args),
        What::Reader(args) => reader(args, common),
    }
}

fn dual_encoder(args: DualEncoderArgs) -> Result<()> {
    let dataset = Dataset::open(&args.run.dataset)?;
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
    finish(train_dual_encoder(&dataset, &settings)?, &args.run);
    Ok(())
}

fn reader(args: ReaderArgs, common: &Common) -> Result<()> {
    let dataset = Dataset::open(&args.run.dataset)?;
    let mut retriever = match &args.encoder {
        None => None,
        Some(folder) => Some(open_retriever(&dataset, folder, args.k, common)?),
    };
    let settings = ReaderSettings {
        out: args.run.out.clone(),
        seed: args.run.seed,
        init: args.init,
        sizes: SmallPixtral {
            image_size: args.images.image_size,
            patch_size: args.images.patch_size,
            vision_hidden: args.vision_hidden,
            vision_intermediate: args.vision_hidden * 2,
            vision_layers: args.vision_layers,
            text_hidden: args.hidden,
            text_intermediate: args.hidden * 2,
            text_layers: args.layers,
            key_value_heads: 1,
            ..SmallPixtral::default()
        },
        vision: LoopSettings {
            epochs: args.vision_epochs,
            learning_rate: args.vision_learning_rate,
            ..args.run.training()
        },
        answers: args.run.training(),
        train_vision: args.train_vision,
        closed_book_share: args.closed_book_share,
        balance: args.balance,
        views: args.views,
        augmentation: args.run.augment.into(),
        stored_type: args.run.weights.into(),
        restart: args.run.restart,
    };
    finish(train_reader(&dataset, retriever.as_mut(), &settings)?, &args.run);
    Ok(())
}

fn open_retriever(dataset: &Dataset, folder: &Path, k: usize, common: &Common) -> Result<Retriever> {
    let workspace = Workspace::open(&dataset.root, common.workspace.as_deref())?;
    let encoder = DualEncoder::load(folder, &Device::Cpu, DType::F32)?;
    let index = Index::open_or_build(dataset, &workspace.index_dir(), &encoder, &mut |_| (), &mut |_| Ok(()))?;
    Ok(Retriever::new(encoder, index, HitsPerHead { image: k, caption: k }))
}

fn finish(last: Option<EpochReport>, run: &Run) {
    if last.is_none() {
        say(&format!("all {} epochs were already done; --restart begins anew", run.epochs));
    }
    println!("{}", run.out.display());
}
