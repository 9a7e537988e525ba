//! Evaluation: fusion, verdict, oracle, metrics, the figures of a run and the comparison of two.

mod bootstrap;
mod case_answers;
mod comparison;
mod difference;
mod estimate;
mod fusers;
mod fusion;
mod holm;
mod learned_fusion;
mod mcnemar;
pub mod metrics;
mod named_errors;
pub mod report;
mod reweighing;
mod summary;
mod verdict;

pub use bootstrap::{Bootstrap, FEWEST_UNITS, Interval, NoInterval, RESAMPLES};
pub use case_answers::{CaseAnswers, UserHit};
pub use comparison::{Comparison, PairedAccuracy, PairedOutcome, TaskComparison};
pub use difference::Difference;
pub use estimate::Estimate;
pub use fusers::Fuser;
pub use fusion::{Fused, ScoredHit, fuse, scored_hits};
pub use holm::holm;
pub use learned_fusion::LearnedWeights;
pub use mcnemar::mcnemar_exact;
pub use named_errors::Explained;
pub use reweighing::{Reweighing, SmallestFlip, contributions};
pub use summary::{Summary, SummaryCase, TaskSummary};
pub use verdict::{CaseOutcome, Verdict};
