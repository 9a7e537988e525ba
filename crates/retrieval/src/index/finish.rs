//! The last steps of a build: the files are written aside, opened once as a proof, and renamed.

use super::build::EmbeddedCorpus;
use super::files::{contents_of, sync_all, write_all};
use super::given_queries::QueryVectors;
use super::lock::ASIDE_PREFIX;
use super::manifest::{EncoderStamp, Manifest, VERSION};
use super::{GivenStamp, Index, Progress, Stage, TOKENIZER, VectorKind, VectorSide};
use anyhow::{Context, Result, bail};
use dissent_core::data::{CONVERSION_VERSION, Dataset};
use dissent_core::files::durable;
use dissent_core::files::fingerprint::Fingerprint;
use std::collections::BTreeMap;
use std::path::Path;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What an index is built from, beside the vectors of the corpus.
pub(super) struct Built {
    pub corpus_fingerprint: Fingerprint,
    pub encoder: EncoderStamp,
    pub given: Option<GivenStamp>,
    pub queries: Option<QueryVectors>,
    /// Maximum number of vectors for exact search.
    pub flat_limit: usize,
}

/// Writes the index of a corpus with its vectors to `folder` and opens it. The caller holds the lock.
///
/// # Errors
/// Fails if no image can be read, a vector is not of length 1, or the folder cannot be written.
pub(super) fn finish(
    dataset: &Dataset,
    folder: &Path,
    corpus: EmbeddedCorpus,
    built: Built,
    progress: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<Index> {
    if let (Some(first), true) = (corpus.left_out.first(), corpus.left_out.len() == dataset.corpus.len()) {
        bail!("none of the {} corpus images can be read; the first: {}", corpus.left_out.len(), first.reason);
    }
    let workspace = folder.parent().context("expected the index folder inside a workspace")?;
    progress(Progress { stage: Stage::Writing, done: 0, total: 1 })?;
    let contents = contents_of(&corpus);
    let Built { corpus_fingerprint, encoder, given, queries, flat_limit } = built;
    let mut manifest = Manifest {
        version: VERSION,
        date: OffsetDateTime::now_utc().format(&Rfc3339).context("cannot write the date")?,
        documents: dataset.corpus.len(),
        corpus: corpus_fingerprint,
        tokenizer: TOKENIZER.into(),
        conversion: CONVERSION_VERSION.into(),
        contents: Fingerprint::of_bytes(contents.as_bytes()),
        encoder,
        given,
        image: VectorKind::Flat,
        caption: VectorKind::Flat,
        files: BTreeMap::new(),
        left_out: corpus.left_out.clone(),
    };
    manifest.image = VectorKind::choose(manifest.image_rows().len(), flat_limit);
    manifest.caption = VectorKind::choose(manifest.tensor_rows(VectorSide::Caption), flat_limit);
    let aside = tempfile::Builder::new()
        .prefix(ASIDE_PREFIX)
        .tempdir_in(workspace)
        .with_context(|| format!("cannot write in {}", workspace.display()))?;
    // tempdir creates a private folder; a group that shares the workspace must be able to read the index.
    let building = aside.path().join("index");
    std::fs::create_dir(&building).with_context(|| format!("cannot create {}", building.display()))?;
    write_all(&building, dataset, &corpus, &contents, queries.as_ref(), &mut manifest)?;
    drop(corpus);
    // FAISS and Tantivy buffer; opening the index proves that it was written completely.
    drop(Index::load(&building, manifest.clone())?);
    sync_all(&building)?;
    durable::replace_folder(&building, folder)?;
    progress(Progress { stage: Stage::Writing, done: 1, total: 1 })?;
    Ok(Index::load(folder, manifest)?)
}
