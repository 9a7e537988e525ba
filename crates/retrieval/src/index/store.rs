//! The index of one corpus by one encoder. It is opened completely or not at all, built in a temporary folder and renamed.

use super::build::{KnownVectors, embed_corpus};
use super::files::{
    CAPTION_FILE, IMAGE_FILE, MANIFEST_FILE, TEXT_FOLDER, check_files, known_vectors, open_vectors, row_of_image,
};
use super::finish::{Aside, Built, IndexSettings, finish};
use super::given_queries::{GivenQueries, QUERY_FILE};
use super::images::is_readable;
use super::lock::begin_build;
use super::manifest::{EncoderStamp, Manifest};
use super::vector_file::VectorFile;
use super::{Embedder, EncoderProbe, GivenStamp, IndexError, LeftOut, Progress, TOKENIZER, TextIndex, VectorIndex};
use anyhow::{Context, Result, bail, ensure};
use dissent_core::data::{CONVERSION_VERSION, Dataset, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Chooses one of a document's two vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// Vectors of the cases, if another program computed the vectors.
    queries: Option<GivenQueries>,
}

impl Index {
    /// Opens the index in `folder` (`WORKSPACE/index`) if it was built from this corpus by this encoder.
    ///
    /// # Errors
    /// Fails if the index is missing, stale or damaged; see [`IndexError`].
    pub fn open(folder: &Path, corpus: &Fingerprint, encoder: &Fingerprint) -> Result<Self, IndexError> {
        let manifest = Manifest::read(&folder.join(MANIFEST_FILE))?;
        if manifest.given.is_some() {
            return Err(IndexError::Given { path: folder.into(), name: manifest.encoder.name });
        }
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

    /// Whether the index in `folder` has vectors that another program computed.
    pub fn is_given(folder: &Path) -> bool {
        match Manifest::read(&folder.join(MANIFEST_FILE)) {
            Ok(manifest) => manifest.given.is_some(),
            // Only such an index has this file. An encoder must not replace it because its manifest is damaged.
            Err(_) => folder.join(QUERY_FILE).exists(),
        }
    }

    /// What the server was known by that made the index in `folder`, if one did.
    pub fn probe_of(folder: &Path) -> Option<EncoderProbe> {
        Manifest::read(&folder.join(MANIFEST_FILE)).ok()?.encoder.probe
    }

    /// The settings of the index in `folder`, which its next build has, too; the usual ones if there is no index.
    pub fn settings_of(folder: &Path) -> IndexSettings {
        Manifest::read(&folder.join(MANIFEST_FILE))
            .map_or_else(|_| IndexSettings::default(), |manifest| manifest.settings)
    }

    /// Where the vectors of the index in `folder` are from, if another program computed them.
    pub fn given_stamp(folder: &Path) -> Option<GivenStamp> {
        Manifest::read(&folder.join(MANIFEST_FILE)).ok()?.given
    }

    /// Opens the index in `folder` if its vectors are another program's; `None` if it is an encoder's, missing or
    /// unreadable.
    ///
    /// # Errors
    /// Fails with [`IndexError::GivenStale`] if the corpus, a file of vectors or a rule of this program has changed since,
    /// or the index is damaged.
    pub fn open_given(folder: &Path, corpus: &Fingerprint) -> Result<Option<Self>, IndexError> {
        let manifest = match Manifest::read(&folder.join(MANIFEST_FILE)) {
            Ok(manifest) => manifest,
            Err(error) if Self::is_given(folder) => {
                let command = "dissent index DATASET --image-vectors FILE --caption-vectors FILE --query-vectors FILE";
                return Err(IndexError::GivenStale {
                    path: folder.into(),
                    reason: error.to_string(),
                    command: command.into(),
                });
            }
            Err(_) => return Ok(None),
        };
        let Some(given) = manifest.given.clone() else { return Ok(None) };
        let stale =
            |reason: String| Err(IndexError::GivenStale { path: folder.into(), reason, command: given.command() });
        match check_corpus(folder, &manifest, corpus) {
            Err(IndexError::Stale { .. }) => return stale("the corpus or its images have changed since".into()),
            Err(IndexError::OtherRule { what, expected, found, .. }) => {
                return stale(format!("its {what} is {found}, this program's is {expected}"));
            }
            checked => checked?,
        }
        if let Some(file) = given.changed_file() {
            return stale(format!("{} has changed since", file.display()));
        }
        match Self::load(folder, manifest) {
            Err(IndexError::Damaged { path, reason }) => stale(format!("{} is damaged: {reason}", path.display())),
            loaded => loaded.map(Some),
        }
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
        if let (Some(then), Some(now)) = (Self::probe_of(folder), encoder.probe())
            && then.model == now.model
            && then.fingerprint != now.fingerprint
        {
            let (path, name) = (folder.into(), encoder.name().to_string());
            let (expected, found) = (then.fingerprint, now.fingerprint.clone());
            return Err(IndexError::ServerChanged { path, name, expected, found });
        }
        let index = Self::open(folder, &dataset.corpus_fingerprint(), encoder.fingerprint())?;
        match index.left_out().iter().find(|document| is_readable(dataset, document.row)) {
            None => Ok(index),
            Some(mended) => Err(IndexError::Incomplete { path: folder.into(), document: mended.document.clone() }),
        }
    }

    /// Builds the index of a dataset in `folder` (`WORKSPACE/index`) and opens it. The old index stays until the new one
    /// is complete; its settings and its vectors of the same encoder are reused. An error from `progress` ends the build.
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
        Self::build_with(dataset, folder, encoder, Self::settings_of(folder), false, progress)
    }

    /// Like [`Index::build`], with settings; `afresh` reuses nothing of the old index.
    ///
    /// # Errors
    /// Fails like [`Index::build`].
    pub fn build_with(
        dataset: &Dataset,
        folder: &Path,
        encoder: &dyn Embedder,
        settings: IndexSettings,
        afresh: bool,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<Self> {
        refuse_empty_corpus(dataset)?;
        let (workspace, _lock) = begin_build(folder, progress)?;
        // Computed before the images are read, so that a corpus that changes meanwhile makes the index stale, not wrong.
        let corpus_fingerprint = dataset.corpus_fingerprint_now();
        let (mut images, mut captions) =
            if afresh { <(KnownVectors, KnownVectors)>::default() } else { known_vectors(folder, encoder) };
        let aside = Aside::create(workspace)?;
        let total = dataset.corpus.len();
        let vectors = aside.vectors(rows_of_sides(encoder, total), encoder.dimension())?;
        let known = (&mut images, &mut captions);
        let corpus = embed_corpus(dataset, 0..total, encoder, vectors, known, progress)?;
        let built =
            Built { corpus_fingerprint, encoder: EncoderStamp::of(encoder), given: None, queries: None, settings };
        finish(dataset, (aside, folder), corpus, built, progress)
    }

    pub(super) fn load(folder: &Path, manifest: Manifest) -> Result<Self, IndexError> {
        check_files(folder, &manifest)?;
        let dimension = manifest.encoder.dimension;
        let images = VectorIndex::load(&folder.join(IMAGE_FILE), dimension, manifest.image_rows(), manifest.image)?;
        let captions =
            VectorIndex::load(&folder.join(CAPTION_FILE), dimension, manifest.caption_rows(), manifest.caption)?;
        let text = TextIndex::open(&folder.join(TEXT_FOLDER), manifest.documents)?;
        let vectors = open_vectors(folder, &manifest)?;
        let images = images.with_vectors(&vectors, VectorSide::Image, manifest.image_recall);
        let captions = captions.with_vectors(&vectors, VectorSide::Caption, manifest.caption_recall);
        let given_queries = manifest.given.as_ref().and_then(|given| given.query.as_ref());
        let queries = given_queries.map(|file| GivenQueries::open(folder, file.vectors, dimension)).transpose()?;
        Ok(Self { folder: folder.into(), manifest, images, captions, text, vectors, queries })
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

    /// A document's own vector; `None` if its image was left out, or the index has no such vectors.
    ///
    /// # Errors
    /// Fails if the row is not in the corpus.
    pub fn document_vector(&self, side: VectorSide, row: usize) -> Result<Option<Vec<f32>>> {
        if self.side(side).position(row).is_none() && row < self.manifest.documents {
            return Ok(None);
        }
        let vector = self.vectors.row(side as usize, row);
        let count = self.vectors.rows(side as usize);
        vector.map(|vector| Some(vector.to_vec())).with_context(|| format!("expected a row below {count}, found {row}"))
    }

    /// Whether documents have vectors on this side. Only an index with another program's vectors may lack one.
    pub fn has_side(&self, side: VectorSide) -> bool {
        self.manifest.has_side(side)
    }

    /// Where the vectors are from, if another program computed them.
    pub fn given(&self) -> Option<&GivenStamp> {
        self.manifest.given.as_ref()
    }

    /// The vector that another program computed for a case.
    ///
    /// # Errors
    /// Fails if the index has none, or the case's image is not the one whose vector it is.
    pub fn query_vector(&self, case: &str, image: &Fingerprint) -> Result<Vec<f32>> {
        let queries = self.queries.as_ref().with_context(|| {
            format!(
                "the index in {} has no vectors of the cases, which retrieval compares with those of the documents; give \
                 them with `{} --query-vectors FILE`",
                self.folder.display(),
                self.manifest.given.as_ref().map_or_else(String::new, GivenStamp::command)
            )
        })?;
        queries.vector(case, image)
    }

    /// The vector of an image that is a document's, or this case's: another program computed the vectors, so there are no
    /// others.
    ///
    /// # Errors
    /// Fails if it is neither, or the index cannot be read.
    pub fn given_vector_of(&self, case: Option<&str>, picture: &Picture) -> Result<Vec<f32>> {
        if let Some(vector) = case.and_then(|case| self.query_vector(case, &picture.fingerprint).ok()) {
            return Ok(vector);
        }
        if let Some(row) = row_of_image(&self.folder, &picture.fingerprint)?
            && let Some(vector) = self.document_vector(VectorSide::Image, row)?
        {
            return Ok(vector);
        }
        bail!(
            "{} has no vector: the index in {} has vectors of another program ({}) and no encoder, so only images of its \
             documents can be searched; `dissent index DATASET --encoder DIR --force` makes an index that can search any image",
            picture.path.display(),
            self.folder.display(),
            self.encoder_name()
        )
    }

    /// Fingerprint of the encoder, or of the vectors if another program computed them.
    pub fn encoder_fingerprint(&self) -> &Fingerprint {
        &self.manifest.encoder.fingerprint
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.manifest.encoder.dimension
    }

    /// Documents whose image could not be read.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.manifest.left_out
    }

    /// Number of documents, including those left out.
    pub fn documents(&self) -> usize {
        self.manifest.documents
    }

    /// Name of the encoder that made the vectors, or of the files that they are from.
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
        if self.has_side(VectorSide::Image) { self.images.summary("images") } else { self.captions.summary("captions") }
    }

    /// The folder of the index.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Number of image vectors and of caption vectors that an encoder makes of so many documents.
pub(super) fn rows_of_sides(encoder: &dyn Embedder, documents: usize) -> [usize; 2] {
    [encoder.embeds_pictures(), encoder.embeds_texts()].map(|is_embedded| if is_embedded { documents } else { 0 })
}

/// Fails if there is nothing to index.
pub(crate) fn refuse_empty_corpus(dataset: &Dataset) -> Result<()> {
    ensure!(
        !dataset.corpus.is_empty(),
        "{0} has cases and no corpus, so there is nothing to index: add documents (`dissent import FORMAT SOURCE --as \
         corpus --into {0}`), or predict with --closed-book",
        dataset.root.display()
    );
    Ok(())
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
