//! Hits and predictions of each case, in memory and on disk. No code here loads a model.

mod ablation;
mod case_answer;
mod checksum;
mod head_name;
mod hit;
pub mod hit_lists;
mod identity;
mod label_odds;
mod label_samples;
mod label_scores;
mod model_words;
mod prediction;
mod prediction_line;
mod probe;
mod qrels;
mod reranking;
mod service_record;
mod shown;
mod stored_cases;
mod stored_run;
mod token_usage;
mod writer;

pub use ablation::contradicting_rows;
pub use ablation::{Ablation, CaptionShown, ShownCaptions};
pub use case_answer::CaseAnswer;
pub use head_name::{HeadName, HeadNameError};
pub use hit::{Head, Hit, Provenance};
pub use identity::{
    GivenHits, RetrieverIdentity, RunFingerprints, RunIdentity, cases_fingerprint, prompts_fingerprint,
};
pub use label_odds::LabelOdds;
pub use label_samples::LabelSamples;
pub use label_scores::{LabelScores, MASKED_LOG_PROBABILITY};
pub use model_words::about_models;
pub use prediction::Prediction;
pub use probe::Probe;
pub use qrels::Qrels;
pub use reranking::{Choice, Reranking};
pub use service_record::{AnswerSampling, ServiceRecord};
pub use shown::{Given, Shown};
pub use stored_cases::{StoredAnswer, StoredCase};
pub use stored_run::{PREDICTIONS_FILE, RUN_FILE, Run};
pub use token_usage::TokenUsage;
pub use writer::RunWriter;
