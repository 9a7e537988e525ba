//! An opened case: its image, task and question, from which all requests to the reader are built.

use crate::reader::{Evidence, ReadRequest};
use dissent_core::data::{Picture, Task};
use std::sync::Arc;

/// Values that all requests about a case share.
#[derive(Clone, Debug)]
pub(super) struct OpenCase {
    /// Position in `Dataset::cases`.
    pub case: usize,
    pub query: Arc<Picture>,
    pub task: Arc<Task>,
    pub question: String,
}

impl OpenCase {
    /// The request with this document, or closed-book if `None`.
    pub fn request(&self, evidence: Option<Evidence>) -> ReadRequest {
        ReadRequest { task: self.task.clone(), question: self.question.clone(), query: self.query.clone(), evidence }
    }
}
