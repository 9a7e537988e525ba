//! The index of one corpus by one encoder: opened whole or not at all, built aside and renamed.

use super::build::{EmbeddedCorpus, KnownVectors, embed_corpus};
use super::images::is_readable;
use super::lock::{ASIDE_PREFIX, BuildLock};
use super::manifest::{EncoderStamp, Manifest, VERSION};
use super::vector_file::VectorFile;
use super::{Embedder, FLAT_LIMIT, IndexError, LeftOut, Progress, Stage, TextIndex, VectorIndex, VectorKind};
use crate::data::Dataset;
use crate::durable;
use crate::fingerprint::Fingerprint;
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const MANIFEST_FILE: &str = "index.toml";
const IMAGE_FILE: &str = "image.faiss";
const CAPTION_FILE: &str = "caption.faiss";
const VECTOR_FILE: &str = "vectors.safetensors";
/// One line a document: hashes of image and caption, "-" for an image that was left out.
const CONTENT_FILE: &str = "contents.tsv";
const TEXT_FOLDER: &str = "text";

/// Which of a document's two vectors.
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
    /// Missing, stale or damaged, as [`IndexError`] says.
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
    /// As [`Index::open`].
    pub fn open_text(folder: &Path, corpus: &Fingerprint) -> Result<TextIndex, IndexError> {
        let manifest = Manifest::read(&folder.join(MANIFEST_FILE))?;
        check_corpus(folder, &manifest, corpus)?;
        TextIndex::open(&folder.join(TEXT_FOLDER), manifest.documents)
    }

    /// Opens the index of a dataset, or builds it where it is missing, stale, incomplete or damaged; `on_rebuild` hears
    /// which before the build begins.
    ///
    /// # Errors
    /// If it cannot be built.
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

    /// As [`Index::open`]; nothing that was left out may be readable by now. The corpus fingerprint cannot tell: a file
    /// of the same size may hold something else, or may be ours to read since.
    fn open_complete(dataset: &Dataset, folder: &Path, encoder: &dyn Embedder) -> Result<Self, IndexError> {
        let index = Self::open(folder, &dataset.corpus_fingerprint(), encoder.fingerprint())?;
        match index.left_out().iter().find(|document| is_readable(dataset, document.row)) {
            None => Ok(index),
            Some(mended) => Err(IndexError::Incomplete { path: folder.into(), document: mended.document.clone() }),
        }
    }

    /// Builds the index of a dataset in `folder` (`WORKSPACE/index`) and opens it. The old one stays until the new one
    /// is whole; what it has of the same encoder is not embedded again. An error from `progress` ends the build.
    ///
    /// # Errors
    /// If `progress` says so, the encoder fails or gives vectors that are not of length 1, the disk is full, or no image can be read.
    /// Where another process is building it waits.
    pub fn build(
        dataset: &Dataset,
        folder: &Path,
        encoder: &dyn Embedder,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<Self> {
        Self::build_with(dataset, folder, encoder, FLAT_LIMIT, false, progress)
    }

    /// As [`Index::build`], with the largest size of a Flat index; `afresh` takes nothing over from the old one.
    ///
    /// # Errors
    /// As [`Index::build`].
    pub fn build_with(
        dataset: &Dataset,
        folder: &Path,
        encoder: &dyn Embedder,
        flat_limit: usize,
        afresh: bool,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<Self> {
        ensure!(!dataset.corpus.is_empty(), "the corpus of {} is empty: nothing to index", dataset.root.display());
        let workspace = folder.parent().context("expected the index folder inside a workspace")?;
        let _lock =
            BuildLock::take(workspace, &mut || progress(Progress { stage: Stage::Waiting, done: 0, total: 1 }))?;
        // Before the images are read: a corpus that changes meanwhile makes the index stale, not wrong.
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
        let manifest = Manifest {
            version: VERSION,
            date: OffsetDateTime::now_utc().format(&Rfc3339).context("cannot write the date")?,
            documents: dataset.corpus.len(),
            corpus: corpus_fingerprint,
            contents: Fingerprint::of_bytes(contents.as_bytes()),
            encoder: EncoderStamp {
                name: encoder.name().into(),
                fingerprint: encoder.fingerprint().clone(),
                dimension: encoder.dimension(),
            },
            image: VectorKind::choose(dataset.corpus.len() - corpus.left_out.len(), flat_limit),
            caption: VectorKind::choose(dataset.corpus.len(), flat_limit),
            left_out: corpus.left_out.clone(),
        };
        let aside = tempfile::Builder::new()
            .prefix(ASIDE_PREFIX)
            .tempdir_in(workspace)
            .with_context(|| format!("cannot write in {}", workspace.display()))?;
        // tempdir makes it readable by its owner alone; a group that shares the workspace shares the index.
        let building = aside.path().join("index");
        std::fs::create_dir(&building).with_context(|| format!("cannot create {}", building.display()))?;
        write_all(&building, dataset, &corpus, &contents, &manifest)?;
        drop(corpus);
        // FAISS and Tantivy buffer; what can be opened whole has been written whole.
        drop(Self::load(&building, manifest.clone())?);
        sync_all(&building)?;
        durable::replace_folder(&building, folder)?;
        progress(Progress { stage: Stage::Writing, done: 1, total: 1 })?;
        Ok(Self::load(folder, manifest)?)
    }

    fn load(folder: &Path, manifest: Manifest) -> Result<Self, IndexError> {
        let dimension = manifest.encoder.dimension;
        let images = VectorIndex::load(&folder.join(IMAGE_FILE), dimension, manifest.image_rows(), manifest.image)?;
        let captions =
            VectorIndex::load(&folder.join(CAPTION_FILE), dimension, manifest.caption_rows(), manifest.caption)?;
        let text = TextIndex::open(&folder.join(TEXT_FOLDER), manifest.documents)?;
        let vectors = VectorFile::open(&folder.join(VECTOR_FILE), manifest.documents, dimension)?;
        Ok(Self { folder: folder.into(), manifest, images, captions, text, vectors })
    }

    /// Image vectors or caption vectors, to be searched.
    pub fn side(&self, side: VectorSide) -> &VectorIndex {
        match side {
            VectorSide::Image => &self.images,
            VectorSide::Caption => &self.captions,
        }
    }

    /// Captions, to be searched by words.
    pub fn text(&self) -> &TextIndex {
        &self.text
    }

    /// The best `limit` documents on one side for a unit vector, as [`VectorIndex::search`].
    ///
    /// # Errors
    /// As [`VectorIndex::search`].
    pub fn search(
        &self,
        side: VectorSide,
        query: &[f32],
        limit: usize,
        allowed: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<(usize, f32)>> {
        self.side(side).search(query, limit, allowed)
    }

    /// A document's own vector, read from disk; `None` where its image was left out.
    ///
    /// # Errors
    /// If the row is not in the corpus or the file cannot be read.
    pub fn document_vector(&self, side: VectorSide, row: usize) -> Result<Option<Vec<f32>>> {
        let vector = self.vectors.row(side as usize, row)?;
        Ok(self.side(side).position(row).map(|_| vector))
    }

    /// Documents whose image could not be read.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.manifest.left_out
    }

    /// Number of documents, with those left out.
    pub fn documents(&self) -> usize {
        self.manifest.documents
    }

    /// Name of the encoder that made the vectors.
    pub fn encoder_name(&self) -> &str {
        &self.manifest.encoder.name
    }

    /// When it was built, RFC 3339 in UTC.
    pub fn date(&self) -> &str {
        &self.manifest.date
    }

    /// Of corpus, contents of its files, encoder and kind of index: the same fingerprint gives the same results.
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

    /// "Flat, 420 vectors of 64".
    pub fn description(&self) -> String {
        self.images.description()
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn check_corpus(folder: &Path, manifest: &Manifest, corpus: &Fingerprint) -> Result<(), IndexError> {
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

/// The lines of `contents.tsv`.
fn contents_of(corpus: &EmbeddedCorpus) -> String {
    let mut contents = String::new();
    for (image, caption) in corpus.image_contents.iter().zip(&corpus.caption_contents) {
        let image = image.as_ref().map_or("-", Fingerprint::as_str);
        contents.push_str(&format!("{image}\t{caption}\n"));
    }
    contents
}

fn write_all(
    folder: &Path,
    dataset: &Dataset,
    corpus: &EmbeddedCorpus,
    contents: &str,
    manifest: &Manifest,
) -> Result<()> {
    let dimension = manifest.encoder.dimension;
    let image_rows = manifest.image_rows();
    let with_image: Vec<f32>;
    let images = if image_rows.len() == manifest.documents {
        &corpus.images
    } else {
        let row_of = |row: &u32| &corpus.images[*row as usize * dimension..(*row as usize + 1) * dimension];
        with_image = image_rows.iter().flat_map(row_of).copied().collect();
        &with_image
    };
    VectorIndex::build(images, dimension, image_rows, manifest.image)
        .context("image vectors")?
        .save(&folder.join(IMAGE_FILE))?;
    VectorIndex::build(&corpus.captions, dimension, manifest.caption_rows(), manifest.caption)
        .context("caption vectors")?
        .save(&folder.join(CAPTION_FILE))?;
    TextIndex::write(&folder.join(TEXT_FOLDER), &dataset.corpus)?;
    VectorFile::write(&folder.join(VECTOR_FILE), &corpus.images, &corpus.captions, dimension)?;
    durable::write_file(&folder.join(CONTENT_FILE), contents.as_bytes())?;
    manifest.write(&folder.join(MANIFEST_FILE))
}

/// Vectors of an earlier index by the same encoder, by content; none where anything is wrong with it.
fn known_vectors(folder: &Path, encoder: &dyn Embedder) -> (KnownVectors, KnownVectors) {
    let mut known = (KnownVectors::new(), KnownVectors::new());
    let Ok(manifest) = Manifest::read(&folder.join(MANIFEST_FILE)) else { return known };
    let stamp = &manifest.encoder;
    if stamp.fingerprint != *encoder.fingerprint() || stamp.dimension != encoder.dimension() {
        return known;
    }
    let Ok(vectors) = VectorFile::open(&folder.join(VECTOR_FILE), manifest.documents, stamp.dimension) else {
        return known;
    };
    let Ok(contents) = std::fs::read_to_string(folder.join(CONTENT_FILE)) else { return known };
    for (row, line) in contents.lines().enumerate() {
        let Some((image, caption)) = line.split_once('\t') else { continue };
        // A vector that is not of length 1 is damaged and is made again.
        let sound = |tensor| vectors.row(tensor, row).ok().filter(|vector| super::vectors::unit(vector).is_ok());
        if let (Some(image), Some(vector)) = (Fingerprint::parse(image), sound(0)) {
            known.0.insert(image, vector);
        }
        if let (Some(caption), Some(vector)) = (Fingerprint::parse(caption), sound(1)) {
            known.1.insert(caption, vector);
        }
    }
    known
}

/// Brings every file of a folder, and the folders, to disk.
fn sync_all(folder: &Path) -> Result<()> {
    let in_folder = || format!("cannot sync {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(in_folder)? {
        let entry = entry.with_context(in_folder)?;
        if entry.file_type().with_context(in_folder)?.is_dir() {
            sync_all(&entry.path())?;
            continue;
        }
        File::open(entry.path()).and_then(|file| file.sync_all()).with_context(in_folder)?;
    }
    File::open(folder).and_then(|handle| handle.sync_all()).with_context(in_folder)
}
