//! The retriever that an export searches with: the vectors of another program where the index has them, else the encoder.

use crate::cli::Common;
use crate::cli::costs::ConsentFlag;
use crate::cli::encoder_flags::EncoderFlags;
use crate::cli::given_vectors::say_encoder_is_unused;
use crate::cli::index::open_or_build;
use crate::cli::models::load_encoder;
use crate::data::Dataset;
use crate::index::Index;
use crate::output::say;
use crate::pipeline::{heads_with_vectors, hits_with_vectors};
use crate::retriever::heads::{HeadBase, TrainedHeads};
use crate::retriever::{HitsPerHead, Retriever};
use crate::workspace::Workspace;
use anyhow::{Result, ensure};
use std::path::Path;
use std::sync::Arc;

/// For exports that search nothing.
pub(super) const NO_HITS: HitsPerHead = HitsPerHead { image: 0, caption: 0, lexical: 0 };

/// The retriever with these heads and numbers of hits; heads without vectors are left out, and said.
///
/// # Errors
/// Fails if there is no encoder, the index cannot be built, or the heads do not fit.
pub(super) fn open_searching(
    dataset: &Dataset,
    workspace: &Workspace,
    common: &Common,
    (encoder, consent): (&EncoderFlags, ConsentFlag),
    (hits, heads): (HitsPerHead, Option<&Path>),
) -> Result<Retriever> {
    if let Some(index) = Index::open_given(&workspace.index_dir(), &dataset.corpus_fingerprint())? {
        say_encoder_is_unused(encoder, &index);
        let heads = heads.map(|folder| TrainedHeads::load_over(folder, HeadBase::given(&index))).transpose()?;
        let hits = if hits == NO_HITS { hits } else { hits_with_vectors(&index, hits, &|line| say(&line))? };
        return Retriever::over_given(index, hits, heads);
    }
    let encoder = load_encoder(encoder, workspace, common)?;
    let index = open_or_build(dataset, workspace, &encoder, None, consent)?;
    let base = encoder.local().map_or_else(|| HeadBase::given(&index), HeadBase::Encoder);
    let heads = heads.map(|folder| TrainedHeads::load_over(folder, base)).transpose()?;
    let hits = if hits == NO_HITS { hits } else { heads_with_vectors(&encoder, &index, hits, &|line| say(&line))? };
    Ok(Retriever::new(encoder, Arc::new(index), hits, heads))
}

/// Fails unless pictures can be embedded, which an encoder of texts alone cannot.
pub(super) fn ensure_embeds_pictures(retriever: &Retriever) -> Result<()> {
    ensure!(
        retriever.embeds_pictures(),
        "the encoder embeds texts alone, so there are no vectors of cases; expected one that embeds images"
    );
    Ok(())
}
