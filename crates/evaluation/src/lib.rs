//! Evaluation: fusion, verdict, oracle, metrics, the figures of a run and the comparison of two.

mod bootstrap;
mod comparison;
mod difference;
mod estimate;
mod fusers;
mod fusion;
mod holm;
mod label_thresholds;
mod learned_fusion;
mod mcnemar;
pub mod metrics;
mod named_errors;
mod partial_case_answer;
pub mod report;
mod reweighing;
mod summary;
mod verdict;

pub(crate) use bootstrap::FEWEST_UNITS;
pub use bootstrap::{Bootstrap, Interval, NoInterval, RESAMPLES};
pub use comparison::{Comparison, PairedAccuracy, PairedOutcome, TaskComparison};
pub use difference::Difference;
pub use estimate::Estimate;
pub use fusers::Fuser;
pub use fusion::{Fused, ScoredHit, fuse, scored_hits};
pub use holm::holm;
pub use label_thresholds::{LabelThreshold, TaskThresholds};
pub use learned_fusion::LearnedWeights;
pub use mcnemar::mcnemar_exact;
pub use named_errors::Explained;
pub use partial_case_answer::{AnswerOfDocument, PartialCaseAnswer, UserHit};
pub use reweighing::{Reweighing, SmallestFlip, contributions};
pub use summary::{Summary, SummaryCase, TaskSummary};
pub use verdict::{CaseOutcome, Verdict};
