//! What the worker threads work with, once loaded.

use crate::index::CaptionResult;
use crate::pipeline::{ModelDescription, Pipeline};
use anyhow::Result;

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
    /// Where the query cannot be understood or the index cannot be read.
    fn search(&mut self, query: &str, limit: usize) -> Result<Vec<CaptionResult>>;
}
