//! The last steps of a build: the files are written aside, opened once as a proof, and renamed.

use super::build::EmbeddedCorpus;
use super::files::{VECTOR_FILE, contents_of, sync_all, write_all};
use super::given_queries::QueryVectors;
use super::lock::ASIDE_PREFIX;
use super::manifest::{EncoderStamp, Manifest, VERSION};
use super::vector_file::VectorFileWriter;
use super::{FLAT_LIMIT, GivenStamp, Index, Progress, Stage, TOKENIZER, VectorCode, VectorKind, VectorSide};
use anyhow::{Context, Result, bail};
use dissent_core::data::{CONVERSION_VERSION, Dataset};
use dissent_core::files::durable;
use dissent_core::files::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What an index is built from, beside the vectors of the corpus.
pub(super) struct Built {
    pub corpus_fingerprint: Fingerprint,
    pub encoder: EncoderStamp,
    pub given: Option<GivenStamp>,
    pub queries: Option<QueryVectors>,
    pub settings: IndexSettings,
}

/// What a person may choose of an index.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IndexSettings {
    /// Maximum number of vectors for exact search.
    pub exact_up_to: usize,
    /// Recall among the best ten that approximate search must reach, from 0 to 1.
    pub recall: f64,
    /// How approximate search keeps vectors; `None` chooses by size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<VectorCode>,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self { exact_up_to: FLAT_LIMIT, recall: 0.98, code: None }
    }
}

/// The folder in which an index is built; it is removed if the build fails.
pub(super) struct Aside {
    folder: TempDir,
}

impl Aside {
    pub fn create(workspace: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(ASIDE_PREFIX)
            .tempdir_in(workspace)
            .with_context(|| format!("cannot write in {}", workspace.display()))?;
        let aside = Self { folder };
        // tempdir creates a private folder; a group that shares the workspace must be able to read the index.
        let building = aside.building();
        std::fs::create_dir(&building).with_context(|| format!("cannot create {}", building.display()))?;
        Ok(aside)
    }

    /// The index that is being built.
    pub fn building(&self) -> PathBuf {
        self.folder.path().join("index")
    }

    /// The file for its vectors, with these numbers of rows for images and captions.
    pub fn vectors(&self, [images, captions]: [usize; 2], dimension: usize) -> Result<VectorFileWriter> {
        let shapes = [("image", images), ("caption", captions)];
        VectorFileWriter::create(&self.building().join(VECTOR_FILE), &shapes, dimension)
    }
}

/// Writes the index of a corpus with its vectors to `folder` and opens it. The caller holds the lock.
///
/// # Errors
/// Fails if no image can be read, a vector is not of length 1, or the folder cannot be written.
pub(super) fn finish(
    dataset: &Dataset,
    (aside, folder): (Aside, &Path),
    corpus: EmbeddedCorpus,
    built: Built,
    progress: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<Index> {
    if let (Some(first), true) = (corpus.left_out.first(), corpus.left_out.len() == dataset.corpus.len()) {
        bail!("none of the {} corpus images can be read; the first: {}", corpus.left_out.len(), first.reason);
    }
    let contents = contents_of(&corpus);
    let Built { corpus_fingerprint, encoder, given, queries, settings } = built;
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
        settings,
        image_recall: None,
        caption_recall: None,
        files: BTreeMap::new(),
        left_out: corpus.left_out.clone(),
    };
    let dimension = manifest.encoder.dimension;
    let kind = |count| VectorKind::choose(count, dimension, settings.exact_up_to, settings.code);
    manifest.image = kind(manifest.image_rows().len());
    manifest.caption = kind(manifest.tensor_rows(VectorSide::Caption));
    let vectors = corpus.vectors.finish()?;
    let building = aside.building();
    let with_recall = (&vectors, settings.recall);
    write_all(&building, dataset, &contents, queries.as_ref(), with_recall, &mut manifest, progress)?;
    drop(contents);
    // FAISS and Tantivy buffer; opening the index proves that it was written completely.
    drop(Index::load(&building, manifest.clone())?);
    sync_all(&building)?;
    durable::replace_folder(&building, folder)?;
    progress(Progress { stage: Stage::Writing, done: 1, total: 1 })?;
    Ok(Index::load(folder, manifest)?)
}
