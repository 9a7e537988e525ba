//! Steps of every training before and after its epochs.

use super::options::Run;
use crate::cli::Common;
use crate::cli::index::open_or_build;
use crate::cli::interrupt::InterruptFlag;
use crate::cli::models::say_notes;
use crate::data::Dataset;
use crate::index::{Index, VectorSide};
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

/// The retriever of a training: the vectors that another program computed, if the index has such, else the dual encoder in
/// `folder`, whose index is built if it is missing. `None` with neither.
pub(in crate::cli) fn open_retriever(
    dataset: &Dataset,
    folder: Option<&Path>,
    k: usize,
    common: &Common,
    interrupt: Option<&InterruptFlag>,
) -> Result<Option<Retriever>> {
    let workspace = Workspace::open(&dataset.root, common.workspace.as_deref())?;
    if let Some(index) = Index::open_given(&workspace.index_dir(), &dataset.corpus_fingerprint())? {
        let unused =
            folder.map_or_else(String::new, |folder| format!("; the encoder {} is not used", folder.display()));
        say(&format!("searching {}, which another program computed{unused}", index.encoder_name()));
        let hits_of = |side| if index.has_side(side) { k } else { 0 };
        let hits = HitsPerHead { image: hits_of(VectorSide::Image), caption: hits_of(VectorSide::Caption), lexical: 0 };
        return Retriever::over_given(index, hits, None).map(Some);
    }
    let Some(folder) = folder else { return Ok(None) };
    let encoder = DualEncoder::load(folder, &Device::Cpu, DType::F32)?;
    say_notes(&encoder);
    let index = open_or_build(dataset, &workspace, &encoder, interrupt)?;
    Ok(Some(Retriever::new(encoder, index, HitsPerHead { image: k, caption: k, lexical: 0 }, None)))
}
