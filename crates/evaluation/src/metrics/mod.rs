//! Metrics of answers: for labels as scikit-learn defines them, for words as SQuAD does; and of ranked documents, as trec_eval
//! defines them.

mod calibration;
mod confusion;
mod ranking;
mod retrieval;
mod several_labels;
mod words;

pub use calibration::{Calibration, ConfidentCases, ReliabilityBin};
pub use confusion::{Confusion, MacroAverages};
pub use ranking::OneAgainstRest;
pub use retrieval::RetrievalFigures;
pub use several_labels::LabelSets;
pub use words::WordOverlap;
