//! Fusion, verdict, oracle and the figures of a run.

mod figure;
mod fusion;
mod summary;
mod verdict;

pub use figure::Figure;
pub use fusion::{Fused, fuse};
pub use summary::{Summary, SummaryCase, TaskSummary};
pub use verdict::{CaseOutcome, Verdict};
