//! Fusion, verdict, oracle, metrics, the figures of a run and the difference between two.

mod comparison;
mod figure;
mod fusion;
mod holm;
mod mcnemar;
pub mod metrics;
mod summary;
mod verdict;

pub use comparison::{Comparison, Difference, PairedAccuracy, PairedOutcome, TaskComparison};
pub use figure::Figure;
pub use fusion::{Found, Fused, fuse};
pub use holm::holm;
pub use mcnemar::mcnemar_exact;
pub use summary::{Summary, SummaryCase, TaskSummary};
pub use verdict::{CaseOutcome, Verdict};
