//! Steps of every training before and after its epochs.

use super::options::Run;
use crate::cli::Common;
use crate::cli::index::open_or_build;
use crate::cli::interrupt::InterruptFlag;
use crate::cli::models::say_notes;
use crate::data::Dataset;
use crate::model::dual_encoder::DualEncoder;
use crate::output::{one_line, print_line, say};
use crate::retriever::{HitsPerHead, Retriever};
use crate::training::EpochReport;
use crate::workspace::Workspace;
use anyhow::Result;
use candle_core::{DType, Device};
use std::path::Path;

pub(super) fn finish(last: Option<EpochReport>, run: &Run) -> Result<()> {
    if last.is_none() {
        say(&format!("all {} epochs are already done; --restart starts anew", run.epochs));
    }
    print_line(&one_line(&run.out.display().to_string()))
}

/// The dual encoder as a retriever; builds the index if it is missing.
pub(in crate::cli) fn open_retriever(
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
