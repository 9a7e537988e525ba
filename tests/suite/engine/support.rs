//! A dataset of small images on disk, hits from a list, and a reader that counts what it is asked.

use crate::support::dataset::{case, closed_task, document, manifest};
use crate::support::fixtures;
use anyhow::anyhow;
use dissent::data::{Case, Dataset, Document, Picture};
use dissent::files::fingerprint::Fingerprint;
use dissent::reader::{ReadRequest, Reader, ReaderError};
use dissent::retriever::{HitSource, merge_hits};
use dissent::run::{Head, Hit, LabelScores};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A random tiny Pixtral.
pub fn reader_fixture() -> PathBuf {
    fixtures::path("pixtral/checkpoint")
}

/// A random tiny CLIP.
pub fn encoder_fixture() -> PathBuf {
    fixtures::path("clip/gelu")
}

/// Four documents and `cases` cases, each with an image of its own under `root/images`.
pub fn dataset(root: &Path, cases: usize) -> Dataset {
    std::fs::create_dir_all(root.join("images")).unwrap();
    let grey = closed_task("grey", "Is it grey?", [("No", "No"), ("Yes", "Yes")]);
    let cases: Vec<Case> = (0..cases).map(|number| case(&format!("case-{number}"), "grey", "Yes")).collect();
    let corpus: Vec<Document> =
        (0..4).map(|number| document(&format!("document-{number}"), &format!("caption {number}"))).collect();
    let images = cases.iter().map(|case| &case.image).chain(corpus.iter().map(|document| &document.image));
    for (image, level) in images.zip(0_u8..) {
        image::GrayImage::from_pixel(8, 8, image::Luma([level])).save(root.join(image)).unwrap();
    }
    Dataset::new(root, manifest("squares", vec![grey]), cases, corpus)
}

/// Finds the same documents for every case: rows 0 and 1 by image, 1 and 2 by caption.
pub struct FixedHits {
    fingerprint: Fingerprint,
}

impl FixedHits {
    pub fn new() -> Self {
        Self { fingerprint: Fingerprint::of_bytes(b"fixed") }
    }
}

impl HitSource for FixedHits {
    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn retrieve(
        &mut self,
        dataset: &Dataset,
        _case: &Case,
        _query: &Picture,
        _closed_book: Option<&str>,
    ) -> anyhow::Result<Vec<Hit>> {
        let lists = [(Head::Image, vec![(0, 0.9), (1, 0.8)]), (Head::Caption, vec![(1, 0.4), (2, 0.3)])];
        Ok(merge_hits(&dataset.corpus, &lists))
    }
}

/// Runs before a batch is answered, with the batch.
pub type BeforeBatch = Box<dyn FnMut(&[ReadRequest]) + Send>;

/// Says Yes to even documents and closed-book, No to the odd one. One batch is one call.
pub struct CountingReader {
    fingerprint: Fingerprint,
    /// Requests answered or cancelled so far.
    pub asked: Arc<AtomicUsize>,
    /// Sizes of the batches, in order.
    pub batches: Arc<Mutex<Vec<usize>>>,
    pub before_batch: Option<BeforeBatch>,
    /// Answers NaN instead.
    pub is_broken: bool,
}

impl CountingReader {
    pub fn new() -> Self {
        Self {
            fingerprint: Fingerprint::of_bytes(b"counting"),
            asked: Arc::default(),
            batches: Arc::default(),
            before_batch: None,
            is_broken: false,
        }
    }
}

impl Reader for CountingReader {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn score(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        if cancelled() {
            return Err(ReaderError::Cancelled);
        }
        self.asked.fetch_add(requests.len(), Ordering::SeqCst);
        self.batches.lock().map_err(|_| anyhow!("poisoned"))?.push(requests.len());
        if let Some(before_batch) = &mut self.before_batch {
            before_batch(requests);
        }
        let answer = |request: &ReadRequest| {
            let is_odd =
                request.evidence.as_ref().is_some_and(|evidence| evidence.caption.as_deref() == Some("caption 1"));
            let scores = if is_odd { vec![-0.1, -2.0] } else { vec![-2.0, -0.1] };
            LabelScores::exact(if self.is_broken { vec![f32::NAN, -0.1] } else { scores })
        };
        Ok(requests.iter().map(answer).collect())
    }

    /// The same place in different spellings, another one for the odd document.
    fn generate(
        &mut self,
        requests: &[ReadRequest],
        _cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<String>, ReaderError> {
        self.asked.fetch_add(requests.len(), Ordering::SeqCst);
        let answer = |request: &ReadRequest| {
            let caption = request.evidence.as_ref().and_then(|evidence| evidence.caption.as_deref());
            match caption {
                Some("caption 1") => "lower lobe",
                Some("caption 2") => "the Upper lobe",
                _ => "The upper lobe.",
            }
        };
        Ok(requests.iter().map(|request| answer(request).to_owned()).collect())
    }
}
