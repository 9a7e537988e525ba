//! `dissent train dual-encoder|reader|retriever`: train the models of a dataset.

mod dual_encoder;
mod options;
mod progress;
mod reader;
mod retriever;
mod session;

use super::interrupt::{InterruptFlag, Interrupted};
use super::{Common, relaunch};
use crate::model::precision::Precision;
use crate::out_of_memory;
use crate::reader::ReaderError;
use crate::training::TrainingInterrupted;
use anyhow::{Result, ensure};
use clap::Subcommand;
use dual_encoder::{DualEncoderArgs, dual_encoder};
use progress::TrainingProgress;
use reader::{ReaderArgs, reader};
use retriever::{RetrieverArgs, retriever};
pub(super) use session::open_retriever;

/// The model to train.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Train a CLIP model on the images and captions of the corpus: the retriever's dual encoder
    DualEncoder(DualEncoderArgs),
    /// Train a small Pixtral model on each training case with each of its retrieved documents: the reader
    Reader(ReaderArgs),
    /// Train the retriever's heads on the reader's answers to the documents that they retrieve
    Retriever(Box<RetrieverArgs>),
}

/// Runs the chosen training.
pub fn run(args: Args, common: &Common) -> Result<()> {
    check_device(common)?;
    relaunch::with_settings_for_throughput()?;
    out_of_memory::advise("lower --batch (for the retriever also --candidates), or use a smaller model");
    let progress = TrainingProgress::new(InterruptFlag::watch()?);
    let outcome = match args.what {
        What::DualEncoder(args) => dual_encoder(args, &progress),
        What::Reader(args) => reader(args, common, &progress),
        What::Retriever(args) => retriever(*args, common, &progress),
    };
    outcome.map_err(|error| match error.downcast_ref::<TrainingInterrupted>() {
        Some(stopped) => {
            let kept = format!(
                "{} steps of epoch {} and all before are kept; run the same command (without --restart) to continue",
                stopped.steps, stopped.epoch
            );
            Interrupted { kept }.into()
        }
        None if matches!(error.downcast_ref(), Some(ReaderError::Cancelled)) => {
            let kept = "earlier checkpoints are kept; run the same command (without --restart) to continue".into();
            Interrupted { kept }.into()
        }
        None => error,
    })
}

/// Training runs on the CPU in f32, whatever device the models use later.
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
