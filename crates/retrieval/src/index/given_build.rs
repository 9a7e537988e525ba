//! Builds an index of vectors that another program computed. Images are decoded once, because one that cannot be read is
//! left out, as in an index by an encoder: no reader could be shown it.

use super::build::EmbeddedCorpus;
use super::files::known_images;
use super::finish::{Aside, Built, IndexSettings, finish};
use super::given_files::OpenedVectors;
use super::given_queries::{QueryCase, QueryVectors};
use super::images::for_each_batch;
use super::lock::begin_build;
use super::manifest::EncoderStamp;
use super::store::refuse_empty_corpus;
use super::vector_file::{VectorFile, VectorFileWriter};
use super::{GivenFiles, GivenStamp, Index, LeftOut, Progress, Stage, VectorSide};
use anyhow::{Result, bail, ensure};
use dissent_core::data::{CASES_FILE, CORPUS_FILE, Dataset, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::text::printable::message_of;
use rayon::prelude::*;
use std::collections::HashSet;
use std::path::Path;

impl Index {
    /// Builds the index of a dataset in `folder` from files of vectors, and opens it. The old index stays until the new one
    /// is complete. An error from `progress` ends the build.
    ///
    /// # Errors
    /// Fails if a file cannot be used, a document has no vector, the vectors of two files differ in length, no image can be
    /// read, or the disk is full. Waits while another process is building.
    pub fn build_given(
        dataset: &Dataset,
        folder: &Path,
        files: &GivenFiles,
        settings: IndexSettings,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<Self> {
        refuse_empty_corpus(dataset)?;
        let opened = Opened::of(dataset, files)?;
        let (workspace, _lock) = begin_build(folder, progress)?;
        // Computed before the images are read, so that a corpus that changes meanwhile makes the index stale, not wrong.
        let corpus_fingerprint = dataset.corpus_fingerprint_now();
        let (aside, dimension, total) = (Aside::create(workspace)?, opened.dimension, dataset.corpus.len());
        let rows = [&opened.image, &opened.caption].map(|file| if file.is_some() { total } else { 0 });
        let vectors = aside.vectors(rows, dimension)?;
        let mut corpus = without_vectors(dataset, vectors, &known_images(folder), progress)?;
        let left_out: HashSet<usize> = corpus.left_out.iter().map(|document| document.row).collect();
        let document = |row: usize| format!("document {}", dataset.corpus.document(row).id);
        let mut stamp = GivenStamp { dataset: dataset.root.clone(), image: None, caption: None, query: None };
        for (side, file) in [(VectorSide::Image, opened.image), (VectorSide::Caption, opened.caption)] {
            let Some(file) = file else { continue };
            // Only retrieval by image shows the image.
            let is_wanted = |row: usize| side == VectorSide::Caption || !left_out.contains(&row);
            let mut take = |row: usize, vector: &[f32]| corpus.vectors.write_row(side as usize, row, vector);
            let read = file.read("document", &document, &is_wanted, &mut take)?;
            *stamp.side(side) = Some(read);
        }
        let mut queries = None;
        if let Some(query) = opened.query {
            let (cases, values, file) = query.read_those_there()?;
            let cases = cases.into_par_iter().map(|case| query_case(dataset, case)).collect();
            (queries, stamp.query) = (Some(QueryVectors { cases, values }), Some(file));
        }
        let encoder = EncoderStamp {
            name: name_of(&stamp),
            fingerprint: fingerprint_of(&corpus.vectors.map()?, queries.as_ref())?,
            dimension,
            only: None,
            probe: None,
        };
        let built = Built { corpus_fingerprint, encoder, given: Some(stamp), queries, settings };
        finish(dataset, (aside, folder), corpus, built, progress)
    }
}

/// The open files, all with vectors of one length.
struct Opened {
    image: Option<OpenedVectors>,
    caption: Option<OpenedVectors>,
    query: Option<OpenedVectors>,
    dimension: usize,
}

impl Opened {
    fn of(dataset: &Dataset, files: &GivenFiles) -> Result<Self> {
        let documents: Vec<&str> = dataset.corpus.iter().map(|document| document.id).collect();
        let cases: Vec<&str> = dataset.cases.iter().map(|case| case.id.as_str()).collect();
        let open = |source: &Option<super::VectorSource>, what: &str| -> Result<Option<OpenedVectors>> {
            let (wanted, in_file) = if what == "cases" { (&cases, CASES_FILE) } else { (&documents, CORPUS_FILE) };
            source.as_ref().map(|source| OpenedVectors::open(source, wanted, what, in_file)).transpose()
        };
        let (image, caption) = (open(&files.image, "documents")?, open(&files.caption, "documents")?);
        let query = open(&files.query, "cases")?;
        let opened = [("image", &image), ("caption", &caption), ("query", &query)];
        let lengths: Vec<(&str, usize)> =
            opened.into_iter().filter_map(|(what, file)| Some((what, file.as_ref()?.dimension()))).collect();
        ensure!(image.is_some() || caption.is_some(), "expected --image-vectors or --caption-vectors, found neither");
        let dimension = lengths[0].1;
        if lengths.iter().any(|(_, length)| *length != dimension) {
            let found: Vec<String> = lengths.iter().map(|(what, length)| format!("{length} ({what})")).collect();
            bail!(
                "expected vectors of one length, because a case's vector is compared with those of images and captions, \
                 found {}; leave out the side that is of another model",
                found.join(", ")
            );
        }
        Ok(Self { image, caption, query, dimension })
    }
}

/// The corpus without vectors: the contents of images and captions, and which images cannot be read.
fn without_vectors(
    dataset: &Dataset,
    vectors: VectorFileWriter,
    known: &HashSet<Fingerprint>,
    progress: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<EmbeddedCorpus> {
    let total = dataset.corpus.len();
    let mut corpus = EmbeddedCorpus::empty(vectors, 0..total);
    let captions = dataset.corpus.iter().map(|document| Fingerprint::of_bytes(document.caption.as_bytes()));
    corpus.caption_contents.extend(captions);
    let mut done = 0;
    progress(Progress { stage: Stage::Images, done, total })?;
    for_each_batch(dataset, 0..total, known, |batch| {
        done += batch.len();
        for (row, decoded) in batch {
            match decoded {
                Ok(decoded) => corpus.image_contents[row] = Some(decoded.fingerprint),
                Err(error) => {
                    let document = dataset.corpus.document(row).id.to_owned();
                    corpus.left_out.push(LeftOut { row, document, reason: message_of(&error) });
                }
            }
        }
        progress(Progress { stage: Stage::Images, done, total })
    })?;
    Ok(corpus)
}

fn query_case(dataset: &Dataset, position: usize) -> QueryCase {
    let case = &dataset.cases[position];
    // An image that cannot be read fails with its reason when the case is answered.
    let bytes = Picture::read_bytes(&dataset.image_path(&case.image)).ok();
    QueryCase { case: case.id.clone(), image: bytes.map(|bytes| Picture::fingerprint_of(&bytes)) }
}

/// Text such as "image.npy, caption.npy".
fn name_of(stamp: &GivenStamp) -> String {
    let names: Vec<String> =
        stamp.files().filter_map(|(_, file)| Some(file.path.file_name()?.to_string_lossy().into_owned())).collect();
    format!("vectors of {}", names.join(", "))
}

/// Fingerprint of all vectors and of the cases that they belong to; the format of the files does not matter.
fn fingerprint_of(vectors: &VectorFile, queries: Option<&QueryVectors>) -> Result<Fingerprint> {
    let bytes_of = |values: &[f32]| Fingerprint::of_bytes(bytemuck::cast_slice(values));
    let side = |side: VectorSide| bytes_of(vectors.all(side as usize));
    let (images, captions) = (side(VectorSide::Image), side(VectorSide::Caption));
    let values = bytes_of(queries.map_or(&[], |queries| &queries.values));
    let cases = queries.map_or_else(|| Ok(String::new()), QueryVectors::lines)?;
    Ok(Fingerprint::of_parts(["given vectors 1", images.as_str(), captions.as_str(), values.as_str(), cases.as_str()]))
}
