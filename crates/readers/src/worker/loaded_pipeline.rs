//! What the worker threads work with, once loaded.

use crate::pipeline::{ModelDescription, Pipeline, Progress};
use anyhow::Result;
use dissent_retrieval::index::CaptionResult;

/// Everything that answers cases.
pub struct LoadedPipeline {
    pub pipeline: Pipeline,
    pub description: ModelDescription,
}

/// Finds captions by words.
pub trait SearchCaptions: Send {
    /// The best `limit` captions for the query, best first.
    ///
    /// # Errors
    /// Fails if the query cannot be understood or the index cannot be read.
    fn search(&mut self, query: &str, limit: usize) -> Result<Vec<CaptionResult>>;
}

/// Loads what answers cases; runs on the worker thread, so it may take long. It may look at the second argument between
/// steps: once true, nobody waits for the result.
pub type LoadPipeline = Box<dyn FnOnce(Progress, &dyn Fn() -> bool) -> Result<LoadedPipeline> + Send>;

/// Opens the caption index for the search thread, once the parts are loaded.
pub type LoadSearch = Box<dyn FnOnce() -> Result<Box<dyn SearchCaptions>> + Send>;
