//! The loaded models of the worker threads.

use crate::pipeline::{ModelDescription, Pipeline, Progress};
use anyhow::Result;
use dissent_retrieval::index::CaptionResult;

/// The pipeline that answers cases.
pub struct LoadedPipeline {
    pub pipeline: Pipeline,
    pub description: ModelDescription,
}

/// Searches captions for words.
pub trait SearchCaptions: Send {
    /// The best `limit` captions for the query, best first.
    ///
    /// # Errors
    /// Fails if the query cannot be understood or the index cannot be read.
    fn search(&mut self, query: &str, limit: usize) -> Result<Vec<CaptionResult>>;
}

/// Loads the pipeline. Runs on the worker thread, so it may take long. It may call the second argument between steps:
/// true means that the result is no longer needed.
pub type LoadPipeline = Box<dyn FnOnce(Progress, &dyn Fn() -> bool) -> Result<LoadedPipeline> + Send>;

/// Opens the caption index for the search thread, after the pipeline is loaded.
pub type LoadSearch = Box<dyn FnOnce() -> Result<Box<dyn SearchCaptions>> + Send>;
