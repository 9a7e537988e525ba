//! What the explorer asks of the worker threads.

use crate::pipeline::{ImageLike, Ticket};
use dissent_core::run::Probe;

/// A wish. A newer `Open` replaces one that is still waiting and cancels the one in work; so does a newer search.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Retrieve for this case (position in `Dataset::cases`), then read each hit.
    Open { case: usize },
    /// Work through these cases when nothing else is wanted, in this order; replaces the list given before.
    Ahead { cases: Vec<usize> },
    /// Read this case with this document once; asked in order, before any work ahead.
    Probe { case: usize, probe: Probe },
    /// Search images like this one among those that the case may see.
    SearchImages { ticket: Ticket, case: usize, like: ImageLike, limit: usize },
    /// Search captions.
    SearchCaptions { ticket: Ticket, query: String, limit: usize },
}
