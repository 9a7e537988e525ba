//! Steps of every training before and after its epochs.

use super::options::Run;
use crate::cli::Common;
use crate::cli::costs::ConsentFlag;
use crate::cli::index::open_or_build;
use crate::cli::interrupt::InterruptFlag;
use crate::data::Dataset;
use crate::index::{DocumentStore, Index, VectorSide};
use crate::milvus::StoreSource;
use crate::output::{one_line, print_line, say};
use crate::pipeline::{EncoderSource, known_probe};
use crate::retriever::{HitsPerHead, Retriever};
use crate::training::EpochReport;
use crate::workspace::Workspace;
use anyhow::Result;
use candle_core::{DType, Device};
use std::sync::Arc;

pub(super) fn finish(last: Option<EpochReport>, run: &Run) -> Result<()> {
    if last.is_none() {
        say(&format!("all {} epochs are already done; --restart starts anew", run.epochs));
    }
    print_line(&one_line(&run.out.display().to_string()))
}

/// The retriever of a training: the vectors that another program computed, if the index has such, else the encoder of
/// `source`, whose index is built if it is missing. `None` with neither.
pub(in crate::cli) fn open_retriever(
    dataset: &Dataset,
    (source, store): (Option<&EncoderSource>, Option<&StoreSource>),
    k: usize,
    common: &Common,
    interrupt: Option<&InterruptFlag>,
    consent: ConsentFlag,
) -> Result<Option<Retriever>> {
    let workspace = Workspace::open(&dataset.root, common.workspace.as_deref())?;
    if let (Some(source), Some(store)) = (source, store) {
        let known = known_probe(Some(store), &workspace);
        let encoder = source.open_as(&Device::Cpu, DType::F32, known, &workspace, &|line| say(&line))?;
        let store = store.open(dataset, Some(&encoder))?;
        let hits = hits_where_vectors_are(&*store, k);
        return Ok(Some(Retriever::new(encoder, store, hits, None)));
    }
    if let Some(index) = Index::open_given(&workspace.index_dir(), &dataset.corpus_fingerprint())? {
        let unused = source.map_or_else(String::new, |source| format!("; the encoder {source} is not used"));
        say(&format!("searching {}, which another program computed{unused}", index.encoder_name()));
        let hits = hits_where_vectors_are(&index, k);
        return Retriever::over_given(index, hits, None).map(Some);
    }
    let Some(source) = source else { return Ok(None) };
    let encoder = source.open(&Device::Cpu, DType::F32, &workspace, &|line| say(&line))?;
    let index = open_or_build(dataset, &workspace, &encoder, interrupt, consent)?;
    let hits = hits_where_vectors_are(&index, k);
    Ok(Some(Retriever::new(encoder, Arc::new(index), hits, None)))
}

/// The same number of hits of each head whose side has vectors.
fn hits_where_vectors_are(store: &dyn DocumentStore, k: usize) -> HitsPerHead {
    let of = |side| if store.has_side(side) { k } else { 0 };
    HitsPerHead { image: of(VectorSide::Image), caption: of(VectorSide::Caption), lexical: 0 }
}
