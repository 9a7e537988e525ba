//! Requests from the explorer to the worker threads.

use crate::pipeline::{ExplainRequest, ImageLike, Ticket};
use dissent_core::run::Probe;

/// A request. A newer `Open` replaces one that is still pending and cancels the one in progress; the same holds for
/// searches.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Retrieve for this case (position in `Dataset::cases`), then read each hit.
    Open { case: usize },
    /// Answer these cases in this order when idle; replaces the previous list.
    Ahead { cases: Vec<usize> },
    /// Read this case with this document once. Probes are answered in order, before any work ahead.
    Probe { case: usize, probe: Probe },
    /// Search for images similar to this one, among those that the case may see.
    SearchImages { ticket: Ticket, case: usize, like: ImageLike, limit: usize },
    /// Explain a prediction, unless that is estimated to take more than `most_seconds`. It goes on while nothing more urgent
    /// is wanted, and is dropped for a newer one, for another opened case, or if nobody wants it any more.
    Explain { ticket: Ticket, request: ExplainRequest, most_seconds: Option<f64> },
    /// Drop the explanation that waits or is in work.
    StopExplaining,
    /// Search captions.
    SearchCaptions { ticket: Ticket, query: String, limit: usize },
}
