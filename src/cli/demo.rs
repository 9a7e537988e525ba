//! `dissent demo`: the explorer on the embedded sample.

use super::{Common, explore};
use crate::sample::Sample;
use anyhow::Result;

/// Arguments of `dissent demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name under which annotations are kept; default: the user's name
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
}

/// Runs `dissent demo`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    explore::require_terminal()?;
    let sample = Sample::unpack()?;
    let mut common = common.clone();
    common.workspace.get_or_insert(sample.workspace);
    let mut explore = explore::Args::for_dataset(sample.dataset);
    explore.annotator = args.annotator;
    explore.encoder = Some(sample.encoder);
    explore.reader = Some(sample.reader);
    explore::run(explore, &common)
}
