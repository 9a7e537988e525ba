//! Writes the files of an index, and reads them for the next build.

use super::build::{EmbeddedCorpus, KnownVectors};
use super::given_queries::{QUERY_FILE, QUERY_IDS, QueryVectors};
use super::manifest::Manifest;
use super::probes::choose_probes;
use super::vector_file::VectorFile;
use super::{Embedder, IndexError, Progress, Stage, TextIndex, VectorIndex, VectorKind, VectorSide};
use anyhow::{Context, Result};
use dissent_core::data::{CONVERSION_VERSION, Dataset};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::known_files::fingerprint_of_file;
use dissent_core::files::{durable, input_file};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;

/// Maximum size: a line of 34 bytes for each of ten million documents.
pub(super) const MOST_CONTENTS: u64 = 340 << 20;
pub(super) const MANIFEST_FILE: &str = "index.toml";
pub(super) const IMAGE_FILE: &str = "image.faiss";
pub(super) const CAPTION_FILE: &str = "caption.faiss";
pub(super) const VECTOR_FILE: &str = "vectors.safetensors";
/// One line per document: hashes of image and caption, "-" for a left-out image.
pub(super) const CONTENT_FILE: &str = "contents.tsv";
/// Files with vectors, which are checked before use.
const VECTORS: [&str; 3] = [IMAGE_FILE, CAPTION_FILE, VECTOR_FILE];
/// The same for vectors of cases.
const QUERIES: [&str; 2] = [QUERY_FILE, QUERY_IDS];
pub(super) const TEXT_FOLDER: &str = "text";

/// The lines of `contents.tsv`.
pub(super) fn contents_of(corpus: &EmbeddedCorpus) -> String {
    let mut contents = String::new();
    for (image, caption) in corpus.image_contents.iter().zip(&corpus.caption_contents) {
        let image = image.as_ref().map_or("-", Fingerprint::as_str);
        contents.push_str(&format!("{image}\t{caption}\n"));
    }
    contents
}

/// Writes the files of an index into a folder, beside the vectors that are there.
pub(super) fn write_all(
    folder: &Path,
    dataset: &Dataset,
    contents: &str,
    queries: Option<&QueryVectors>,
    (vectors, recall): (&VectorFile, f64),
    manifest: &mut Manifest,
    progress: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<()> {
    let image_rows = manifest.image_rows();
    for (side, name, rows) in [
        (VectorSide::Image, IMAGE_FILE, image_rows.clone()),
        (VectorSide::Caption, CAPTION_FILE, manifest.caption_rows()),
    ] {
        let total = rows.len();
        let stage = |stage: Stage, done: usize| Progress { stage, done, total };
        if manifest.kind(side) != VectorKind::Flat {
            progress(stage(Stage::Clusters, 0))?;
        }
        let (all, dimension) = (vectors.all(side as usize), vectors.dimension());
        let what = if side == VectorSide::Image { "image vectors" } else { "caption vectors" };
        let mut added = |done: usize| progress(stage(Stage::Vectors, done));
        let index = VectorIndex::build(all, dimension, rows, manifest.kind(side), &mut added).context(what)?;
        let mut index = index.with_vectors(vectors, side, None);
        if index.kind() != VectorKind::Flat {
            progress(stage(Stage::Recall, 0))?;
            let query_rows = if image_rows.is_empty() { index.rows().to_vec() } else { image_rows.clone() };
            choose_probes(&mut index, vectors, side, &query_rows, recall).context(what)?;
            manifest.set_measured(side, index.kind(), index.recall());
        }
        index.save(&folder.join(name))?;
    }
    progress(Progress { stage: Stage::Writing, done: 0, total: 1 })?;
    TextIndex::write(&folder.join(TEXT_FOLDER), &dataset.corpus)?;
    durable::write_file(&folder.join(CONTENT_FILE), contents.as_bytes())?;
    if let Some(queries) = queries {
        queries.write(folder, manifest.encoder.dimension)?;
    }
    for name in vector_files(manifest) {
        let path = folder.join(name);
        let content = fingerprint_of_file(&path).with_context(|| format!("cannot read {}", path.display()))?;
        manifest.files.insert(name.to_owned(), content);
    }
    manifest.write(&folder.join(MANIFEST_FILE))
}

/// The files with vectors that an index has.
fn vector_files(manifest: &Manifest) -> impl Iterator<Item = &'static str> + use<> {
    let has_queries = manifest.given.as_ref().is_some_and(|given| given.query.is_some());
    VECTORS.into_iter().chain(QUERIES.into_iter().filter(move |_| has_queries))
}

/// Opens the document vectors.
pub(super) fn open_vectors(folder: &Path, manifest: &Manifest) -> Result<VectorFile, IndexError> {
    let rows = |side| manifest.tensor_rows(side);
    let shapes = [("image", rows(VectorSide::Image)), ("caption", rows(VectorSide::Caption))];
    VectorFile::open(&folder.join(VECTOR_FILE), &shapes, manifest.encoder.dimension)
}

/// Checks the files that FAISS trusts: a wrong count in one would use up all memory.
///
/// # Errors
/// Fails with [`IndexError::Damaged`] if a file has changed since it was written.
pub(super) fn check_files(folder: &Path, manifest: &Manifest) -> Result<(), IndexError> {
    for name in vector_files(manifest) {
        let path = folder.join(name);
        let found = fingerprint_of_file(&path).map_err(|error| IndexError::unreadable(&path, &error))?;
        let Some(expected) = manifest.files.get(name) else {
            return Err(IndexError::damaged(&folder.join(MANIFEST_FILE), format!("expected {name} under files")));
        };
        if found != *expected {
            return Err(IndexError::damaged(&path, format!("expected the content {expected}, found {found}")));
        }
    }
    Ok(())
}

/// The row of the first document with an image of this content.
pub(super) fn row_of_image(folder: &Path, content: &Fingerprint) -> Result<Option<usize>> {
    let path = folder.join(CONTENT_FILE);
    let contents =
        input_file::read_text(&path, MOST_CONTENTS).with_context(|| format!("cannot read {}", path.display()))?;
    let has_it = |line: &str| line.split_once('\t').is_some_and(|(image, _)| image == content.as_str());
    Ok(contents.lines().position(has_it))
}

/// Contents of the images of an earlier index that could be decoded then, whichever vectors it has.
pub(super) fn known_images(folder: &Path) -> HashSet<Fingerprint> {
    let is_current = |manifest: Manifest| manifest.conversion == CONVERSION_VERSION;
    if !Manifest::read(&folder.join(MANIFEST_FILE)).is_ok_and(is_current) {
        return HashSet::new();
    }
    let contents = input_file::read_text(&folder.join(CONTENT_FILE), MOST_CONTENTS).unwrap_or_default();
    contents.lines().filter_map(|line| Fingerprint::parse(line.split_once('\t')?.0)).collect()
}

/// Vectors of images and captions of an earlier index of the same encoder, by content; none if that index is unusable.
pub(super) fn known_vectors(folder: &Path, encoder: &dyn Embedder) -> (KnownVectors, KnownVectors) {
    let none = (KnownVectors::default(), KnownVectors::default());
    let Ok(manifest) = Manifest::read(&folder.join(MANIFEST_FILE)) else { return none };
    let stamp = &manifest.encoder;
    if manifest.conversion != CONVERSION_VERSION
        || stamp.fingerprint != *encoder.fingerprint()
        || stamp.dimension != encoder.dimension()
    {
        return none;
    }
    let Ok(vectors) = open_vectors(folder, &manifest) else { return none };
    let Ok(contents) = input_file::read_text(&folder.join(CONTENT_FILE), MOST_CONTENTS) else { return none };
    let (mut images, mut captions) = (HashMap::new(), HashMap::new());
    for (row, line) in contents.lines().enumerate() {
        let Some((image, caption)) = line.split_once('\t') else { continue };
        // A vector whose length is not 1 is damaged and is computed again.
        let is_sound =
            |side| vectors.row(side as usize, row).is_some_and(|vector| super::vectors::unit(vector).is_ok());
        if let (Some(image), true) = (Fingerprint::parse(image), is_sound(VectorSide::Image)) {
            images.insert(image, row);
        }
        if let (Some(caption), true) = (Fingerprint::parse(caption), is_sound(VectorSide::Caption)) {
            captions.insert(caption, row);
        }
    }
    (KnownVectors::of_earlier(vectors.clone(), images), KnownVectors::of_earlier(vectors, captions))
}

/// Syncs every file of a folder, and the folders.
pub(super) fn sync_all(folder: &Path) -> Result<()> {
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
