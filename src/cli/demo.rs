//! `dissent demo`: the explorer on the embedded sample.

use super::encoder_flags::EncoderFlags;
use super::explore::ScreenOptions;
use super::models::RetrieverChoice;
use super::reader_flags::ReaderFlags;
use super::{Common, explore};
use crate::sample::Sample;
use anyhow::Result;

/// Arguments of `dissent demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show the answers of this run, stored by `dissent predict` on the sample, instead of asking the models
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Name of the annotator; default: the name kept from an earlier answer, else the user's login name
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// Retrieval heads: standard (the dual encoder itself), trained (those of the sample) or a folder of heads
    #[arg(long, env = "DISSENT_RETRIEVER", default_value = "standard", value_name = "standard|trained|DIR")]
    retriever: RetrieverChoice,
    #[command(flatten)]
    screen: ScreenOptions,
}

/// Runs `dissent demo`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    explore::require_terminal()?;
    let sample = Sample::unpack()?;
    let mut common = common.clone();
    common.workspace.get_or_insert(sample.workspace);
    let mut explore = explore::Args::for_dataset(sample.dataset);
    explore.run = args.run;
    explore.screen = args.screen;
    explore.annotator = args.annotator;
    explore.models.encoder = EncoderFlags::for_checkpoint(&sample.encoder);
    explore.models.reader = ReaderFlags::for_checkpoint(&sample.reader);
    explore.models.retriever = match args.retriever {
        RetrieverChoice::Trained => RetrieverChoice::Folder(sample.retriever),
        other => other,
    };
    explore::run(explore, &common)
}
