//! Fusion, verdict, oracle and the figures of a run.

mod fusion;
mod verdict;

pub use fusion::{Fused, fuse};
pub use verdict::{CaseOutcome, Verdict};
