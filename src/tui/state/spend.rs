//! The question before many requests to a server that may cost money.

use super::overlay::Overlay;
use crate::pipeline::PlannedRequests;

/// What is about to be asked, and the overlay over which it is asked.
#[derive(Clone, Debug)]
pub struct SpendQuestion {
    pub planned: PlannedRequests,
    pub under: Option<Box<Overlay>>,
}
