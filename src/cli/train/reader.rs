//! `dissent train reader`.

use super::options::{ImageArgs, Run};
use super::progress::TrainingProgress;
use super::session::{finish, open_retriever};
use crate::cli::Common;
use crate::cli::costs::ConsentFlag;
use crate::cli::open_dataset::open_with_images;
use crate::data::Part;
use crate::model::pixtral::SmallPixtral;
use crate::pipeline::EncoderSource;
use crate::training::{LoopSettings, ReaderSettings, train_reader};
use anyhow::Result;
use std::path::PathBuf;

/// Arguments of `dissent train reader`.
#[derive(Debug, clap::Args)]
pub(super) struct ReaderArgs {
    #[command(flatten)]
    pub run: Run,
    /// Checkpoint of the dual encoder that retrieves the documents; not needed if the dataset has pairs.jsonl
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// Documents retrieved per head
    #[arg(short, default_value_t = 2, value_name = "N")]
    k: usize,
    /// Start from this checkpoint instead of new weights
    #[arg(long, value_name = "DIR")]
    init: Option<PathBuf>,
    /// Epochs in which the image tower alone first learns the labels through linear heads
    #[arg(long, default_value_t = 0)]
    vision_epochs: usize,
    #[arg(long, default_value_t = 1e-3)]
    vision_learning_rate: f64,
    /// Also train the image tower together with the decoder
    #[arg(long)]
    train_vision: bool,
    /// Share of the cases that are also trained without a document
    #[arg(long, default_value_t = 0.2)]
    closed_book_share: f64,
    /// Augmented copies of every image, in addition to the image itself
    #[arg(long, default_value_t = 0)]
    views: usize,
    /// Repeat the cases of rare labels until all labels of a task are equally frequent
    #[arg(long)]
    balance: bool,
    /// Use one of several equal parts of the training cases, for example 1/2; train the retriever on another part
    #[arg(long, value_name = "N/OF")]
    part: Option<Part>,
    #[command(flatten)]
    images: ImageArgs,
    /// Layers of the image tower; inference servers need three or more
    #[arg(long, default_value_t = 4)]
    vision_layers: usize,
    /// Width of the image tower, a multiple of 32
    #[arg(long, default_value_t = 96)]
    vision_hidden: usize,
    /// Layers of the decoder
    #[arg(long, default_value_t = 3)]
    layers: usize,
    /// Width of the decoder, a multiple of 32
    #[arg(long, default_value_t = 96)]
    hidden: usize,
}

/// Trains the reader.
pub(super) fn reader(args: ReaderArgs, common: &Common, progress: &TrainingProgress) -> Result<()> {
    let dataset = open_with_images(&args.run.dataset)?;
    let interrupt = Some(&progress.interrupt);
    let mut retriever = open_retriever(
        &dataset,
        (args.encoder.map(EncoderSource::Checkpoint).as_ref(), None),
        args.k,
        common,
        interrupt,
        ConsentFlag::default(),
    )?;
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
        part: args.part,
        stored_type: args.run.weights.into(),
        restart: args.run.restart,
    };
    finish(train_reader(&dataset, retriever.as_mut(), &settings, progress)?, &args.run)
}
