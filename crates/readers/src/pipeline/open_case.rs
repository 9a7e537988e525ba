//! A case that is about to be read: its image, task and question, from which each request to the reader is made.

use crate::reader::{Evidence, ReadRequest};
use dissent_core::data::{Picture, Task};
use std::sync::Arc;

/// What all requests about a case share.
#[derive(Clone, Debug)]
pub(super) struct OpenCase {
    /// Position in `Dataset::cases`.
    pub case: usize,
    pub query: Arc<Picture>,
    pub task: Arc<Task>,
    pub question: String,
}

impl OpenCase {
    /// The request with this document; `None` asks without a document.
    pub fn request(&self, evidence: Option<Evidence>) -> ReadRequest {
        ReadRequest { task: self.task.clone(), question: self.question.clone(), query: self.query.clone(), evidence }
    }
}
