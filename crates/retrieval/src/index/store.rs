//! The index of one corpus by one encoder. It is opened completely or not at all, built in a temporary folder and renamed.

use super::build::{KnownVectors, embed_corpus};
use super::files::{
    CAPTION_FILE, IMAGE_FILE, MANIFEST_FILE, TEXT_FOLDER, VECTOR_FILE, check_files, contents_of, known_vectors,
    sync_all, write_all,
};
use super::images::is_readable;
use super::lock::{ASIDE_PREFIX, BuildLock};
use super::manifest::{EncoderStamp, Manifest, VERSION};
use super::vector_file::VectorFile;
use super::{
    Embedder, FLAT_LIMIT, IndexError, LeftOut, Progress, Stage, TOKENIZER, TextIndex, VectorIndex, VectorKind,
};
use anyhow::{Context, Result, ensure};
use dissent_core::data::{CONVERSION_VERSION, Dataset};
use dissent_core::files::durable;
use dissent_core::files::fingerprint::Fingerprint;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Chooses one of a document's two vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorSide {
    Image,
    Caption,
}

/// An open index.
pub struct Index {
    folder: PathBuf,
    manifest: Manifest,
    images: VectorIndex,
    captions: VectorIndex,
    text: TextIndex,
    vectors: VectorFile,
}

impl Index {
    /// Opens the index in `folder` (`WORKSPACE/index`) if it was built from this corpus by this encoder.
    ///
    /// # Errors
    /// Fails if the index is missing, stale or damaged; see [`IndexError`].
    pub fn open(folder: &Path, corpus: &Fingerprint, encoder: &Fingerprint) -> Result<Self, IndexError> {
        let manifest = Manifest::read(&folder.join(MANIFEST_FILE))?;
        check_corpus(folder, &manifest, corpus)?;
        if manifest.encoder.fingerprint != *encoder {
            return Err(IndexError::Stale {
                path: folder.into(),
                what: "encoder",
                expected: encoder.clone(),
                found: manifest.encoder.fingerprint,
            });
        }
        Self::load(folder, manifest)
    }

    /// Opens only the captions, which need no encoder.
    ///
    /// # Errors
    /// Fails like [`Index::open`].
    pub fn open_text(folder: &Path, corpus: &Fingerprint) -> Result<TextIndex, IndexError> {
        let manifest = Manifest::read(&folder.join(MANIFEST_FILE))?;
        check_corpus(folder, &manifest, corpus)?;
        TextIndex::open(&folder.join(TEXT_FOLDER), manifest.documents)
    }

    /// Opens the index of a dataset, or builds it if it is missing, stale, incomplete or damaged; `on_rebuild` gets the
    /// reason before the build begins.
    ///
    /// # Errors
    /// Fails if the index cannot be built.
    pub fn open_or_build(
        dataset: &Dataset,
        folder: &Path,
        encoder: &dyn Embedder,
        on_rebuild: &mut dyn FnMut(&IndexError),
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<Self> {
        match Self::open_complete(dataset, folder, encoder) {
            Ok(index) => Ok(index),
            Err(error) if error.is_mended_by_building() => {
                on_rebuild(&error);
                Self::build(dataset, folder, encoder, progress)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Like [`Index::open`], but fails if a left-out image is readable now. The corpus fingerprint cannot tell: a file
    /// of the same size may have other content or permissions now.
    fn open_complete(dataset: &Dataset, folder: &Path, encoder: &dyn Embedder) -> Result<Self, IndexError> {
        let index = Self::open(folder, &dataset.corpus_fingerprint(), encoder.fingerprint())?;
        match index.left_out().iter().find(|document| is_readable(dataset, document.row)) {
            None => Ok(index),
            Some(mended) => Err(IndexError::Incomplete { path: folder.into(), document: mended.document.clone() }),
        }
    }

    /// Builds the index of a dataset in `folder` (`WORKSPACE/index`) and opens it. The old index stays until the new one
    /// is complete, and its vectors of the same encoder are reused. An error from `progress` ends the build.
    ///
    /// # Errors
    /// Fails if `progress` fails, the encoder fails or returns vectors that are not of length 1, the disk is full, or no
    /// image can be read.
    /// Waits while another process is building.
    pub fn build(
        dataset: &Dataset,
        folder: &Path,
        encoder: &dyn Embedder,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<Self> {
        Self::build_with(dataset, folder, encoder, FLAT_LIMIT, false, progress)
    }

    /// Like [`Index::build`], with the maximum size of a Flat index; `afresh` reuses nothing of the old index.
    ///
    /// # Errors
    /// Fails like [`Index::build`].
    pub fn build_with(
        dataset: &Dataset,
        folder: &Path,
        encoder: &dyn Embedder,
        flat_limit: usize,
        afresh: bool,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<Self> {
        ensure!(
            !dataset.corpus.is_empty(),
            "{0} has cases and no corpus, so there is nothing to index: add documents (`dissent import FORMAT SOURCE --as \
             corpus --into {0}`), or predict with --closed-book",
            dataset.root.display()
        );
        let workspace = folder.parent().context("expected the index folder inside a workspace")?;
        let _lock =
            BuildLock::take(workspace, &mut || progress(Progress { stage: Stage::Waiting, done: 0, total: 1 }))?;
        // Computed before the images are read, so that a corpus that changes meanwhile makes the index stale, not wrong.
        let corpus_fingerprint = dataset.corpus_fingerprint();
        let (known_images, known_captions) =
            if afresh { (KnownVectors::new(), KnownVectors::new()) } else { known_vectors(folder, encoder) };
        let corpus = embed_corpus(dataset, encoder, known_images, known_captions, progress)?;
        if let (Some(first), true) = (corpus.left_out.first(), corpus.left_out.len() == dataset.corpus.len()) {
            anyhow::bail!(
                "none of the {} corpus images can be read; the first: {}",
                corpus.left_out.len(),
                first.reason
            );
        }
        progress(Progress { stage: Stage::Writing, done: 0, total: 1 })?;
        let contents = contents_of(&corpus);
        let mut manifest = Manifest {
            version: VERSION,
            date: OffsetDateTime::now_utc().format(&Rfc3339).context("cannot write the date")?,
            documents: dataset.corpus.len(),
            corpus: corpus_fingerprint,
            tokenizer: TOKENIZER.into(),
            conversion: CONVERSION_VERSION.into(),
            contents: Fingerprint::of_bytes(contents.as_bytes()),
            encoder: EncoderStamp {
                name: encoder.name().into(),
                fingerprint: encoder.fingerprint().clone(),
                dimension: encoder.dimension(),
            },
            image: VectorKind::choose(dataset.corpus.len() - corpus.left_out.len(), flat_limit),
            caption: VectorKind::choose(dataset.corpus.len(), flat_limit),
            files: BTreeMap::new(),
            left_out: corpus.left_out.clone(),
        };
        let aside = tempfile::Builder::new()
            .prefix(ASIDE_PREFIX)
            .tempdir_in(workspace)
            .with_context(|| format!("cannot write in {}", workspace.display()))?;
        // tempdir creates a private folder; a group that shares the workspace must be able to read the index.
        let building = aside.path().join("index");
        std::fs::create_dir(&building).with_context(|| format!("cannot create {}", building.display()))?;
        write_all(&building, dataset, &corpus, &contents, &mut manifest)?;
        drop(corpus);
        // FAISS and Tantivy buffer; opening the index proves that it was written completely.
        drop(Self::load(&building, manifest.clone())?);
        sync_all(&building)?;
        durable::replace_folder(&building, folder)?;
        progress(Progress { stage: Stage::Writing, done: 1, total: 1 })?;
        Ok(Self::load(folder, manifest)?)
    }

    fn load(folder: &Path, manifest: Manifest) -> Result<Self, IndexError> {
        check_files(folder, &manifest)?;
        let dimension = manifest.encoder.dimension;
        let images = VectorIndex::load(&folder.join(IMAGE_FILE), dimension, manifest.image_rows(), manifest.image)?;
        let captions =
            VectorIndex::load(&folder.join(CAPTION_FILE), dimension, manifest.caption_rows(), manifest.caption)?;
        let text = TextIndex::open(&folder.join(TEXT_FOLDER), manifest.documents)?;
        let vectors = VectorFile::open(&folder.join(VECTOR_FILE), manifest.documents, dimension)?;
        Ok(Self { folder: folder.into(), manifest, images, captions, text, vectors })
    }

    /// The index of the image vectors or of the caption vectors.
    pub fn side(&self, side: VectorSide) -> &VectorIndex {
        match side {
            VectorSide::Image => &self.images,
            VectorSide::Caption => &self.captions,
        }
    }

    /// The caption index.
    pub fn text(&self) -> &TextIndex {
        &self.text
    }

    /// The best `limit` documents on one side for a unit vector, like [`VectorIndex::search`].
    ///
    /// # Errors
    /// Fails like [`VectorIndex::search`].
    pub fn search(
        &self,
        side: VectorSide,
        query: &[f32],
        limit: usize,
        allowed: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<(usize, f32)>> {
        self.side(side).search(query, limit, allowed)
    }

    /// A document's own vector, read from disk; `None` if its image was left out.
    ///
    /// # Errors
    /// Fails if the row is not in the corpus or the file cannot be read.
    pub fn document_vector(&self, side: VectorSide, row: usize) -> Result<Option<Vec<f32>>> {
        let vector = self.vectors.row(side as usize, row)?;
        Ok(self.side(side).position(row).map(|_| vector))
    }

    /// Documents whose image could not be read.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.manifest.left_out
    }

    /// Number of documents, including those left out.
    pub fn documents(&self) -> usize {
        self.manifest.documents
    }

    /// Name of the encoder that made the vectors.
    pub fn encoder_name(&self) -> &str {
        &self.manifest.encoder.name
    }

    /// Build date, RFC 3339 in UTC.
    pub fn date(&self) -> &str {
        &self.manifest.date
    }

    /// Fingerprint of corpus, image contents, encoder and kind of index: equal fingerprints give equal results.
    pub fn fingerprint(&self) -> Fingerprint {
        let kinds = [self.manifest.image.to_string(), self.manifest.caption.to_string()];
        Fingerprint::of_parts([
            self.manifest.corpus.as_str(),
            self.manifest.contents.as_str(),
            self.manifest.encoder.fingerprint.as_str(),
            &kinds[0],
            &kinds[1],
        ])
    }

    /// Text such as "Flat, 420 vectors of 64".
    pub fn description(&self) -> String {
        self.images.description()
    }

    /// Text such as "exact search, 420 images".
    pub fn summary(&self) -> String {
        self.images.summary()
    }

    /// The folder of the index.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn check_corpus(folder: &Path, manifest: &Manifest, corpus: &Fingerprint) -> Result<(), IndexError> {
    let rules = [
        ("tokenizer", manifest.tokenizer.clone(), TOKENIZER.to_owned()),
        ("conversion of images", manifest.conversion.clone(), CONVERSION_VERSION.to_string()),
    ];
    for (what, found, expected) in rules {
        if found != expected {
            return Err(IndexError::OtherRule { path: folder.into(), what, expected, found });
        }
    }
    if manifest.corpus == *corpus {
        return Ok(());
    }
    Err(IndexError::Stale {
        path: folder.into(),
        what: "corpus",
        expected: corpus.clone(),
        found: manifest.corpus.clone(),
    })
}
