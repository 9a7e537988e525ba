//! Explanations of earlier sessions, from the answers in the cache alone: no model is loaded and nothing is asked.

use super::cached_reader::PREDICTIONS_FILE;
use super::case_pipeline::Pipeline;
use super::explaining::{ExplainOutcome, ExplainRequest, GridChoice};
use crate::explain::{Explanation, Method, Wanted};
use crate::reader::{ReadRequest, Reader, ReaderError};
use anyhow::Result;
use dissent_core::data::Dataset;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{LabelScores, Probe};
use std::path::Path;
use std::sync::Arc;

/// The answers of one reader about one dataset.
pub struct CachedExplanations {
    pipeline: Pipeline,
}

impl CachedExplanations {
    /// Reads the cache in this folder; `None` if it has no predictions. `reader` is the fingerprint of the reader whose
    /// answers count.
    ///
    /// # Errors
    /// Fails if a prompt template is wrong or a cache file cannot be read.
    pub fn open(dataset: Arc<Dataset>, cache: &Path, reader: &Fingerprint) -> Result<Option<Self>> {
        if !cache.join(PREDICTIONS_FILE).is_file() {
            return Ok(None);
        }
        let reader = Box::new(SilentReader { fingerprint: reader.clone() });
        Ok(Some(Self { pipeline: Pipeline::new(dataset, None, reader, cache)? }))
    }

    /// Why the prediction of this case with this document is what it is: by words and regions if the cache has every answer
    /// for both, by words if it has those. `None` if it has not.
    ///
    /// # Errors
    /// Fails if case or document cannot be read.
    pub fn of(&mut self, case: usize, probe: Probe) -> Result<Option<Explanation>> {
        // Regions need copies of both images, so words are looked up first. Without a caption there are none to leave out.
        let words = self.known(case, probe, false).ok();
        if matches!(words, Some(None)) {
            return Ok(None);
        }
        Ok(self.known(case, probe, true)?.or(words.flatten()))
    }

    /// The explanation by words, and by regions if these are wanted; `None` if the cache lacks an answer.
    fn known(&mut self, case: usize, probe: Probe, regions: bool) -> Result<Option<Explanation>> {
        let wanted = Wanted { words: true, regions };
        let method = Method::Occlusion;
        let request = ExplainRequest { case, probe: Some(probe), label: None, wanted, method, grid: GridChoice::Auto };
        match self.pipeline.explain(&request, None, &|| false, &mut |_| {}) {
            Ok(ExplainOutcome::Explained(explanation)) => Ok(Some(*explanation)),
            // The reader was asked, which is how an answer shows that the cache lacks it.
            Ok(ExplainOutcome::Costly(_)) | Err(ReaderError::Cancelled) => Ok(None),
            Err(ReaderError::Failed(error)) => Err(error),
        }
    }
}

/// Answers nothing: with it a pipeline knows what its cache has.
struct SilentReader {
    fingerprint: Fingerprint,
}

impl Reader for SilentReader {
    fn name(&self) -> &'static str {
        "the cache"
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn score(&mut self, _: &[ReadRequest], _: &dyn Fn() -> bool) -> Result<Vec<LabelScores>, ReaderError> {
        Err(ReaderError::Cancelled)
    }

    fn generate(&mut self, _: &[ReadRequest], _: &dyn Fn() -> bool) -> Result<Vec<String>, ReaderError> {
        Err(ReaderError::Cancelled)
    }
}
