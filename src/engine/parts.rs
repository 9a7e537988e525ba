//! What the worker threads work with, once loaded.

use super::{CaptionResult, EngineDescription, Pipeline};
use anyhow::Result;

/// Everything that answers cases.
pub struct Parts {
    pub pipeline: Pipeline,
    pub description: EngineDescription,
}

/// Finds captions by words.
pub trait SearchCaptions: Send {
    /// The best `limit` captions for the query, best first.
    ///
    /// # Errors
    /// Where the query cannot be understood or the index cannot be read.
    fn search(&mut self, query: &str, limit: usize) -> Result<Vec<CaptionResult>>;
}
